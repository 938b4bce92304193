"""The verbs over the book on GitHub: each commit keeps to its paths, and the record is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from executor.model.plan import PLAN_PATH
from executor.model.writing import write_document
from tests.commands.hosted import NAMED, Hosted, hosted
from tests.forge.faults import Fault
from tests.scratch import ADDED, IMPATIENT, Answer, line, plan

RESTS = line("BUY", "MU", order_type="limit", limit_price=200, time_in_force="gtc")


class Story:
    """A repository on GitHub whose runner works through a day."""

    def __init__(self, copy: Hosted) -> None:
        self.copy = copy
        copy.server.state.clock.set(datetime.fromisoformat(ADDED))
        copy.on_a_runner("actions-token")

    def merges(self, document: Mapping[str, Any]) -> None:
        """A person brings a plan to main."""
        head = self.copy.clone.git("rev-parse", "origin/main")
        change = self.copy.adding(PLAN_PATH, write_document(document))
        self.copy.forge("owner-token").commit_on("main", change, head)
        self.copy.clone.git("fetch", "--quiet", "origin")

    def runs(self, verb: str, *flags: str, at: str) -> Answer:
        """The runner runs a verb; it ends well."""
        moment = f"2026-01-14T{at}:00Z"
        self.copy.server.state.clock.set(datetime.fromisoformat(moment))
        answer = self.copy.run(verb, *flags, "--now", moment)
        assert answer.code == 0, answer.text
        self.copy.clone.git("fetch", "--quiet", "origin")
        return answer

    @property
    def steps(self) -> list[str]:
        """What main says was done, the newest last."""
        told = self.copy.clone.git(
            "log", "--first-parent", "--reverse", "--format=%s", "origin/main"
        )
        return [one.split(":")[0].split(" ")[0] for one in told.splitlines()]

    @property
    def paths(self) -> list[str]:
        listed = self.copy.clone.git("ls-tree", "-r", "--name-only", "origin/main")
        return listed.splitlines()


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)
    with hosted(tmp_path, monkeypatch, *IMPATIENT, NAMED) as copy:
        yield Story(copy)


def test_a_day_of_every_verb(story: Story) -> None:
    before = len(story.steps)
    story.merges(plan(line("BUY", "MU"), RESTS))
    story.runs("execute", "--submit", at="15:00")
    story.runs("execute", "--submit", at="15:01")
    story.merges(plan(timestamp="2026-01-14T15:02:00Z"))
    story.runs("withdraw", "--reason", "changed my mind", at="15:05")
    story.runs("halt", "--reason", "it looks wrong", at="15:10")
    story.runs("settle", at="15:20")
    resumption = {
        "timestamp": "2026-01-14T15:30:00Z",
        "strategy_type": "test",
        "reason": "it looks right again",
        "instructions": [],
        "trading_state": {"state": "ACTIVE", "reason": "it looks right again"},
    }
    story.merges(resumption)
    story.runs("execute", "--submit", at="15:40")
    steps = story.steps[before:]
    assert steps[:3] == ["Create", "Validate", "Complete"]
    assert steps[3:5] == ["Create", "Withdraw"]
    assert steps[-2:] == ["Create", "Complete"] or steps[-3:] == ["Create", "Validate", "Complete"]
    assert PLAN_PATH not in story.paths
    state = json.loads(
        story.copy.clone.git("show", "origin/main:execution_results/trading_state.json")
    )
    assert state["state"] == "ACTIVE"
    assert story.copy.run("audit").code == 0


def test_every_commit_of_ours_is_githubs_own(story: Story) -> None:
    story.merges(plan())
    story.runs("execute", "--submit", at="15:00")
    told = story.copy.clone.git(
        "log", "-2", "--format=%an|%cn|%(trailers:key=Owner,valueonly)", "origin/main"
    )
    assert [one for one in told.splitlines() if one] == [
        "github-actions[bot]|GitHub|",
        "github-actions[bot]|GitHub|17/1",
    ]


@pytest.mark.parametrize("kind", ["bad_gateway_after", "drop_after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_an_answer_that_is_lost_costs_nothing(story: Story, kind: str, nth: int) -> None:
    story.merges(plan())
    fault = Fault(kind, {"path": "/graphql", "token": "actions-token"}, nth)
    story.copy.server.call(lambda _: story.copy.server.forge.faults.add(fault))
    story.runs("execute", "--submit", at="15:00")
    assert story.steps[-3:] == ["Create", "Validate", "Complete"]


@pytest.mark.parametrize("kind", ["bad_gateway_before", "drop_before", "secondary_rate_limit"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_run_whose_commit_never_arrived_is_gone_on_with(
    story: Story, kind: str, nth: int
) -> None:
    story.merges(plan())
    fault = Fault(kind, {"path": "/graphql", "token": "actions-token"}, nth)
    story.copy.server.call(lambda _: story.copy.server.forge.faults.add(fault))
    answer = story.copy.run("execute", "--submit", "--now", "2026-01-14T15:00:00Z")
    assert answer.code == 4, answer.text
    story.runs("execute", "--submit", at="15:01")
    assert story.steps[-3:] == ["Create", "Validate", "Complete"]
