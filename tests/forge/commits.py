"""Commits, statuses, refs, branches, files and the repository itself over REST."""

from __future__ import annotations

import base64
from typing import Any, Final

from tests.forge.calls import (
    Call,
    Route,
    administering,
    newest_first,
    reading,
    route,
    writing,
)
from tests.forge.events import emit
from tests.forge.merging import merge_armed
from tests.forge.messages import (
    Refusal,
    Response,
    invalid,
    json_response,
    not_found,
    nothing,
    stamp,
    text_of,
)
from tests.forge.moving import moved
from tests.forge.records import Status
from tests.forge.rulesets import refusals, rules_of, violation
from tests.forge.shapes import (
    commit_shape,
    file_change,
    full_repository,
    minimal_repository,
    node_id,
    user,
)

STATES: Final = ("error", "failure", "pending", "success")
_DESCRIPTION_LIMIT: Final = 140
_CONTEXT_LIMIT: Final = 255
_STATUSES_LIMIT: Final = 1_000
"""Statuses of one context on one commit."""
_LOG_LIMIT: Final = 10_000


def _repository(call: Call) -> Response:
    role = None if call.account is None else call.repository.role(call.account)
    return json_response(200, full_repository(call.base, call.state, call.repository, role))


def _change_repository(call: Call) -> Response:
    repository = call.repository
    for name, value in call.content.items():
        if name in repository.settings:
            repository.settings[name] = value
        elif name in ("private", "visibility"):
            repository.is_private = value in (True, "private")
    settings = repository.settings
    if not any(
        settings[f"allow_{one}"] for one in ("merge_commit", "squash_merge", "rebase_merge")
    ):
        raise invalid("Repository", "merge_commit", "no_merge_method")
    return _repository(call)


