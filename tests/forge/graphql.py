"""The GraphQL API: the few mutations that are used, their answers cut to what is asked."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.forge.calls import NOT_BY_INTEGRATION, Call, Route, route
from tests.forge.commits import refuse_workflows
from tests.forge.gitobjects import GitFailed
from tests.forge.merging import METHODS, github_person, merge_armed
from tests.forge.messages import Refusal, Response, json_response, stamp
from tests.forge.moving import arm, disarm, moved
from tests.forge.pull_shapes import merge_result
from tests.forge.records import Pull
from tests.forge.rulesets import merge_refusals, refusals, violation
from tests.forge.shapes import node_id, read_node_id
from tests.forge.state import Repository

_TOKEN: Final = re.compile(
    r'\s*(?:(\.\.\.|[{}()\[\]:!=$,])|("(?:\\.|[^"\\])*")|([^\s{}()\[\]:!=$,]+))'
)
_LEAST_OID: Final = 40


class GraphError(Exception):
    """The query is answered with an error of this type."""

    def __init__(self, kind: str, message: str) -> None:
        """Say no."""
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Field:
    """One field that a query asks for."""

    name: str
    alias: str
    arguments: dict[str, str] = field(default_factory=dict)
    """By name: `$variable`, or a literal as it is written."""
    fields: list[Field] = field(default_factory=list)


def parse(query: str) -> tuple[str, list[Field]]:
    """Read an operation: `query` or `mutation`, and its fields.

    Raises:
        GraphError: This is no query that the few rules here can read.
    """
    tokens = [next(one for one in found if one) for found in _TOKEN.findall(query)]
    if not tokens or "{" not in tokens:
        raise GraphError("", "A query attribute must be specified and must be a string.")
    kind = tokens[0] if tokens[0] in ("query", "mutation") else "query"
    depth = 0
    for number, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if token == "{" and depth == 0:
            fields, _ = _read_fields(tokens, number + 1)
            return kind, fields
    raise GraphError("", "Parse error")


def _read_fields(tokens: list[str], at: int) -> tuple[list[Field], int]:
    found: list[Field] = []
    while at < len(tokens):
        token = tokens[at]
        if token == "}":
            return found, at + 1
        if token in (",",):
            at += 1
            continue
        if token == "{":
            if not found:
                raise GraphError("", 'Parse error on "{" (LCURLY)')
            found[-1].fields, at = _read_fields(tokens, at + 1)
        elif token == "(":
            found[-1].arguments, at = _read_arguments(tokens, at + 1)
        elif token == "...":
            # `... on Type { }`: the fields of the type join those around it.
            inner, at = _read_fields(tokens, tokens.index("{", at) + 1)
            found += inner
        elif at + 1 < len(tokens) and tokens[at + 1] == ":":
            found.append(Field(tokens[at + 2], token))
            at += 3
        else:
            found.append(Field(token, token))
            at += 1
    raise GraphError("", "Unexpected end of document")


def _read_arguments(tokens: list[str], at: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while tokens[at] != ")":
        if tokens[at] == ",":
            at += 1
            continue
        name, at = tokens[at], at + 2
        if tokens[at] == "$":
            found[name] = f"${tokens[at + 1]}"
            at += 2
        elif tokens[at] == "{":
            raise GraphError("", f"Argument '{name}' has to be given as a variable here")
        else:
            found[name] = tokens[at]
            at += 1
    return found, at + 1


def _cut(content: Any, wanted: list[Field], kind: str) -> Any:
    """Keep what was asked for; a field that is not known is an error, as it is at GitHub."""
    if isinstance(content, list):
        return [_cut(one, wanted, kind) for one in content]
    if not isinstance(content, Mapping):
        return content
    if not wanted:
        raise GraphError("", f"Field must have selections (field '{kind}' returns an object)")
    kept = {}
    for one in wanted:
        if one.name != "__typename" and one.name not in content:
            raise GraphError("undefinedField", f"Field '{one.name}' doesn't exist on '{kind}'")
        kept[one.alias] = _cut(content.get(one.name), one.fields, one.name)
    return kept


def _create_commit(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    target, state = given.get("branch") or {}, call.state
    repository, ref = _branch_of(call, target)
    _require_scope(call, repository, "contents")
    git = repository.git
    head = git.ref(ref)
    if head is None:
        name = ref.removeprefix("refs/heads/")
        raise GraphError("NOT_FOUND", f"Could not resolve to a Ref with the name '{name}'.")
    expected = str(given.get("expectedHeadOid") or "")
    if len(expected) != _LEAST_OID:
        raise GraphError("argumentLiteralsIncompatible", "expectedHeadOid is not a GitObjectID")
    if expected != head:
        raise GraphError(
            "STALE_DATA",
            f'Expected branch to point to "{expected}" but it did not.  Pull and try again.',
        )
    additions, deletions = _file_changes(call, repository, head, given)
    try:
        tree = git.tree_with(head, additions, deletions)
    except GitFailed as error:
        raise GraphError("UNPROCESSABLE", f"A path cannot be written: {error}") from error
    words = given.get("message") or {}
    headline, body = str(words.get("headline") or ""), str(words.get("body") or "")
    if not headline:
        raise GraphError("UNPROCESSABLE", "A commit message headline is required")
    message = f"{headline}\n\n{body}" if body else headline
    author = call.actor.person(state.clock.now())
    made = git.write_commit(tree, (head,), author, github_person(state), message, signed=True)
    _refuse(call, repository, ref, head, made)
    assert git.move(ref, made, head), "requests are handled one after the other"
    moved(state, repository, ref, head, made, call.acting)
    return {
        "clientMutationId": given.get("clientMutationId"),
        "commit": {
            "__typename": "Commit",
            "id": node_id("Commit", made),
            "oid": made,
            "abbreviatedOid": made[:7],
            "url": f"{call.base}/{repository.full_name}/commit/{made}",
            "committedDate": stamp(state.clock.now()),
            "messageHeadline": headline,
            "tree": {"oid": tree},
            "signature": {"isValid": True, "state": "VALID", "wasSignedByGitHub": True},
        },
        "ref": {
            "id": node_id("Ref", f"{repository.full_name}:{ref}"),
            "name": ref.removeprefix("refs/heads/"),
            "prefix": "refs/heads/",
            "target": {"oid": made},
        },
    }


def _refuse(call: Call, repository: Repository, ref: str, head: str, made: str) -> None:
    found = refusals(repository, ref, head, made, call.acting)
    if found:
        raise GraphError("UNPROCESSABLE", violation(found))
    try:
        refuse_workflows(Call(call.state, call.request, _names(repository), call.token), head, made)
    except Refusal as error:
        raise GraphError("FORBIDDEN", error.message) from error


def _names(repository: Repository) -> dict[str, str]:
    return {"owner": repository.owner.login, "repo": repository.name}


def _branch_of(call: Call, target: Mapping[str, Any]) -> tuple[Repository, str]:
    full_name, name = target.get("repositoryNameWithOwner"), target.get("branchName")
    if target.get("id"):
        kind, _, rest = read_node_id(str(target["id"])).partition(":")
        full_name, _, name = rest.partition(":") if kind == "Ref" else ("", "", "")
    repository = call.state.repository(str(full_name or ""))
    if repository is None or not name or not repository.allows(call.account, "read"):
        raise GraphError(
            "NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'."
        )
    ref = str(name)
    return repository, ref if ref.startswith("refs/") else f"refs/heads/{ref}"


def _require_scope(call: Call, repository: Repository, scope: str) -> None:
    if not call.acting.grants(scope, "write"):
        raise GraphError("FORBIDDEN", NOT_BY_INTEGRATION)
    if call.acting.scopes is None and not repository.allows(call.account, "write"):
        message = f"{call.actor.login} does not have the correct permissions to execute this."
        raise GraphError("FORBIDDEN", message)


def _file_changes(
    call: Call, repository: Repository, head: str, given: Mapping[str, Any]
) -> tuple[dict[str, bytes], list[str]]:
    changes = given.get("fileChanges") or {}
    additions: dict[str, bytes] = {}
    for one in changes.get("additions") or []:
        try:
            content = base64.b64decode(str(one["contents"]).encode(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise GraphError("UNPROCESSABLE", "contents is not valid base64") from error
        additions[_path(one)] = content
    deletions = [_path(one) for one in changes.get("deletions") or []]
    if set(additions) & set(deletions):
        raise GraphError("UNPROCESSABLE", "A path was requested for addition and deletion")
    for path in deletions:
        if repository.git.read(head, path) is None:
            raise GraphError(
                "UNPROCESSABLE",
                f"A path was requested for deletion which does not exist as of commit oid `{head}`",
            )
    for path in additions:
        parents = ["/".join(path.split("/")[:number]) for number in range(1, path.count("/") + 1)]
        blocked = [one for one in parents if repository.git.read(head, one) is not None]
        is_folder = repository.git.succeeds("rev-parse", "--verify", f"{head}:{path}/")
        if set(blocked) - set(deletions) or is_folder:
            raise GraphError("UNPROCESSABLE", f"The path {path!r} is a file and a folder at once")
    return additions, deletions


def _path(change: Mapping[str, Any]) -> str:
    path = str(change.get("path") or "")
    parts = path.split("/")
    if not path or path.startswith("/") or {"", ".", "..", ".git"} & set(parts):
        raise GraphError("UNPROCESSABLE", f"The path {path!r} is malformed")
    return path


def _pull_of(call: Call, given: Mapping[str, Any]) -> tuple[Repository, Pull]:
    kind, _, rest = read_node_id(str(given.get("pullRequestId") or "")).partition(":")
    full_name, _, number = rest.partition("#")
    repository = call.state.repository(full_name) if kind == "PullRequest" else None
    pull = repository.pull(int(number)) if repository is not None else None
    if repository is None or pull is None:
        raise GraphError("NOT_FOUND", "Could not resolve to a node with the global id")
    _require_scope(call, repository, "pull_requests")
    return repository, pull


def _pull_shape(pull: Pull) -> dict[str, Any]:
    armed = pull.auto_merge
    shown = None if armed is None else {"enabledBy": {"login": armed.enabled_by.login}}
    return {"number": pull.number, "state": pull.state.upper(), "autoMergeRequest": shown}


def _arm(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    repository, pull = _pull_of(call, given)
    method = str(given.get("mergeMethod") or "MERGE").lower()
    if not repository.settings["allow_auto_merge"]:
        raise GraphError("UNPROCESSABLE", "Auto merge is not allowed for this repository")
    if method not in METHODS or not repository.settings[METHODS[method][0]]:
        raise GraphError("UNPROCESSABLE", f"Merge method {method} is not allowed")
    if pull.state != "open":
        raise GraphError("UNPROCESSABLE", "Pull request is closed")
    mergeable = merge_result(call.state, repository, pull) is not None
    if mergeable and not pull.is_draft and not merge_refusals(repository, pull, None, method):
        raise GraphError("UNPROCESSABLE", "Pull request Pull request is in clean status")
    title, body = str(given.get("commitHeadline") or ""), str(given.get("commitBody") or "")
    arm(call.state, pull, call.acting, method, title, body)
    merge_armed(call.state, repository)
    return {"clientMutationId": given.get("clientMutationId"), "pullRequest": _pull_shape(pull)}


def _disarm(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    _, pull = _pull_of(call, given)
    if pull.auto_merge is not None:
        disarm(call.state, pull, call.actor)
    return {"clientMutationId": given.get("clientMutationId"), "pullRequest": _pull_shape(pull)}


_MUTATIONS: Final[Mapping[str, Callable[[Call, Mapping[str, Any]], dict[str, Any]]]] = {
    "createCommitOnBranch": _create_commit,
    "enablePullRequestAutoMerge": _arm,
    "disablePullRequestAutoMerge": _disarm,
}


def _viewer(call: Call) -> dict[str, Any]:
    account = call.actor
    return {"login": account.login, "databaseId": account.id, "__typename": account.kind}


def handle(call: Call) -> Response:
    """`POST /graphql`: 200, whatever became of it."""
    query, variables = call.content.get("query"), call.content.get("variables") or {}
    if not isinstance(query, str):
        message = "A query attribute must be specified and must be a string."
        return json_response(200, {"errors": [{"message": message}]})
    try:
        kind, fields = parse(query)
    except GraphError as error:
        return json_response(200, {"errors": [{"message": str(error)}]})
    data: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for one in fields:
        try:
            made = _answer(call, kind, one, variables)
            data[one.alias] = _cut(made, one.fields, f"{one.name[0].upper()}{one.name[1:]}Payload")
        except GraphError as error:
            data[one.alias] = None
            shown: dict[str, Any] = {"type": error.kind} if error.kind else {}
            shown["path"] = [one.alias]
            shown["locations"] = [{"line": 1, "column": 1}]
            shown["message"] = str(error)
            errors.append(shown)
            break
    return json_response(200, {"data": data, **({"errors": errors} if errors else {})})


def _answer(call: Call, kind: str, asked: Field, variables: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "query" and asked.name == "viewer":
        return _viewer(call)
    mutation = _MUTATIONS.get(asked.name)
    if kind != "mutation" or mutation is None:
        owner = "Mutation" if kind == "mutation" else "Query"
        raise GraphError("undefinedField", f"Field '{asked.name}' doesn't exist on type '{owner}'")
    name = asked.arguments.get("input", "")
    given = variables.get(name.removeprefix("$")) if name.startswith("$") else None
    if not isinstance(given, dict):
        raise GraphError("", f"Variable {name or '$input'} was provided invalid value")
    return mutation(call, given)


ROUTES: Final[tuple[Route, ...]] = (route("POST", "/graphql", handle),)
