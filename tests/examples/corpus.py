"""The example documents; a refused one is named `<check that says no>--<why>`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from executor.model.reading import Tree, read_document

ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(__file__).parent

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""The instant as of which the plans are judged."""


@dataclass(frozen=True)
class Example:
    """One file and what is expected of it."""

    path: Path
    document: str
    refused_by: str | None
    """The check that says no; None: valid."""

    def tree(self) -> Tree:
        """What the reader makes of it.

        Raises:
            DocumentError: it is no JSON document of ours.
            tomllib.TOMLDecodeError: it is no TOML.
        """
        data = self.path.read_bytes()
        if self.path.suffix == ".toml":
            return tomllib.loads(data.decode(), parse_float=Decimal)
        return read_document(data)


def examples(*, settings: bool = True) -> list[Example]:
    """Every example, the valid ones first."""
    found = [
        Example(path, path.parent.name, path.name.split("--")[0] if refused else None)
        for refused, kind in enumerate(("valid", "invalid"))
        for path in sorted((FOLDER / kind).glob("*/*.*"))
    ]
    return [one for one in found if settings or one.document != "settings"]


def name(example: Example) -> str:
    """A test's name."""
    return f"{example.document}/{example.path.name}"


def valid_trees(document: str) -> list[Tree]:
    """The valid examples of a document."""
    return [one.tree() for one in examples() if one.document == document and not one.refused_by]
