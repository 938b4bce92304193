"""What a start costs: `--help` against a bare interpreter, and which big modules it loads."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench.material import ROOT, instructions, plan
from tests.bench.measure import Figure, Size, Spread, in_turn, process, program

ROUNDS_A_ROUND = 2
"""Starts are short: twice as many pairs cost little and steady the median."""

NEVER = ("alpaca", "pandas", "numpy", "github", "aiohttp", "rich", "holidays")
"""What neither `--help` nor `validate --file` may load; each costs a tenth of a second or more."""

LOADED = """\
import sys
from executor.cli import run
code = run(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def measure(size: Size) -> Iterator[Figure]:
    """The installed console script against `python -c pass`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        ours = [*program("autoinvestor"), "--help"]
        theirs = [sys.executable, "-c", "pass"]
        more = replace(size, rounds=size.rounds * ROUNDS_A_ROUND)
        pair = in_turn(lambda: process(ours, folder), lambda: process(theirs, folder), more)
        yield Figure(
            "start",
            "--help / bare interpreter",
            pair.wall,
            "x",
            target=4,
            detail=pair.detail(),
        )
        file = folder / "plan.json"
        file.write_bytes(plan(list(instructions(2))))
        yield _big_modules(["--help"], folder, (*NEVER, "pydantic", "jsonschema"))
        yield _big_modules(["validate", "--repo", str(ROOT), "--file", str(file)], folder, NEVER)


def _big_modules(arguments: list[str], folder: Path, unwanted: tuple[str, ...]) -> Figure:
    run = process([sys.executable, "-c", LOADED, *arguments], folder)
    loaded = run.output.rsplit("loaded:", 1)[1].split()
    found = [name for name in unwanted if name in loaded]
    return Figure(
        "start",
        f"big modules that `{arguments[0]}` loads",
        Spread((float(len(found)),)),
        "",
        target=0,
        detail=", ".join(found) or f"none of {', '.join(unwanted)}",
    )
