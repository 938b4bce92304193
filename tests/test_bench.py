"""Each benchmark runs; what it measures is never judged here."""

from __future__ import annotations

import json
import math

import pytest

from tests.bench.__main__ import BENCHMARKS, main, measure
from tests.bench.measure import Figure, Pair, Run, Size, Spread
from tests.bench.table import as_json, as_text

TINY = Size(rounds=1, warm_up=False, scale=0.002)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs_and_says_what_it_measured(name: str) -> None:
    figures = measure(name, TINY)
    assert figures
    for one in figures:
        assert one.benchmark == name
        assert one.spread.low <= one.spread.median <= one.spread.high
        assert math.isfinite(one.spread.median)
        assert one.what in as_text(figures)
    told = json.loads(as_json(figures))["figures"]
    assert [one["figure"] for one in told] == [one.what for one in figures]


def run_of(seconds: float) -> Run:
    return Run(seconds=seconds, cpu_seconds=seconds / 2, peak_mb=1, output="")


def test_a_ratio_is_the_median_of_neighbors() -> None:
    # The second round met a busy minute: both took four times as long, the ratio stays.
    pair = Pair(
        thing=tuple(map(run_of, (2.0, 8.0, 3.0))), yardstick=tuple(map(run_of, (1.0, 4.0, 2.0)))
    )
    assert pair.wall.values == (2.0, 2.0, 1.5)
    assert pair.wall.median == 2.0
    assert "yardstick strayed 150%" in pair.detail()


@pytest.mark.parametrize(
    ("values", "verdict", "is_close"),
    [
        ((0.8, 0.85, 0.89), "met", False),
        ((0.8, 0.85, 0.95), "met", True),
        ((0.85, 0.95, 1.0), "missed", True),
        ((0.95, 1.0, 1.1), "missed", False),
    ],
)
def test_a_verdict_says_whether_noise_may_have_made_it(
    values: tuple[float, ...], verdict: str, is_close: bool
) -> None:
    figure = Figure("validate", "a ratio", Spread(values), "x", target=0.9)
    assert figure.verdict == verdict
    assert figure.is_close == is_close
    assert (f"{verdict} ~" in as_text([figure])) == is_close


def test_without_a_target_there_is_no_verdict() -> None:
    assert Figure("exchange", "cycles", Spread((1.0,)), "/s").verdict == ""


def test_the_size_of_a_run_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fold", "--rounds", "1", "--scale", "0.002", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert [one["figure"] for one in figures] == [
        "a result among 20 / among 2",
        "a result among 200 / among 2",
    ]
    assert [len(one["values"]) for one in figures] == [1, 1]


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["nonsense"])
    assert ending.value.code == 2
    assert "no such benchmark" in capsys.readouterr().err
