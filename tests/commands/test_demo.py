"""The demo tells its story from what it computes, and takes nothing away that is not its own."""

from __future__ import annotations

import io
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
import simplejson

from executor.commands.demo import _clear, run
from executor.console import Console
from executor.errors import ExitCode, UsageError


def demo(folder: Path, *, as_json: bool = False) -> tuple[ExitCode, str]:
    out, err = io.StringIO(), io.StringIO()
    console = Console(as_json=as_json, out=out, err=err)
    options = type("Options", (), {"repo": Path(), "into": folder})()
    code = console.finish(run(options, console))
    return code, out.getvalue()


def git(folder: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, check=True, text=True
    )
    return done.stdout.splitlines()


def test_the_story_ends_with_half_sold_at_its_target_and_a_clean_tree(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, printed = demo(folder)
    assert code is ExitCode.DONE
    assert "nothing pending" in printed
    assert "holds: nothing in the history was changed" in printed
    assert git(folder, "status", "--porcelain") == []
    results = sorted((folder / "execution_results").rglob("result_*.json"))
    assert len(results) == 2
    bought, sold = (simplejson.loads(one.read_text(), use_decimal=True) for one in results)
    entry = bought["instructions"][0]["average_fill_price"]
    exit_price = sold["instructions"][0]["average_fill_price"]
    assert exit_price / entry > Decimal("1.14"), "the second plan follows the +15 % target"
    assert sold["instructions"][0]["filled_quantity"] == Decimal("42.24")
    realized = sold["final_portfolio"]["realized_pl"]
    assert abs(realized - (exit_price - entry) * Decimal("42.24")) <= Decimal("0.01")
    subjects = git(folder, "log", "--format=%s", "--first-parent", "main")
    assert [one.split()[0] for one in subjects] == [
        "Complete", "Validate", "Merge", "Complete", "Validate", "Merge", "Start",
    ]  # fmt: skip


def test_told_twice_it_is_the_same_story_and_as_data_it_is_one_document(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    _, first = demo(folder, as_json=True)
    code, second = demo(folder, as_json=True)
    assert code is ExitCode.DONE
    assert json.loads(first)["realized_pl"] == json.loads(second)["realized_pl"]


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    with pytest.raises(UsageError, match="not empty and no demo of ours; name another"):
        _clear(tmp_path)
    assert kept.read_text() == "mine"
