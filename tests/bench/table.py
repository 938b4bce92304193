"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence

from tests.bench.measure import Figure

REMARK = (
    "Ratios are medians of neighboring runs, lowest and highest in brackets; a target that lies\n"
    "between these may be met or missed by the machine's noise, and is marked ~."
)


def as_text(figures: Sequence[Figure]) -> str:
    """Columns of figure, measured, target and verdict; below each what it was made of."""
    heading = ("figure", "measured", "target", "")
    rows = [heading, *(_row(one) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [_line(heading, widths)]
    for figure, row in zip(figures, rows[1:], strict=True):
        lines.append(_line(row, widths))
        if figure.detail:
            lines.append(f"    {figure.detail}")
    return "\n".join([*lines, "", _machine(), REMARK])


def _row(figure: Figure) -> tuple[str, str, str, str]:
    target = "" if figure.target is None else f"≤ {figure.target:g} {figure.unit}".rstrip()
    if figure.aim is not None:
        target += f", aim {figure.aim:g}"
    verdict = figure.verdict + (" ~" if figure.is_close else "")
    measured = figure.spread.told(figure.unit)
    if len(figure.spread.values) == 1:
        measured = f"{figure.spread.median:g} {figure.unit}".rstrip()
    return f"{figure.benchmark}: {figure.what}", measured, target, verdict


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, *row[len(widths) :]]).rstrip()


def as_json(figures: Sequence[Figure]) -> str:
    """Everything that was measured."""
    return json.dumps(
        {
            "machine": _machine(),
            "figures": [
                {
                    "benchmark": one.benchmark,
                    "figure": one.what,
                    "unit": one.unit,
                    "median": one.spread.median,
                    "lowest": one.spread.low,
                    "highest": one.spread.high,
                    "values": one.spread.values,
                    "target": one.target,
                    "aim": one.aim,
                    "verdict": one.verdict or None,
                    "target_within_spread": one.is_close,
                    "detail": one.detail,
                }
                for one in figures
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} cores, load {load:.1f}"
    )
