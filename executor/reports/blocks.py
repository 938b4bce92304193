"""What a report is made of: lines and tables, rendered by the console and by nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "bad", "waiting", "faint"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    """Headings of columns that are set to the right."""


Block = Line | Table


def plain_text(blocks: tuple[Block, ...]) -> str:
    """Render blocks as plain text, as it stands in logs and pipes."""
    lines: list[str] = []
    for block in blocks:
        lines += [block.text] if isinstance(block, Line) else _plain_table(block)
    return "\n".join(lines)


def _plain_table(table: Table) -> list[str]:
    rows = (table.columns, *table.rows)
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    lines = [table.title] if table.title else []
    for row in rows:
        cells = [
            text.rjust(width) if heading in table.numeric else text.ljust(width)
            for heading, text, width in zip(table.columns, row, widths, strict=True)
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