def _commit(call: Call) -> Response:
    repository, sha = call.repository, call.commit("ref")
    shown = commit_shape(call.base, call.state, repository, sha)
    parents = repository.git.commit(sha).parents
    changes = repository.git.changes(parents[0], sha) if parents else []
    kept, headers = call.paged(changes)
    added, removed = (
        sum(one.additions for one in changes),
        sum(one.deletions for one in changes),
    )
    shown["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    shown["files"] = [file_change(call.base, repository, sha, one) for one in kept]
    return json_response(200, shown, headers)


def _commits(call: Call) -> Response:
    repository, query = call.repository, call.request.query
    start = repository.git.resolve(query.get("sha") or f"refs/heads/{repository.default_branch}")
    if start is None:
        raise not_found()
    found = repository.git.log(start, _LOG_LIMIT, query.get("path", ""))
    return call.page(found, lambda one: commit_shape(call.base, call.state, repository, one))


def status_shape(call: Call, status: Status) -> dict[str, Any]:
    """One status."""
    repository = call.repository
    return {
        "url": f"{call.base}/repos/{repository.full_name}/statuses/{status.commit}",
        "avatar_url": f"{call.base}/avatars/{status.creator.id}",
        "id": status.id,
        "node_id": node_id("Status", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.url,
        "context": status.context,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
        "creator": user(call.base, status.creator),
    }


def _statuses_of(call: Call) -> list[Status]:
    if call.fault is not None and call.fault.kind == "lag_statuses":
        return []
    commit = call.commit("ref")
    return newest_first(one for one in call.repository.statuses if one.commit == commit)


def statuses(call: Call) -> Response:
    """`GET /commits/{ref}/statuses`."""
    return call.page(_statuses_of(call), lambda one: status_shape(call, one))


def _combined(call: Call) -> Response:
    latest: dict[str, Status] = {}
    for one in _statuses_of(call):
        latest.setdefault(one.context, one)
    states = {one.state for one in latest.values()}
    state = "success"
    if states & {"error", "failure"}:
        state = "failure"
    elif not states or "pending" in states:
        state = "pending"
    root = f"{call.base}/repos/{call.repository.full_name}"
    sha = call.commit("ref")

    def simple(one: Status) -> dict[str, Any]:
        shown = status_shape(call, one)
        return {name: value for name, value in shown.items() if name != "creator"}

    kept, headers = call.paged(list(latest.values()))
    shown = {
        "state": state,
        "statuses": [simple(one) for one in kept],
        "sha": sha,
        "total_count": len(latest),
        "repository": minimal_repository(call.base, call.repository),
        "commit_url": f"{root}/commits/{sha}",
        "url": f"{root}/commits/{sha}/status",
    }
    return json_response(200, shown, headers)


def _set_status(call: Call) -> Response:
    state, repository, content = call.state, call.repository, call.content
    commit = repository.git.resolve(call.params["sha"])
    if commit is None or commit != call.params["sha"]:
        raise Refusal(422, f"No commit found for SHA: {call.params['sha']}")
    if content.get("state") not in STATES:
        raise invalid("Status", "state", "state is not included in the list")
    context = text_of(content, "context", "Status", "default")
    if len(context) > _CONTEXT_LIMIT:
        message = f"context is too long (maximum is {_CONTEXT_LIMIT} characters)"
        raise invalid("Status", "context", message)
    description = content.get("description")
    if description is not None and len(description) > _DESCRIPTION_LIMIT:
        message = f"description is too long (maximum is {_DESCRIPTION_LIMIT} characters)"
        raise invalid("Status", "description", message)
    url = content.get("target_url") or None
    if url is not None and not str(url).startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "target_url must use http(s) scheme")
    same = [one for one in repository.statuses if (one.commit, one.context) == (commit, context)]
    if len(same) >= _STATUSES_LIMIT:
        message = "This SHA and context has reached the maximum number of statuses."
        raise Refusal(422, "Validation Failed", [{"resource": "Status", "message": message}])
    made = Status(
        state.next_id(),
        commit,
        context,
        content["state"],
        description,
        url,
        call.actor,
        call.acting.app,
        state.clock.now(),
    )
    repository.statuses.append(made)
    facts = {"id": made.id, "sha": commit, "state": made.state, "context": context}
    emit(state, repository, call.acting, "status", {**facts, "description": description})
    merge_armed(state, repository)
    return json_response(201, status_shape(call, made))


def _ref_shape(call: Call, ref: str, sha: str) -> dict[str, Any]:
    root = f"{call.base}/repos/{call.repository.full_name}/git"
    return {
        "ref": ref,
        "node_id": node_id("Ref", f"{call.repository.full_name}:{ref}"),
        "url": f"{root}/{ref}",
        "object": {"sha": sha, "type": "commit", "url": f"{root}/commits/{sha}"},
    }


def _get_ref(call: Call) -> Response:
    ref = f"refs/{call.params['ref']}"
    sha = call.repository.git.ref(ref)
    if sha is None:
        raise not_found()
    return json_response(200, _ref_shape(call, ref, sha))


def _matching_refs(call: Call) -> Response:
    wanted = f"refs/{call.params['ref']}"
    refs = call.repository.git.refs("refs/")
    found = [(ref, sha) for ref, sha in refs.items() if ref.startswith(wanted)]
    return call.page(found, lambda one: _ref_shape(call, *one))


def _create_ref(call: Call) -> Response:
    git = call.repository.git
    ref, sha = text_of(call.content, "ref", "Reference"), text_of(call.content, "sha", "Reference")
    if ref.count("/") < 2 or not ref.startswith(("refs/heads/", "refs/tags/")):
        raise Refusal(422, "Reference name must start with 'refs/'.")
    if not git.succeeds("check-ref-format", ref):
        raise Refusal(422, f"{ref} is not a valid ref name.")
    if git.resolve(sha) != sha:
        raise Refusal(422, "Object does not exist")
    if git.ref(ref) is not None:
        raise Refusal(422, "Reference already exists")
    refuse_workflows(call, None, sha)
    _refuse_by_rules(call, ref, None, sha)
    if not git.move(ref, sha, None):
        raise Refusal(422, f"{ref} cannot be created beside the refs that are there")
    moved(call.state, call.repository, ref, None, sha, call.acting)
    return json_response(201, _ref_shape(call, ref, sha))


def _refuse_by_rules(
    call: Call, ref: str, old: str | None, new: str | None, *, forced: bool = False
) -> None:
    found = refusals(call.repository, ref, old, new, call.acting, forced=forced)
    if found:
        raise Refusal(422, violation(found))


def refuse_workflows(call: Call, old: str | None, new: str) -> None:
    """Refuse what would change a workflow file with a token that has no right to.

    A new ref is let through where its commit is known: nothing new comes with it.
    """
    token, git = call.acting, call.repository.git
    if token.scopes is None or token.grants("workflows", "write") or old is None:
        return
    for change in git.changes(old, new):
        if change.path.startswith(".github/workflows/"):
            raise Refusal(
                403,
                f"refusing to allow a GitHub App to create or update workflow `{change.path}` "
                "without `workflows` permission",
            )


def _update_ref(call: Call) -> Response:
    git, ref = call.repository.git, f"refs/{call.params['ref']}"
    sha = text_of(call.content, "sha", "Reference")
    old = git.ref(ref)
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if git.resolve(sha) != sha:
        raise Refusal(422, "Object does not exist")
    forced = not git.is_ancestor(old, sha)
    if forced and not call.content.get("force", False):
        raise Refusal(422, "Update is not a fast forward")
    refuse_workflows(call, old, sha)
    _refuse_by_rules(call, ref, old, sha, forced=forced)
    assert git.move(ref, sha, old), "requests are handled one after the other"
    moved(call.state, call.repository, ref, old, sha, call.acting)
    return json_response(200, _ref_shape(call, ref, sha))


def _delete_ref(call: Call) -> Response:
    git, ref = call.repository.git, f"refs/{call.params['ref']}"
    old = git.ref(ref)
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if ref == f"refs/heads/{call.repository.default_branch}":
        raise Refusal(422, "Cannot delete the default branch")
    _refuse_by_rules(call, ref, old, None)
    assert git.move(ref, None, old), "requests are handled one after the other"
    moved(call.state, call.repository, ref, old, None, call.acting)
    return nothing()


def _branch(call: Call) -> Response:
    repository, name = call.repository, call.params["branch"]
    sha = repository.git.branch(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    url = f"{call.base}/repos/{repository.full_name}/branches/{name}"
    protected = any(True for _ in rules_of(repository, f"refs/heads/{name}", None))
    shown = {
        "name": name,
        "commit": commit_shape(call.base, call.state, repository, sha),
        "_links": {"self": url, "html": f"{call.base}/{repository.full_name}/tree/{name}"},
        "protected": protected,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }
    return json_response(200, shown)


def _contents(call: Call) -> Response:
    repository, path = call.repository, call.params["path"].strip("/")
    ref = call.request.query.get("ref") or repository.default_branch
    commit = repository.git.resolve(ref) or repository.git.branch(ref)
    content = None if commit is None else repository.git.read(commit, path)
    if commit is None or content is None:
        raise not_found()
    folder, _, name = path.rpartition("/")
    sha = next(one[2] for one in repository.git.listing(commit, folder) if one[3] == name)
    root = f"{call.base}/repos/{repository.full_name}"
    url = f"{root}/contents/{path}?ref={ref}"
    page = f"{call.base}/{repository.full_name}/blob/{ref}/{path}"
    shown = {
        "type": "file",
        "encoding": "base64",
        "size": len(content),
        "name": name,
        "path": path,
        "content": base64.encodebytes(content).decode(),
        "sha": sha,
        "url": url,
        "git_url": f"{root}/git/blobs/{sha}",
        "html_url": page,
        "download_url": page.replace("/blob/", "/raw/"),
        "_links": {"git": f"{root}/git/blobs/{sha}", "self": url, "html": page},
    }
    return json_response(200, shown)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "", _repository, reading()),
    route("PATCH", "", _change_repository, administering()),
    route("GET", "commits", _commits, reading("contents")),
    route("GET", "commits/{ref}/statuses", statuses, reading("statuses")),
    route("GET", "commits/{ref}/status", _combined, reading("statuses")),
    route("GET", "commits/{ref}", _commit, reading("contents")),
    route("POST", "statuses/{sha}", _set_status, writing("statuses")),
    route("GET", "git/ref/{ref}", _get_ref, reading("contents")),
    route("GET", "git/matching-refs/{ref}", _matching_refs, reading("contents")),
    route("POST", "git/refs", _create_ref, writing("contents")),
    route("PATCH", "git/refs/{ref}", _update_ref, writing("contents")),
    route("DELETE", "git/refs/{ref}", _delete_ref, writing("contents")),
    route("GET", "branches/{branch}", _branch, reading("contents")),
    route("GET", "contents/{path}", _contents, reading("contents")),
)
