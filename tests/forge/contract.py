"""Whether what goes over the wire is what GitHub's own description says of the operation."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.forge.calls import Route
from tests.forge.messages import Request, Response

EXTRACT: Final = Path(__file__).with_name("openapi.json")
_BASE: Final = "forge:openapi"
_SHOWN: Final = 3

_SIMPLE_ERRORS: Final = (
    "POST /repos/{owner}/{repo}/rulesets",
    "PUT /repos/{owner}/{repo}/rulesets/{ruleset_id}",
)
"""GitHub lists sentences where these are refused; its description has objects there."""
_UNDESCRIBED: Final = frozenset({401, 403, 404, 409, 410, 422})
"""Refusals that any operation may give; where one is not described, its form still is."""
_NULLS: Final = re.compile(r"head/repo|labels/\d+/description")
"""GitHub gives null where a fork is gone and where a label says nothing; its description of a pull
request does not allow for either."""


@cache
def description() -> Any:
    """The extract of GitHub's description."""
    return json.loads(EXTRACT.read_text())


@cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(description(), default_specification=DRAFT202012)
    made: Registry[Any] = Registry().with_resource(_BASE, resource)
    return made


@cache
def _validator(pointer: str) -> Draft202012Validator:
    schema = {"$ref": f"{_BASE}#{pointer}"}
    kind = validator_for(schema, default=Draft202012Validator)
    made = kind(schema, registry=_registry())
    assert isinstance(made, Draft202012Validator), "the default is meant"
    return made


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def request_errors(name: str, content: Any) -> list[str]:
    """What is wrong with a request by GitHub's description of an operation."""
    pointer = f"/operations/{_escaped(name)}/request"
    return [
        "/".join(("", *(str(part) for part in one.absolute_path)))
        for one in _validator(pointer).iter_errors(content)
    ]


class Contract:
    """Watches a loopback GitHub and keeps everything that is not as GitHub describes it."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.wrong: list[str] = []
        self.seen: set[tuple[str, int]] = set()
        """Operations with the statuses that were seen of them."""

    def watch(self, route: Route, request: Request, response: Response) -> None:
        """Judge one answer and, where it was accepted, the request that led to it."""
        if route.template.startswith("/sim/") or route.template == "/graphql":
            return
        name = f"{route.method} {route.template}"
        self.seen.add((name, response.status))
        operation = description()["operations"].get(name)
        if operation is None:
            self.wrong.append(f"{name}: GitHub has no such operation")
            return
        self._judge_answer(name, operation, response)
        if response.status < 400 and operation["request"] is not None and request.body:
            pointer = f"/operations/{_escaped(name)}/request"
            self._validate(f"request of {name}", pointer, request.json())

    def _judge_answer(self, name: str, operation: Any, response: Response) -> None:
        status = str(response.status)
        if response.status >= 500:
            self.wrong.append(f"{name}: {response.body.decode('utf-8', 'replace')}")
            return
        if status not in operation["responses"]:
            if response.status not in _UNDESCRIBED:
                self.wrong.append(f"{name}: answers {status}, which GitHub does not describe")
                return
            self._validate(f"{name} {status}", "/schemas/basic-error", response.json())
            return
        if operation["responses"][status] is None:
            if response.body and response.status < 400:
                self.wrong.append(f"{name} {status}: has a body, which GitHub does not describe")
            return
        pointer = f"/operations/{_escaped(name)}/responses/{status}"
        if name in _SIMPLE_ERRORS and response.status == 422:
            pointer = "/schemas/validation-error-simple"
        self._validate(f"{name} {status}", pointer, response.json())

    def _validate(self, what: str, pointer: str, content: Any) -> None:
        errors = list(_validator(pointer).iter_errors(content))
        errors = [one for one in errors if not _is_known(one)]
        for error in errors[:_SHOWN]:
            place = "/".join(str(one) for one in error.absolute_path)
            self.wrong.append(f"{what} at /{place}: {error.message[:300]}")


def _is_known(error: Any) -> bool:
    place = "/".join(str(one) for one in error.absolute_path)
    return error.instance is None and bool(re.search(f"(?:{_NULLS.pattern})$", place))
