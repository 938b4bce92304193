"""Pull requests over REST: listing, opening, changing, reviewing."""

from __future__ import annotations

from typing import Any, Final

from tests.forge.accounts import Account
from tests.forge.calls import Call, Route, reading, route, writing
from tests.forge.events import emit
from tests.forge.faults import without_merge
from tests.forge.merging import merge
from tests.forge.messages import Refusal, Response, invalid, json_response, not_found, text_of
from tests.forge.moving import bring_head, close, emit_pull, note, note_commits
from tests.forge.pull_shapes import (
    COMMITS_LIMIT,
    FILES_LIMIT,
    base_of,
    pull_full,
    pull_simple,
    review_shape,
)
from tests.forge.records import Pull, Review
from tests.forge.shapes import commit_shape, file_change, user
from tests.forge.state import Repository

_REVIEWS: Final = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


def _full(call: Call, pull: Pull) -> dict[str, Any]:
    shown = pull_full(call.base, call.state, call.repository, pull)
    lagging = call.fault is not None and call.fault.kind == "lag_merged"
    return without_merge(shown) if lagging else shown


def _simple(call: Call, pull: Pull) -> dict[str, Any]:
    shown = pull_simple(call.base, call.state, call.repository, pull)
    lagging = call.fault is not None and call.fault.kind == "lag_merged"
    return without_merge(shown) if lagging else shown


def _get(call: Call) -> Response:
    return json_response(200, _full(call, call.pull()))


def _list(call: Call) -> Response:
    query = call.request.query
    state = query.get("state", "open")
    if state not in ("open", "closed", "all"):
        raise invalid("PullRequest", "state", code="invalid")
    lagging = call.fault is not None and call.fault.kind == "lag_merged"
    found = [
        one
        for one in call.repository.pulls()
        if (state == "all" or one.state == state or (lagging and one.merged_at is not None))
        and query.get("base", one.base_ref) == one.base_ref
        and query.get("head", f"{one.head_owner.login}:{one.head_ref}")
        == f"{one.head_owner.login}:{one.head_ref}"
    ]
    by_update = query.get("sort", "created") == "updated"
    # The number breaks ties, as times are in whole seconds.
    found.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.number))
    descending = query.get("direction", "asc" if "sort" in query else "desc") == "desc"
    return call.page(found[::-1] if descending else found, lambda one: _simple(call, one))


def _of_commit(call: Call) -> Response:
    if call.fault is not None and call.fault.kind == "lag_commit_pulls":
        return json_response(200, [])
    repository, commit = call.repository, call.commit("commit_sha")
    git = repository.git
    tip = git.branch(repository.default_branch)
    on_main = tip is not None and git.is_ancestor(commit, tip)
    found = []
    for pull in repository.pulls():
        if pull.merge_commit == commit and pull.merged_at is not None:
            found.append(pull)
        elif pull.merged_at is None and (on_main or pull.state == "closed"):
            continue
        elif git.is_ancestor(commit, pull.head) and not git.is_ancestor(
            commit, base_of(repository, pull)
        ):
            found.append(pull)
    return call.page(found, lambda one: pull_simple(call.base, call.state, repository, one))


def _files(call: Call) -> Response:
    repository, pull = call.repository, call.pull()
    git = repository.git
    start = git.merge_base(base_of(repository, pull), pull.head) or pull.base
    changes = git.changes(start, pull.head)[:FILES_LIMIT]
    return call.page(changes, lambda one: file_change(call.base, repository, pull.head, one))


def _commits(call: Call) -> Response:
    repository, pull = call.repository, call.pull()
    found = repository.git.between(base_of(repository, pull), pull.head, COMMITS_LIMIT)
    return call.page(found, lambda one: commit_shape(call.base, call.state, repository, one))


