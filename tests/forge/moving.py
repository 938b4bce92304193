"""What follows from a moved branch: pull requests go along, close or count as merged."""

from __future__ import annotations

from typing import Any

from tests.forge.accounts import Account, Token
from tests.forge.events import emit, emit_push
from tests.forge.pull_shapes import COMMITS_LIMIT, pull_full
from tests.forge.records import AutoMerge, Issue, Pull, TimelineEvent
from tests.forge.rulesets import merge_refusals
from tests.forge.state import Repository, State


def note(
    state: State,
    issue: Issue,
    name: str,
    actor: Account | None,
    *,
    commit: str | None = None,
    **facts: Any,
) -> None:
    """Add an event to a timeline."""
    at = state.clock.now()
    issue.events.append(TimelineEvent(state.next_id(), name, actor, at, facts, commit))
    issue.updated_at = at


def emit_pull(
    state: State, repository: Repository, token: Token, pull: Pull, action: str, **facts: Any
) -> None:
    """Record a `pull_request` event."""
    content = {
        "action": action,
        "number": pull.number,
        "pull_request": pull_full(state.base, state, repository, pull),
        **facts,
    }
    message = repository.git.commit(pull.head).message
    emit(state, repository, token, "pull_request", content, message)


def bring_head(state: State, repository: Repository, pull: Pull) -> None:
    """Let the base's repository hold the head of a pull request, as `refs/pull/N/head`."""
    ref = f"refs/pull/{pull.number}/head"
    source = state.repository(pull.head_repository)
    if source is not None and source is not repository:
        repository.git.bring(source.git.path, pull.head, ref)
    else:
        repository.git.set(ref, pull.head)


def note_commits(
    state: State, repository: Repository, pull: Pull, base: str, actor: Account
) -> None:
    """Add the commits that a pull request has gained to its timeline."""
    for sha in repository.git.between(base, pull.head, COMMITS_LIMIT):
        note(state, pull, "committed", actor, commit=sha)


def moved(
    state: State, repository: Repository, ref: str, old: str | None, new: str | None, token: Token
) -> None:
    """Do what GitHub does once a ref has moved.

    Args:
        state: Of everything.
        repository: Whose ref.
        ref: In full.
        old: Where it was; None: it is new.
        new: Where it is; None: it is gone.
        token: Who moved it.
    """
    emit_push(state, repository, token, ref, old, new)
    if not ref.startswith("refs/heads/"):
        return
    branch = ref.removeprefix("refs/heads/")
    for base in list(state.repositories.values()):
        for pull in base.open_pulls():
            is_head = pull.head_repository.lower() == repository.full_name.lower()
            if is_head and pull.head_ref == branch:
                _head_moved(state, base, pull, new, token)
            elif base is repository and pull.base_ref == branch and old and new:
                _base_moved(state, base, pull, old, new, token)


def _head_moved(
    state: State, repository: Repository, pull: Pull, new: str | None, token: Token
) -> None:
    actor = token.account
    if new is None:
        note(state, pull, "head_ref_deleted", actor)
        close(state, repository, pull, token)
        return
    old = pull.head
    pull.head = new
    bring_head(state, repository, pull)
    git = repository.git
    pull.base = git.branch(pull.base_ref) or pull.base
    if git.is_ancestor(old, new):
        note_commits(state, repository, pull, old, actor)
    else:
        note(state, pull, "head_ref_force_pushed", actor, commit=new)
    if pull.auto_merge is not None and not repository.allows(actor, "write"):
        disarm(state, pull, actor)
    for ruleset in repository.rulesets.values():
        for rule in ruleset.content.get("rules", []):
            if (rule.get("parameters") or {}).get("dismiss_stale_reviews_on_push"):
                _dismiss_stale(pull)
    emit_pull(state, repository, token, pull, "synchronize", before=old, after=new)


def _dismiss_stale(pull: Pull) -> None:
    for review in pull.reviews:
        if review.state == "APPROVED" and review.commit != pull.head:
            review.state = "DISMISSED"


def _base_moved(
    state: State, repository: Repository, pull: Pull, old: str, new: str, token: Token
) -> None:
    git = repository.git
    if not git.is_ancestor(pull.head, new) or git.is_ancestor(pull.head, old):
        return
    # A push that brings the head into the base is a merge too, by whoever pushed.
    line = git.first_parents(old, new)
    commit = next(one for one in line if git.is_ancestor(pull.head, one))
    mark_merged(state, repository, pull, token, token.account, commit, old)


def mark_merged(
    state: State,
    repository: Repository,
    pull: Pull,
    token: Token,
    merged_by: Account,
    commit: str,
    base: str,
) -> None:
    """Let a pull request be merged, as a commit that is on its base already."""
    at = state.clock.now()
    pull.state, pull.merged_at, pull.closed_at = "closed", at, at
    pull.merged_by = pull.closed_by = merged_by
    pull.merge_commit, pull.base, pull.auto_merge = commit, base, None
    note(state, pull, "merged", merged_by, commit=commit)
    note(state, pull, "closed", merged_by, commit=None, state_reason=None)
    emit_pull(state, repository, token, pull, "closed")


def close(state: State, repository: Repository, issue: Issue, token: Token) -> None:
    """Close an issue or, unmerged, a pull request."""
    issue.state, issue.closed_at = "closed", state.clock.now()
    issue.closed_by = token.account
    if isinstance(issue, Pull):
        issue.base = repository.git.branch(issue.base_ref) or issue.base
        if issue.auto_merge is not None:
            disarm(state, issue, token.account)
    else:
        issue.state_reason = issue.state_reason or "completed"
    note(state, issue, "closed", token.account, commit=None, state_reason=issue.state_reason)
    if isinstance(issue, Pull):
        emit_pull(state, repository, token, issue, "closed")


def disarm(state: State, pull: Pull, actor: Account) -> None:
    """Take back an armed merge."""
    pull.auto_merge = None
    note(state, pull, "auto_merge_disabled", actor)


def arm(state: State, pull: Pull, token: Token, method: str, title: str, message: str) -> None:
    """Let GitHub merge by itself once the rules are met, in the name of whoever arms it."""
    pull.auto_merge = AutoMerge(token.account, token, method, title, message)
    names = {"merge": "auto_merge_enabled", "squash": "auto_squash_enabled"}
    note(state, pull, names.get(method, "auto_rebase_enabled"), token.account)


def ready_to_merge(repository: Repository) -> list[Pull]:
    """Pull requests whose armed merge nothing stands against any more."""
    return [
        pull
        for pull in repository.open_pulls()
        if pull.auto_merge is not None
        and not pull.is_draft
        and not merge_refusals(repository, pull, None, pull.auto_merge.method)
    ]
