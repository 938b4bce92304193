"""Play schedules by their seeds: `python -m tests.simulation.simulate --seeds N --seed K`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator

from tests.simulation.schedule import Schedule


def broken(schedule: Schedule) -> str | None:
    """Play one schedule; the first thing that does not hold, in a sentence."""
    return next(all_broken(schedule), None)


def all_broken(schedule: Schedule) -> Iterator[str]:
    """Play one schedule and say everything that does not hold."""
    try:
        yield from schedule.breaches()
    except Exception as error:
        # A mistake of ours anywhere is a breach like any other, and its place is its sentence.
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = " ".join(str(error).split())[:200]
        yield f"{type(error).__name__} in {place.name}, line {place.lineno}: {said}"


def failures(first: int, count: int) -> Iterator[tuple[Schedule, str]]:
    """The schedules of a range of seeds that break something."""
    for seed in range(first, first + count):
        schedule = Schedule(seed)
        sentence = broken(schedule)
        if sentence is not None:
            yield schedule, sentence


def main(arguments: list[str] | None = None) -> int:
    """Play, print one line a failure, and say how many a second there were."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.simulate")
    parser.add_argument("--seeds", type=int, default=200, help="how many schedules")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed")
    parser.add_argument(
        "--story", action="store_true", help="tell what happened in those that fail"
    )
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    failed = 0
    for schedule, sentence in failures(options.seed, options.seeds):
        failed += 1
        _say(f"make simulate SEED={schedule.seed} SEEDS=1  # {sentence}")
        if options.story:
            _say("\n".join(f"    {one}" for one in schedule.story))
    spent = time.perf_counter() - started
    _say(f"{options.seeds} schedules, {failed} failed, {options.seeds / spent:.0f} a second")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
