"""The exchange's README is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

import executor.exchange.faults
from executor.exchange.faults import KINDS
from executor.exchange.routes import ROUTES
from executor.exchange.universe import INSTRUMENTS

README = (Path(executor.exchange.faults.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_every_fault_has_its_row_with_its_parameters() -> None:
    table = README.split("| kind | strikes | parameters |")[1].splitlines()[2:]
    cells = [[cell.strip() for cell in row.split("|")] for row in table if row]
    rows = {row[1].strip("`"): row[3] for row in cells}
    assert set(rows) == set(KINDS)
    for kind, (_, parameters) in KINDS.items():
        assert set(re.findall(r"`(\w+)`", rows[kind])) == set(parameters), kind


def test_every_endpoint_is_listed() -> None:
    listed = README.split("## What it answers")[1]
    for method, pattern, _ in ROUTES:
        stem = re.sub(r"\{.*?\}", "{", pattern).split("{")[0].rstrip("/")
        assert stem in listed, pattern
        assert method in listed, method


def test_the_invented_symbols_are_listed() -> None:
    invented = {one for one in INSTRUMENTS if one.startswith("Z")}
    assert invented == set(re.findall(r"`(Z[A-Z]+)`", README))
