"""Issues, comments, labels and timelines over REST."""

from __future__ import annotations

from typing import Any, Final

from tests.forge.calls import Call, Route, reading, route, writing
from tests.forge.events import emit
from tests.forge.messages import (
    Refusal,
    Response,
    invalid,
    json_response,
    not_found,
    stamp,
    text_of,
)
from tests.forge.moving import close, emit_pull, note
from tests.forge.pull_shapes import comment_shape, issue_shape, labels_of, timeline
from tests.forge.records import Comment, Issue, Label, Pull
from tests.forge.shapes import label as label_shape
from tests.forge.state import Repository, State

COMMENT_LIMIT: Final = 65_536
"""Characters of a comment or of the text of an issue."""


def _issue(call: Call) -> Issue:
    found = call.repository.issues.get(call.number("issue_number"))
    if found is None:
        raise not_found()
    return found


def _shape(call: Call, issue: Issue) -> dict[str, Any]:
    return issue_shape(call.base, call.state, call.repository, issue)


def _limited(body: object, resource: str) -> str:
    if not isinstance(body, str) or not body.strip():
        raise invalid(resource, "body", code="missing_field")
    if len(body) > COMMENT_LIMIT:
        message = f"body is too long (maximum is {COMMENT_LIMIT} characters)"
        raise invalid(resource, "body", message)
    return body


def _get(call: Call) -> Response:
    return json_response(200, _shape(call, _issue(call)))


def _list(call: Call) -> Response:
    query = call.request.query
    state = query.get("state", "open")
    wanted = {one.strip().lower() for one in query.get("labels", "").split(",") if one.strip()}
    since = query.get("since", "")
    found = [
        one
        for one in call.repository.issues.values()
        if state in ("all", one.state)
        and wanted <= {name.lower() for name in one.labels}
        and (not since or stamp(one.updated_at) >= since)
        and query.get("creator", one.author.login) == one.author.login
    ]
    by_update = query.get("sort") == "updated"
    found.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.number))
    ascending = query.get("direction") == "asc"
    return call.page(found if ascending else found[::-1], lambda one: _shape(call, one))


def _create(call: Call) -> Response:
    state, repository, actor = call.state, call.repository, call.actor
    title = text_of(call.content, "title", "Issue")
    body = call.content.get("body")
    if body:
        _limited(body, "Issue")
    at = state.clock.now()
    number = max(repository.issues, default=0) + 1
    made = Issue(state.next_id(), number, title, body, actor, at, at, app=call.acting.app)
    repository.issues[number] = made
    # Labels of somebody who may not set any are dropped without a word.
    if call.acting.scopes is not None or repository.allows(actor, "triage"):
        _add_labels(call, made, call.content.get("labels", []), quiet=True)
    content = {"action": "opened", "issue": issue_shape(state.base, state, repository, made)}
    emit(state, repository, call.acting, "issues", content)
    for name in made.labels:
        shown = label_shape(state.base, repository, repository.labels[name.lower()])
        _emit_issue(call, made, "labeled", label=shown)
    return json_response(201, _shape(call, made))


def _update(call: Call) -> Response:
    state, repository, issue, actor = call.state, call.repository, _issue(call), call.actor
    is_own = issue.author.id == actor.id
    if not is_own and call.acting.scopes is None and not repository.allows(actor, "triage"):
        raise not_found()
    if "title" in call.content and call.content["title"] != issue.title:
        before, issue.title = issue.title, text_of(call.content, "title", "Issue")
        note(state, issue, "renamed", actor, rename={"from": before, "to": issue.title})
    if "body" in call.content:
        issue.body = call.content["body"]
        issue.updated_at = state.clock.now()
    if "labels" in call.content:
        _set_labels(call, issue, [_label_name(one) for one in call.content["labels"]])
    wanted = call.content.get("state", issue.state)
    if wanted == "closed" and issue.state == "open":
        issue.state_reason = call.content.get("state_reason")
        close(state, repository, issue, call.acting)
        if not isinstance(issue, Pull):
            _emit_issue(call, issue, "closed")
    elif wanted == "open" and issue.state == "closed" and not isinstance(issue, Pull):
        issue.state, issue.closed_at, issue.closed_by = "open", None, None
        issue.state_reason = "reopened"
        note(state, issue, "reopened", actor)
        _emit_issue(call, issue, "reopened")
    return json_response(200, _shape(call, issue))


def _emit_issue(call: Call, issue: Issue, action: str, **facts: Any) -> None:
    state, repository = call.state, call.repository
    if isinstance(issue, Pull):
        emit_pull(state, repository, call.acting, issue, action, **facts)
        return
    shown = issue_shape(state.base, state, repository, issue)
    emit(state, repository, call.acting, "issues", {"action": action, "issue": shown, **facts})


def _timeline(call: Call) -> Response:
    return call.page(
        timeline(call.base, call.state, call.repository, _issue(call)), lambda one: one
    )


def _comments(call: Call) -> Response:
    number, repository = _issue(call).number, call.repository
    found = [one for one in repository.comments.values() if one.number == number]
    return call.page(found, lambda one: comment_shape(call.base, repository, one))


def _say(call: Call) -> Response:
    state, repository, issue = call.state, call.repository, _issue(call)
    body = _limited(call.content.get("body"), "IssueComment")
    at = state.clock.now()
    made = Comment(state.next_id(), issue.number, call.actor, body, at, at, app=call.acting.app)
    repository.comments[made.id] = made
    issue.updated_at = at
    _emit_comment(call, issue, made, "created")
    return json_response(201, comment_shape(call.base, repository, made))