def _create(call: Call) -> Response:
    state, repository, actor = call.state, call.repository, call.actor
    may_create = repository.workflow_permissions["can_approve_pull_request_reviews"]
    if call.acting.is_of_actions and not may_create:
        raise Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
    title = text_of(call.content, "title", "PullRequest")
    base_ref = text_of(call.content, "base", "PullRequest")
    source, head_ref, head = _head_of(call)
    base = repository.git.branch(base_ref)
    if base is None:
        raise invalid("PullRequest", "base", code="invalid")
    label = f"{source.owner.login}:{head_ref}"
    for one in repository.open_pulls():
        same = (one.head_repository, one.head_ref, one.base_ref)
        if same == (source.full_name, head_ref, base_ref):
            raise _custom(f"A pull request already exists for {label}.")
    at = state.clock.now()
    made = Pull(
        state.next_id(),
        _next_number(repository),
        title,
        call.content.get("body"),
        actor,
        at,
        at,
        app=call.acting.app,
        head_repository=source.full_name,
        head_owner=source.owner,
        head_ref=head_ref,
        head=head,
        base_ref=base_ref,
        base=base,
        is_draft=bool(call.content.get("draft", False)),
    )
    bring_head(state, repository, made)
    if not repository.git.count_between(base, head):
        repository.git.move(f"refs/pull/{made.number}/head", None, head)
        raise _custom(f"No commits between {base_ref} and {head_ref}")
    repository.issues[made.number] = made
    note_commits(state, repository, made, base, actor)
    emit_pull(state, repository, call.acting, made, "opened")
    return json_response(201, _full(call, made))


def _custom(message: str) -> Refusal:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return Refusal(422, "Validation Failed", [error])


def _next_number(repository: Repository) -> int:
    return max(repository.issues, default=0) + 1


def _head_of(call: Call) -> tuple[Repository, str, str]:
    wanted = text_of(call.content, "head", "PullRequest")
    owner, _, branch = wanted.rpartition(":")
    source = call.repository
    if owner and owner.lower() != source.owner.login.lower():
        forks = [
            one
            for one in call.state.repositories.values()
            if one.parent == source.full_name and one.owner.login.lower() == owner.lower()
        ]
        if not forks:
            raise invalid("PullRequest", "head", code="invalid")
        source = forks[0]
    head = source.git.branch(branch)
    if head is None:
        raise invalid("PullRequest", "head", code="invalid")
    if call.acting.scopes is None and not source.allows(call.account, "write"):
        raise Refusal(403, "must be a collaborator")
    return source, branch, head


def _update(call: Call) -> Response:
    state, repository, pull, actor = call.state, call.repository, call.pull(), call.actor
    is_own = pull.author.id == actor.id
    if not is_own and call.acting.scopes is None and not repository.allows(actor, "triage"):
        raise not_found()
    if "title" in call.content and call.content["title"] != pull.title:
        before, pull.title = pull.title, text_of(call.content, "title", "PullRequest")
        note(state, pull, "renamed", actor, rename={"from": before, "to": pull.title})
        changes = {"title": {"from": before}}
        emit_pull(state, repository, call.acting, pull, "edited", changes=changes)
    if "body" in call.content:
        pull.body = call.content["body"]
        pull.updated_at = state.clock.now()
    wanted = call.content.get("state", pull.state)
    if wanted not in ("open", "closed"):
        raise invalid("PullRequest", "state", code="invalid")
    if wanted == "closed" and pull.state == "open":
        close(state, repository, pull, call.acting)
    elif wanted == "open" and pull.state == "closed":
        if pull.merged_at is not None:
            raise _custom("state cannot be changed. The pull request was merged.")
        source = state.repository(pull.head_repository)
        if source is None or source.git.branch(pull.head_ref) is None:
            raise _custom(f"state cannot be changed. The {pull.head_ref} branch was deleted.")
        pull.state, pull.closed_at, pull.closed_by = "open", None, None
        note(state, pull, "reopened", actor)
        emit_pull(state, repository, call.acting, pull, "reopened")
    return json_response(200, _full(call, pull))


def _reviews(call: Call) -> Response:
    repository, pull = call.repository, call.pull()
    return call.page(pull.reviews, lambda one: review_shape(call.base, repository, pull, one))


