from __future__ import annotations

import json
from pathlib import Path

import pytest

from executor.cli import run
from executor.decisions.schemas import MODELS, document_schema
from tests.examples.corpus import ROOT


def test_the_shipped_schemas_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--check", "--repo", str(ROOT)]) == 0
    assert capsys.readouterr().out == "every schema is current\n"


def test_every_schema_is_written_and_then_current(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", "--repo", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"written: schemas/{name}.schema.json" for name in MODELS
    ]
    for name in MODELS:
        text = (tmp_path / f"schemas/{name}.schema.json").read_text()
        assert text.endswith("}\n")
        assert json.loads(text) == document_schema(name)
    assert run(["schema", "--repo", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": []}
    assert run(["schema", "--repo", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "every schema is current\n"


def test_each_stale_schema_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["schema", "--repo", str(tmp_path)])
    capsys.readouterr()
    folder = tmp_path / "schemas"
    (folder / "alert.schema.json").write_text("{}\n")
    (folder / "account.schema.json").write_bytes(b"\xff")
    (folder / "settings.schema.json").unlink()
    assert run(["schema", "--check", "--repo", str(tmp_path)]) == 1
    remedy = "not what the models say; run `autoinvestor schema` and commit the file"
    assert capsys.readouterr().out.splitlines() == [
        f"schema: schemas/{name}.schema.json: {remedy}" for name in ("alert", "settings", "account")
    ]
    assert (folder / "alert.schema.json").read_text() == "{}\n"
    assert run(["schema", "--check", "--repo", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"stale": ["alert", "settings", "account"]}
    assert run(["schema", "--repo", str(tmp_path)]) == 0
    assert run(["schema", "--check", "--repo", str(tmp_path)]) == 0


def test_where_nothing_can_be_written_the_system_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "schemas").write_text("a file where the folder should be")
    assert run(["schema", "--repo", str(tmp_path)]) == 4
    assert "the system refused" in capsys.readouterr().err
