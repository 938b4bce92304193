"""How the benchmarks measure: two things in turn, several times, and the medians of that.

A machine is never quiet. What is compared runs in turn (A B A B ...) after a warm-up, so that a
busy minute meets both; each ratio is that of two neighbors, and the median of these is the figure.
The lowest and the highest stand beside it, and how far the yardstick strayed from itself.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KIB_A_MB = 1e6 / 1024
FAILED_TAIL = 2_000
"""Characters of a failed process's output that are told."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int = 9
    """Pairs of runs after the warm-up."""
    warm_up: bool = True
    """False measures the first run of processes as well, as the smoke test does to be short."""
    scale: float = 1.0
    """Factor on the sizes of what is worked on; the smoke test takes a small one."""

    def of(self, count: int) -> int:
        """A count of things, scaled, at least 2."""
        return max(2, int(count * self.scale))


@dataclass(frozen=True)
class Run:
    """One measured run of a process."""

    seconds: float
    """Wall clock."""
    cpu_seconds: float
    """User and system time, of its own children as well; it strays less on a busy machine."""
    peak_mb: float
    """Resident at most, in millions of bytes. Never told as less than this process's own peak:
    a child starts as a copy of us."""
    output: str


@dataclass(frozen=True)
class Spread:
    """Several measurements of the same thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def told(self, unit: str) -> str:
        digits = 3 if self.median < 1 else 2
        if self.median >= 100:
            digits = 0
        low, high = f"{self.low:,.{digits}f}", f"{self.high:,.{digits}f}"
        return f"{self.median:,.{digits}f} {unit} ({low} to {high})"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    benchmark: str
    what: str
    spread: Spread
    unit: str
    """`x` for a ratio."""
    target: float | None = None
    """At most; None: only to know."""
    aim: float | None = None
    """What would be better still."""
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where there is no target."""
        if self.target is None:
            return ""
        return "met" if self.spread.median <= self.target else "missed"

    @property
    def is_close(self) -> bool:
        """True where the target lies within the spread, so that noise might have decided."""
        return self.target is not None and self.spread.low <= self.target < self.spread.high


@dataclass(frozen=True)
class Pair:
    """Runs of a thing and of its yardstick, in turn."""

    thing: tuple[Run, ...]
    yardstick: tuple[Run, ...]

    @property
    def wall(self) -> Spread:
        """Ratios of neighbors by the wall clock."""
        return self._ratios(lambda run: run.seconds)

    @property
    def cpu(self) -> Spread:
        """Ratios of neighbors by the time on the processor."""
        return self._ratios(lambda run: run.cpu_seconds)

    def detail(self) -> str:
        """Both by themselves, and how much the yardstick strayed."""
        ours = Spread(tuple(run.seconds for run in self.thing))
        theirs = Spread(tuple(run.seconds for run in self.yardstick))
        noise = (theirs.high - theirs.low) / theirs.median
        return (
            f"{ours.told('s')} against {theirs.told('s')}; by CPU time"
            f" {self.cpu.told('x')}; yardstick strayed {noise:.0%}; {len(self.thing)} pairs"
        )

    def _ratios(self, of: Callable[[Run], float]) -> Spread:
        pairs = zip(self.thing, self.yardstick, strict=True)
        return Spread(tuple(of(ours) / max(of(theirs), 1e-9) for ours, theirs in pairs))


def in_turn(thing: Callable[[], Run], yardstick: Callable[[], Run], size: Size) -> Pair:
    """Run both in turn, once to warm up and then as often as the size says."""
    (pair,) = all_in_turn(thing, [yardstick], size)
    return pair


def all_in_turn(
    thing: Callable[[], Run], yardsticks: Sequence[Callable[[], Run]], size: Size
) -> list[Pair]:
    """Run a thing and several yardsticks in turn; a pair for each yardstick."""
    if size.warm_up:
        for one in (thing, *yardsticks):
            one()
    rounds = [[one() for one in (thing, *yardsticks)] for _ in range(size.rounds)]
    ours, *theirs = zip(*rounds, strict=True)
    return [Pair(ours, one) for one in theirs]


def process(
    arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Run:
    """Run a process to its end and measure it; one that fails ends the benchmark.

    Raises:
        RuntimeError: with the end of what it printed.
    """
    with tempfile.TemporaryFile() as printed:
        started = time.perf_counter()
        child = subprocess.Popen(
            [str(one) for one in arguments],
            cwd=folder,
            env=_environment(folder, environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read().decode("utf-8", "replace")
    if child.returncode:
        command = " ".join(Path(str(one)).name for one in arguments[:3])
        raise RuntimeError(f"{command}: exit code {child.returncode}\n{output[-FAILED_TAIL:]}")
    # Darwin counts bytes where Linux counts KiB.
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else KIB_A_MB)
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak, output)


def own_peak_mb() -> float:
    """This process's own peak, under which no child's can be seen."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_A_MB


def a_second(work: Callable[[], object], *, atleast_seconds: float = 0.2) -> float:
    """How often a function runs in a second, looking at the clock in growing batches."""
    batch, done = 1, 0
    started = time.perf_counter()
    while True:
        for _ in range(batch):
            work()
        done += batch
        spent = time.perf_counter() - started
        if spent >= atleast_seconds:
            return done / spent
        batch *= 2


def program(name: str) -> list[str]:
    """A console script of this environment; ours also where it is not installed."""
    script = Path(sys.executable).parent / name
    if script.is_file():
        return [str(script)]
    if name == "autoinvestor":
        return [sys.executable, "-m", "executor"]
    raise RuntimeError(f"{name} is not installed; run `make setup`")


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """A plain environment: no key, no configuration of a person's git, no coverage."""
    root = Path(__file__).resolve().parents[2]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(root),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **more,
    }