def _review(call: Call) -> Response:
    state, repository, pull, actor = call.state, call.repository, call.pull(), call.actor
    event = call.content.get("event", "PENDING")
    if event not in _REVIEWS:
        raise Refusal(422, "Unprocessable Entity", ["Pending reviews are not kept here"])
    if event != "COMMENT" and pull.author.id == actor.id:
        act = "approve" if event == "APPROVE" else "request changes on"
        raise Refusal(422, "Unprocessable Entity", [f"Can not {act} your own pull request"])
    may_approve = repository.workflow_permissions["can_approve_pull_request_reviews"]
    if event == "APPROVE" and call.acting.is_of_actions and not may_approve:
        reason = "GitHub Actions is not permitted to approve pull requests."
        raise Refusal(422, "Unprocessable Entity", [reason])
    commit = call.content.get("commit_id") or pull.head
    made = Review(
        state.next_id(),
        actor,
        _REVIEWS[event],
        str(call.content.get("body") or ""),
        str(commit),
        state.clock.now(),
    )
    pull.reviews.append(made)
    pull.requested = [one for one in pull.requested if one.id != actor.id]
    pull.updated_at = made.submitted_at
    shown = review_shape(state.base, repository, pull, made)
    content = {
        "action": "submitted",
        "review": {**shown, "state": made.state.lower()},
        "pull_request": pull_simple(state.base, state, repository, pull),
    }
    emit(state, repository, call.acting, "pull_request_review", content)
    return json_response(200, review_shape(call.base, repository, pull, made))


def _dismiss(call: Call) -> Response:
    pull = call.pull()
    for review in pull.reviews:
        if review.id == call.number("review_id"):
            review.state = "DISMISSED"
            facts = {"state": "approved", "review_id": review.id, "dismissal_message": None}
            note(call.state, pull, "review_dismissed", call.actor, dismissed_review=facts)
            return json_response(200, review_shape(call.base, call.repository, pull, review))
    raise not_found()


def _request_reviewers(call: Call) -> Response:
    state, repository, pull = call.state, call.repository, call.pull()
    asked: list[Account] = []
    for login in call.content.get("reviewers", []):
        account = state.account(login)
        if account is not None and account.id == pull.author.id:
            raise Refusal(422, "Review cannot be requested from pull request author.")
        if account is None or not (
            account.id == repository.owner.id or account.id in repository.roles
        ):
            raise Refusal(
                422,
                "Reviews may only be requested from collaborators. One or more of the users or "
                f"teams you specified is not a collaborator of the {repository.full_name} "
                "repository.",
            )
        asked.append(account)
    for account in asked:
        if account not in pull.requested:
            pull.requested.append(account)
            note(
                state,
                pull,
                "review_requested",
                call.actor,
                requested_reviewer=account,
                review_requester=call.actor,
            )
            shown = user(state.base, account)
            emit_pull(
                state, repository, call.acting, pull, "review_requested", requested_reviewer=shown
            )
    return json_response(201, _simple(call, pull))


_PULL: Final = "pulls/{pull_number}"
ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "pulls", _list, reading("pull_requests")),
    route("POST", "pulls", _create, writing("pull_requests", "read")),
    route("GET", _PULL, _get, reading("pull_requests")),
    route("PATCH", _PULL, _update, writing("pull_requests", "read")),
    route("GET", f"{_PULL}/files", _files, reading("pull_requests")),
    route("GET", f"{_PULL}/commits", _commits, reading("pull_requests")),
    route("GET", f"{_PULL}/reviews", _reviews, reading("pull_requests")),
    route("POST", f"{_PULL}/reviews", _review, writing("pull_requests", "read")),
    route("PUT", f"{_PULL}/reviews/{{review_id}}/dismissals", _dismiss, writing("pull_requests")),
    route("PUT", f"{_PULL}/merge", merge, writing("contents")),
    route(
        "POST",
        f"{_PULL}/requested_reviewers",
        _request_reviewers,
        writing("pull_requests", "triage"),
    ),
    route("GET", "commits/{commit_sha}/pulls", _of_commit, reading("pull_requests")),
)
