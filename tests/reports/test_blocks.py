from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.errors import ExitCode
from executor.reports.blocks import Line, Table, plain_text
from executor.reports.reply import Reply
from tests.golden_files import assert_golden

TABLE = Table(
    "orders",
    ("side", "quantity", "note"),
    (("SELL", "42.24", ""), ("BUY", "1,000", "at the market")),
    frozenset({"quantity"}),
)


def test_lines_and_tables_as_plain_text() -> None:
    blocks = (Line("plan 1234: completed", "good"), TABLE, Line(""), Line("done"))
    assert_golden("blocks", plain_text(blocks))


def test_nothing_is_no_text() -> None:
    assert plain_text(()) == ""
    assert plain_text((Table("", ("a", "b"), ()),)) == "  a  b"


CELLS = st.text("ab1 é", max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5), st.booleans())
def test_columns_stand_under_their_headings(rows: list[tuple[str, str, str]], titled: bool) -> None:
    table = Table("title" if titled else "", ("one", "two", "three"), tuple(rows))
    lines = plain_text((table,)).split("\n")[titled:]
    assert len(lines) == len(rows) + 1
    width = max(len(cell) for cell in ("one", *(row[0] for row in rows)))
    for row, text in zip(rows, lines[1:], strict=True):
        assert text.startswith(f"  {row[0].ljust(width)}".rstrip())
        assert text == text.rstrip()


def test_a_row_has_a_cell_for_each_heading() -> None:
    with pytest.raises(ValueError, match="zip"):
        plain_text((Table("", ("a", "b"), (("1", "2", "3"),)),))


def test_a_reply_is_empty_unless_told_otherwise() -> None:
    assert (Reply(ExitCode.DONE).data, Reply(ExitCode.DONE).blocks) == ({}, ())
