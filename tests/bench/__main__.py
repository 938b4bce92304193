"""`python -m tests.bench [NAME ...]`: measure and say what was measured.

It judges nothing: the exit code is 0 whatever the figures are, and 1 where something did not run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from tests.bench.measure import Figure, Size
from tests.bench.table import as_json, as_text

# Whole processes come first: their peak memory cannot be told below that of this process, and the
# benchmarks in process make it grow.
BENCHMARKS = (
    *("start", "validate", "judge", "submit", "submit_many", "submit_limited", "history"),
    "first_order",
    *("checks", "fold", "exchange"),
)
"""Every benchmark; the module of the same name holds it."""

Measure = Callable[[Size], Iterator[Figure]]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=Size.rounds, help="pairs of runs a figure")
    parser.add_argument("--scale", type=float, default=Size.scale, help="factor on the sizes")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"{name}: no such benchmark; name one of {', '.join(BENCHMARKS)}")
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale are above 0")
    figures: list[Figure] = []
    failed = False
    for name in [one for one in BENCHMARKS if one in options.names or not options.names]:
        sys.stderr.write(f"{name} ...\n")
        try:
            figures += measure(name, Size(rounds=options.rounds, scale=options.scale))
        except (RuntimeError, AssertionError, OSError) as error:
            sys.stderr.write(f"{name} did not run: {error}\n")
            failed = True
    sys.stdout.write((as_json if options.json else as_text)(figures) + "\n")
    return int(failed)


def measure(name: str, size: Size) -> list[Figure]:
    """Run one benchmark; its module is loaded only then, so that it weighs on no other."""
    function: Measure = import_module(f"tests.bench.{name}").measure
    return list(function(size))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
