"""What could start a workflow: its payload as GitHub sends it, and whether GitHub starts one."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tests.forge.accounts import Token
from tests.forge.messages import stamp
from tests.forge.records import Happened
from tests.forge.shapes import commit_message, repository_fields, user
from tests.forge.state import Repository, State

_DISPATCHES: Final = ("workflow_dispatch", "repository_dispatch")
_SKIPPED: Final = ("push", "pull_request")
_SKIP: Final = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]", re.IGNORECASE)
_SKIP_TRAILER: Final = re.compile(r"(?:^|\n)skip-checks: ?true\s*$")
_LISTED_COMMITS: Final = 20


def skips_workflows(message: str) -> bool:
    """Whether a commit's message asks for no `push` and `pull_request` workflows."""
    return bool(_SKIP.search(message) or _SKIP_TRAILER.search(message))


def emit(
    state: State,
    repository: Repository,
    token: Token,
    name: str,
    content: dict[str, Any],
    message: str = "",
) -> Happened:
    """Record an event, with whether it starts workflows.

    Args:
        state: Where it is recorded.
        repository: Where it happened.
        token: Whose act caused it.
        name: Of the event.
        content: What is particular to the event.
        message: Of the commit that it is about, which may ask for silence.
    """
    payload = {
        **content,
        "repository": repository_fields(state.base, repository),
        "sender": user(state.base, token.account),
    }
    why_not = ""
    if not repository.actions_enabled:
        why_not = "actions are off here"
    elif token.is_of_actions and name not in _DISPATCHES:
        why_not = "caused by GITHUB_TOKEN"
        if name == "pull_request" and content.get("action") in ("opened", "synchronize"):
            why_not = "waits until a person approves the run"
    elif name in _SKIPPED and skips_workflows(message):
        why_not = "the commit message skips workflows"
    number = len(state.happened) + 1
    happened = Happened(number, name, payload, not why_not, token.is_of_actions, why_not)
    state.happened.append(happened)
    _write(state, happened)
    return happened


def _write(state: State, happened: Happened) -> None:
    folder = state.events_folder
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    line = {
        "number": happened.number,
        "event": happened.name,
        "action": happened.action,
        "starts": happened.starts,
        "why_not": happened.why_not,
        "file": "",
    }
    if happened.starts:
        line["file"] = f"{happened.number:04}-{happened.name}.json"
        # Renamed into place: whoever watches the folder never reads half a payload.
        whole = folder / str(line["file"])
        partial = whole.with_suffix(".partial")
        partial.write_text(json.dumps(happened.payload, indent=1))
        partial.rename(whole)
    with (folder / "events.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def emit_push(
    state: State, repository: Repository, token: Token, ref: str, old: str | None, new: str | None
) -> None:
    """Record that a branch or tag moved, came or went."""
    git = repository.git
    zero = "0" * 40
    forced = bool(old and new and not git.is_ancestor(old, new))
    added = git.between(old, new, _LISTED_COMMITS) if old and new else [new] if new else []
    shown = [_push_commit(state, repository, sha) for sha in added]
    message = git.commit(new).message if new else ""
    content = {
        "ref": ref,
        "before": old or zero,
        "after": new or zero,
        "created": old is None,
        "deleted": new is None,
        "forced": forced,
        "base_ref": None,
        "compare": f"{state.base}/{repository.full_name}/compare/{old or zero}...{new or zero}",
        "commits": shown,
        "head_commit": _push_commit(state, repository, new) if new else None,
        "pusher": {"name": token.account.login, "email": token.account.email},
    }
    emit(state, repository, token, "push", content, message)


def _push_commit(state: State, repository: Repository, sha: str) -> dict[str, Any]:
    commit = repository.git.commit(sha)
    base = commit.parents[0] if commit.parents else None
    changes = repository.git.changes(base, sha) if base else []
    paths = {
        name: [one.path for one in changes if one.letter in letters]
        for name, letters in (("added", "ARC"), ("removed", "D"), ("modified", "MT"))
    }
    people = {}
    for role, person in (("author", commit.author), ("committer", commit.committer)):
        account = state.account_of(person.email)
        people[role] = {"name": person.name, "email": person.email, "date": stamp(person.at)}
        if account is not None:
            people[role]["username"] = account.login
    return {
        "id": sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit_message(commit),
        "timestamp": commit.committer.at.isoformat(),
        "url": f"{state.base}/{repository.full_name}/commit/{sha}",
        **people,
        **paths,
    }