def _emit_comment(call: Call, issue: Issue, comment: Comment, action: str, **facts: Any) -> None:
    state, repository = call.state, call.repository
    content = {
        "action": action,
        "issue": issue_shape(state.base, state, repository, issue),
        "comment": comment_shape(state.base, repository, comment),
        **facts,
    }
    emit(state, repository, call.acting, "issue_comment", content)


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _get_comment(call: Call) -> Response:
    return json_response(200, comment_shape(call.base, call.repository, _comment(call)))


def _rewrite(call: Call) -> Response:
    comment, repository = _comment(call), call.repository
    is_own = comment.author.id == call.actor.id
    if not is_own and call.acting.scopes is None and not repository.allows(call.actor, "write"):
        raise Refusal(403, "Must have admin rights to Repository.")
    before = comment.body
    comment.body = _limited(call.content.get("body"), "IssueComment")
    comment.updated_at = call.state.clock.now()
    issue = repository.issues[comment.number]
    _emit_comment(call, issue, comment, "edited", changes={"body": {"from": before}})
    return json_response(200, comment_shape(call.base, repository, comment))


def _label_name(raw: object) -> str:
    if isinstance(raw, dict):
        raw = raw.get("name")
    if not isinstance(raw, str) or not raw:
        raise invalid("Label", "name", code="missing_field")
    return raw


def ensure_label(state: State, repository: Repository, name: str) -> Label:
    """The label of a name, made where there is none yet."""
    found = repository.labels.get(name.lower())
    if found is None:
        found = Label(state.next_id(), name)
        repository.labels[name.lower()] = found
    return found


def _add_labels(call: Call, issue: Issue, wanted: list[object], *, quiet: bool = False) -> None:
    for raw in wanted:
        label = ensure_label(call.state, call.repository, _label_name(raw))
        if label.name in issue.labels:
            continue
        issue.labels.append(label.name)
        facts = {"name": label.name, "color": label.color}
        note(call.state, issue, "labeled", call.actor, label=facts)
        if not quiet:
            shown = label_shape(call.state.base, call.repository, label)
            _emit_issue(call, issue, "labeled", label=shown)


def _remove_label(call: Call, issue: Issue, name: str) -> None:
    label = call.repository.labels[name.lower()]
    issue.labels.remove(label.name)
    facts = {"name": label.name, "color": label.color}
    note(call.state, issue, "unlabeled", call.actor, label=facts)
    shown = label_shape(call.state.base, call.repository, label)
    _emit_issue(call, issue, "unlabeled", label=shown)


def _set_labels(call: Call, issue: Issue, wanted: list[str]) -> None:
    for name in list(issue.labels):
        if name not in wanted:
            _remove_label(call, issue, name)
    _add_labels(call, issue, list(wanted))


def _label(call: Call) -> Response:
    issue = _issue(call)
    _add_labels(call, issue, call.content.get("labels", []))
    return json_response(200, labels_of(call.base, call.repository, issue))


def _unlabel(call: Call) -> Response:
    issue, name = _issue(call), call.params["name"]
    if name.lower() not in {one.lower() for one in issue.labels}:
        raise Refusal(404, "Label does not exist")
    _remove_label(call, issue, name)
    return json_response(200, labels_of(call.base, call.repository, issue))


def _labels(call: Call) -> Response:
    repository = call.repository
    found = sorted(repository.labels.values(), key=lambda one: one.name.lower())
    return call.page(found, lambda one: label_shape(call.base, repository, one))


def _get_label(call: Call) -> Response:
    found = call.repository.labels.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return json_response(200, label_shape(call.base, call.repository, found))


def _create_label(call: Call) -> Response:
    name = text_of(call.content, "name", "Label")
    if name.lower() in call.repository.labels:
        raise invalid("Label", "name", code="already_exists")
    made = ensure_label(call.state, call.repository, name)
    made.color = text_of(call.content, "color", "Label", "ededed")
    made.description = call.content.get("description")
    return json_response(201, label_shape(call.base, call.repository, made))


def _update_label(call: Call) -> Response:
    found = call.repository.labels.pop(call.params["name"].lower(), None)
    if found is None:
        raise not_found()
    before = found.name
    found.name = text_of(call.content, "new_name", "Label", found.name)
    found.color = text_of(call.content, "color", "Label", found.color)
    found.description = call.content.get("description", found.description)
    call.repository.labels[found.name.lower()] = found
    for issue in call.repository.issues.values():
        issue.labels = [found.name if one == before else one for one in issue.labels]
    return json_response(200, label_shape(call.base, call.repository, found))


_ISSUE: Final = "issues/{issue_number}"
_COMMENT: Final = "issues/comments/{comment_id}"
ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "issues", _list, reading("issues")),
    route("POST", "issues", _create, writing("issues", "read")),
    route("GET", _COMMENT, _get_comment, reading("issues")),
    route("PATCH", _COMMENT, _rewrite, writing("issues", "read")),
    route("GET", _ISSUE, _get, reading("issues")),
    route("PATCH", _ISSUE, _update, writing("issues", "read")),
    route("GET", f"{_ISSUE}/timeline", _timeline, reading("issues")),
    route("GET", f"{_ISSUE}/comments", _comments, reading("issues")),
    route("POST", f"{_ISSUE}/comments", _say, writing("issues", "read")),
    route("POST", f"{_ISSUE}/labels", _label, writing("issues", "triage")),
    route("DELETE", f"{_ISSUE}/labels/{{name}}", _unlabel, writing("issues", "triage")),
    route("GET", "labels", _labels, reading("issues")),
    route("POST", "labels", _create_label, writing("issues", "triage")),
    route("GET", "labels/{name}", _get_label, reading("issues")),
    route("PATCH", "labels/{name}", _update_label, writing("issues", "triage")),
)
