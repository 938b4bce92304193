"""Merging a pull request: the rules, the commits that GitHub makes, and what follows."""

from __future__ import annotations

from typing import Final

from tests.forge.accounts import Token
from tests.forge.calls import Call
from tests.forge.commitobjects import Person
from tests.forge.messages import Refusal, Response, json_response
from tests.forge.moving import mark_merged, moved, ready_to_merge
from tests.forge.pull_shapes import COMMITS_LIMIT
from tests.forge.records import Pull
from tests.forge.rulesets import merge_refusals, violation
from tests.forge.shapes import commit_message
from tests.forge.state import Repository, State

METHODS: Final = {
    "merge": ("allow_merge_commit", "Merge commits are not allowed on this repository."),
    "squash": ("allow_squash_merge", "Squash merges are not allowed on this repository."),
    "rebase": ("allow_rebase_merge", "Rebase merges are not allowed on this repository."),
}
"""Each method with its setting, and what GitHub says where it is off."""


def github_person(state: State) -> Person:
    """GitHub as the committer of what it makes itself."""
    return Person("GitHub", "noreply@github.com", state.clock.now())


def merge(call: Call) -> Response:
    """`PUT /pulls/{n}/merge`."""
    repository, pull = call.repository, call.pull()
    method = str(call.content.get("merge_method", "merge"))
    if method not in METHODS:
        raise Refusal(422, "Validation Failed", [{"field": "merge_method", "code": "invalid"}])
    setting, message = METHODS[method]
    if not repository.settings[setting]:
        raise Refusal(405, message)
    if pull.state != "open" or pull.is_draft:
        raise Refusal(405, "Pull Request is not mergeable")
    wanted = call.content.get("sha")
    if wanted is not None and wanted != pull.head:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    refused = merge_refusals(repository, pull, call.acting, method)
    if refused:
        raise Refusal(405, violation(refused))
    title, text = call.content.get("commit_title"), call.content.get("commit_message")
    commit = perform(call.state, repository, pull, call.acting, method, title, text)
    if commit is None:
        raise Refusal(405, "Pull Request is not mergeable")
    shown = {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}
    return json_response(200, shown)


def perform(
    state: State,
    repository: Repository,
    pull: Pull,
    token: Token,
    method: str,
    title: str | None,
    text: str | None,
) -> str | None:
    """Merge for real; the commit that the base is at then, None where there is a conflict."""
    git = repository.git
    base = git.branch(pull.base_ref)
    assert base is not None, "an open pull request has a base"
    made = _commit(state, repository, pull, token, base, method, title, text)
    if made is None:
        return None
    ref = f"refs/heads/{pull.base_ref}"
    assert git.move(ref, made, base), "requests are handled one after the other"
    mark_merged(state, repository, pull, token, token.account, made, base)
    moved(state, repository, ref, base, made, token)
    if repository.settings["delete_branch_on_merge"]:
        source = state.repository(pull.head_repository)
        if source is repository and git.branch(pull.head_ref) == pull.head:
            branch = f"refs/heads/{pull.head_ref}"
            git.move(branch, None, pull.head)
            moved(state, repository, branch, pull.head, None, token)
    return made


def _commit(
    state: State,
    repository: Repository,
    pull: Pull,
    token: Token,
    base: str,
    method: str,
    title: str | None,
    text: str | None,
) -> str | None:
    git = repository.git
    if method == "rebase":
        return git.rebase(base, pull.head, token.account.person(state.clock.now()))
    tree = git.merge_tree(base, pull.head)
    if tree is None:
        return None
    if method == "merge":
        subject = f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head_ref}"
        body = pull.title
        parents: tuple[str, ...] = (base, pull.head)
        author = token.account
    else:
        commits = [git.commit(one) for one in git.between(base, pull.head, COMMITS_LIMIT)]
        subject = f"{pull.title} (#{pull.number})"
        body = ""
        if len(commits) == 1:
            first, _, rest = commit_message(commits[0]).partition("\n")
            subject, body = f"{first} (#{pull.number})", rest.strip()
        elif commits:
            body = "\n\n".join(f"* {commit_message(one)}" for one in commits)
        parents = (base,)
        author = pull.author
    subject = subject if title is None else title
    body = body if text is None else text
    message = f"{subject}\n\n{body}" if body else subject
    at = state.clock.now()
    return git.write_commit(
        tree, parents, author.person(at), github_person(state), message, signed=True
    )


def merge_armed(state: State, repository: Repository) -> None:
    """Carry out every armed merge that nothing stands against any more."""
    for pull in ready_to_merge(repository):
        armed = pull.auto_merge
        assert armed is not None, "only armed ones are listed"
        title, message = armed.title or None, armed.message or None
        perform(state, repository, pull, armed.token, armed.method, title, message)
