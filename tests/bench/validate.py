"""A plan of 100 instructions judged, against `check-jsonschema` on the same file and schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.material import ROOT, SCHEMA, instructions, plan
from tests.bench.measure import Figure, Size, in_turn, process, program

INSTRUCTIONS = 100


def measure(size: Size) -> Iterator[Figure]:
    """Both as whole processes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        file = folder / "plan.json"
        file.write_bytes(plan(list(instructions(size.of(INSTRUCTIONS)))))
        ours: list[str | Path] = [
            *program("autoinvestor"),
            "validate",
            "--repo",
            ROOT,
            "--file",
            file,
        ]
        theirs: list[str | Path] = [*program("check-jsonschema"), "--schemafile", SCHEMA, file]
        pair = in_turn(lambda: process(ours, folder), lambda: process(theirs, folder), size)
    yield Figure(
        "validate",
        f"{size.of(INSTRUCTIONS)} instructions / check-jsonschema",
        pair.wall,
        "x",
        target=0.9,
        aim=0.75,
        detail=pair.detail(),
    )
