"""`autoinvestor schema`: write the JSON Schemas from the models, or check that they are current."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from executor.console import Console
from executor.decisions.schemas import MODELS, document_schema
from executor.errors import ExitCode
from executor.reports.blocks import Line
from executor.reports.reply import Reply


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a schema is not current"
    )


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Write or check `schemas/<document>.schema.json` of the repository."""
    folder = options.repo / "schemas"
    stale = [name for name in MODELS if _read(_path(folder, name)) != _text(name)]
    if options.check:
        return _checked(stale)
    if stale:
        folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        _path(folder, name).write_text(_text(name), encoding="utf-8", newline="\n")
    told = tuple(Line(f"written: schemas/{name}.schema.json", "good") for name in stale)
    return Reply(
        ExitCode.DONE,
        {"written": stale},
        told or (Line("every schema is current", "good"),),
    )


def _checked(stale: list[str]) -> Reply:
    told = tuple(
        Line(
            f"schema: schemas/{name}.schema.json: not what the models say;"
            " run `autoinvestor schema` and commit the file",
            "bad",
        )
        for name in stale
    )
    return Reply(
        ExitCode.REFUSED if stale else ExitCode.DONE,
        {"stale": stale},
        told or (Line("every schema is current", "good"),),
    )


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.schema.json"


def _read(path: Path) -> str | None:
    """Give the file's text; None where there is none, or none that is text."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _text(name: str) -> str:
    return json.dumps(document_schema(name), indent=2, ensure_ascii=False) + "\n"
