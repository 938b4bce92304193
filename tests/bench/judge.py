"""A plan of 10,000 instructions: time, memory, and the ratio to `check-jsonschema` on its file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench.material import SCHEMA, SETTINGS, instructions, plan, wide_settings
from tests.bench.measure import Figure, Size, Spread, in_turn, own_peak_mb, process, program

INSTRUCTIONS = 10_000
ROUNDS_MAX = 5
"""Each takes seconds."""


def measure(size: Size) -> Iterator[Figure]:
    """Both as whole processes, under settings whose `order_rate` has room for the plan."""
    count = size.of(INSTRUCTIONS)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        file = folder / "plan.json"
        file.write_bytes(plan(list(instructions(count))))
        (folder / SETTINGS.name).write_bytes(wide_settings(count))
        ours: list[str | Path] = [
            *program("autoinvestor"),
            "validate",
            "--repo",
            folder,
            "--file",
            file,
        ]
        theirs: list[str | Path] = [*program("check-jsonschema"), "--schemafile", SCHEMA, file]
        pair = in_turn(
            lambda: process(ours, folder),
            lambda: process(theirs, folder),
            replace(size, rounds=min(size.rounds, ROUNDS_MAX)),
        )
    cpu = Spread(tuple(run.cpu_seconds for run in pair.thing))
    peak = Spread(tuple(run.peak_mb for run in pair.thing))
    other_peak = Spread(tuple(run.peak_mb for run in pair.yardstick))
    yield Figure(
        "judge",
        f"{count:,} instructions, wall",
        Spread(tuple(run.seconds for run in pair.thing)),
        "s",
        target=4,
        detail=f"CPU {cpu.told('s')}",
    )
    yield Figure(
        "judge",
        f"{count:,} instructions, peak memory",
        peak,
        "MB",
        target=150,
        detail=f"check-jsonschema {other_peak.told('MB')}; less than {own_peak_mb():.0f} MB"
        " could not be seen",
    )
    yield Figure(
        "judge",
        f"{count:,} instructions / check-jsonschema",
        pair.wall,
        "x",
        detail=pair.detail(),
    )
