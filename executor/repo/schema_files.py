"""The schema files: packed into a wheel, or beside the package in a checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent


def schema_folder() -> Path:
    """Give the folder that holds `<name>.schema.json`."""
    packed = _PACKAGE / "schemas"
    return packed if packed.is_dir() else _PACKAGE.parent / "schemas"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Read the schema of a document by its name, such as `trading_instructions`."""
    path = schema_folder() / f"{name}.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def template_settings() -> bytes:
    """Give the settings file that a new repository starts from."""
    packed = _PACKAGE / "schemas" / "autoinvestor.toml"
    path = packed if packed.is_file() else _PACKAGE.parent / "autoinvestor.toml"
    return path.read_bytes()
