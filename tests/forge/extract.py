"""Write `openapi.json` anew: GitHub's own description, cut to the operations that are served here.

    python -m tests.forge.extract FOLDER

FOLDER is the unpacked npm package `@octokit/openapi` (MIT): `npm pack @octokit/openapi`, then
`tar -xzf`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.forge.server import Forge
from tests.forge.state import State

TARGET: Final = Path(__file__).with_name("openapi.json")
SOURCE: Final = Path("package/generated/api.github.com.json")
_ARGUMENTS: Final = 2
# Words for people, and examples, are most of the size and none of the contract.
_LEFT_OUT: Final = frozenset(
    {"description", "example", "examples", "externalDocs", "summary", "tags", "title"}
)
_GRAPHQL: Final = "/graphql"


def served() -> list[tuple[str, str]]:
    """Method and path of every REST operation that the loopback GitHub serves."""
    with tempfile.TemporaryDirectory() as folder:
        routes = Forge(State(Path(folder))).routes
    return sorted(
        (one.template, one.method)
        for one in routes
        if not one.template.startswith(("/sim/", _GRAPHQL))
    )


def extract(whole: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Cut the description to what is served, and make plain JSON Schema of its schemas."""
    schemas: dict[str, Any] = {}
    waiting: list[str] = []

    def convert(node: Any, *, named: bool = False) -> Any:
        # `named`: the keys are names of properties, not words of the schema language.
        if isinstance(node, list):
            return [convert(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            waiting.append(name)
            return {"$ref": f"#/schemas/{name}"}
        made = {
            key: convert(value, named=key == "properties" and not named)
            for key, value in node.items()
            if named or (key not in _LEFT_OUT and not key.startswith("x-"))
        }
        return made if named else _nullable(made)

    operations = {}
    for template, method in served():
        operation = whole["paths"][template][method.lower()]
        responses = {
            status: _content(whole, response, convert)
            for status, response in operation["responses"].items()
        }
        body = _content(whole, operation.get("requestBody") or {}, convert)
        operations[f"{method} {template}"] = {"request": body, "responses": responses}
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = convert(whole["components"]["schemas"][name])
    return {
        "source": "@octokit/openapi",
        "version": version,
        "license": "MIT",
        "operations": operations,
        "schemas": dict(sorted(schemas.items())),
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type `null`."""
    if not schema.pop("nullable", False):
        return schema
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _content(whole: Mapping[str, Any], given: Mapping[str, Any], convert: Any) -> Any:
    if "$ref" in given:
        name = given["$ref"].rsplit("/", 1)[1]
        given = whole["components"]["responses"][name]
    content = given.get("content") or {}
    shown = content.get("application/json") or content.get("application/vnd.github.object")
    return None if shown is None else convert(shown.get("schema"))


def main() -> int:
    """Write the extract."""
    if len(sys.argv) != _ARGUMENTS:
        sys.stderr.write(__doc__ or "")
        return 2
    folder = Path(sys.argv[1])
    whole = json.loads((folder / SOURCE).read_text())
    version = json.loads((folder / "package/package.json").read_text())["version"]
    made = extract(whole, version)
    TARGET.write_text(json.dumps(made, indent=None, separators=(",", ":"), sort_keys=True) + "\n")
    counts = f"{len(made['operations'])} operations, {len(made['schemas'])} schemas"
    sys.stdout.write(f"{TARGET.name}: {version}, {counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
