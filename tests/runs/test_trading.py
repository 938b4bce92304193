from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from executor.commands.execute import execute
from executor.errors import BrokerUnavailable
from executor.model.fields import timestamp_text
from executor.model.ledger import Ledger
from executor.model.order import OrderRequest, Submission
from executor.model.settings import Settings
from executor.model.state import STATE_PATH
from executor.model.writing import write_document
from executor.ports import Broker
from executor.wiring import World, open_world
from tests.commands.interrupted import Died
from tests.fakes.progress import Heard
from tests.scratch import line
from tests.stories import MOMENT, Story, at_limit, buy, told_at

Submit = Callable[[Sequence[OrderRequest]], tuple[Submission, ...]]


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with told_at(tmp_path, monkeypatch, ("batch_size = 50", "batch_size = 1")) as one:
        yield one


def outcomes(story: Story) -> list[str]:
    return [one["outcome"] for one in story.newest["instructions"]]


def watched(world: World, watch: Callable[[Submit, Sequence[OrderRequest]], Any]) -> World:
    """The world, with somebody who looks on at each submission."""

    @contextmanager
    def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
        with world.connect(settings, ledger) as broker:
            submit = broker.submit_all
            looked_on = partial(watch, submit)
            broker.submit_all = looked_on  # type: ignore[method-assign]
            yield broker

    return replace(world, connect=connect)


def executes_while(
    story: Story, watch: Callable[[Submit, Sequence[OrderRequest]], Any], *lines: dict[str, Any]
) -> Any:
    """Execute a plan while somebody looks on; its reply."""
    story.passes(minutes=1)
    story.plans(*lines)
    with open_world(story.repository.folder, timestamp_text(story.now)) as world:
        return execute(watched(world, watch), Heard(), submit=True)


def dies(story: Story, at: int, *lines: dict[str, Any]) -> None:
    """Execute a plan in a process that is gone at the submission of that number."""
    seen: list[int] = []

    def watch(submit: Submit, some: Sequence[OrderRequest]) -> Any:
        seen.append(1)
        if len(seen) == at:
            raise Died
        return submit(some)

    with pytest.raises(Died):
        executes_while(story, watch, *lines)


# The trading state is read between batches.


def sets_state(story: Story, state: str) -> Callable[[Submit, Sequence[OrderRequest]], Any]:
    """Somebody sets the trading state once the first order is out."""
    done: list[int] = []

    def watch(submit: Submit, some: Sequence[OrderRequest]) -> Any:
        answer = submit(some)
        if not done:
            record = {"state": state, "since": MOMENT, "by": "alice", "reason": "a drill"}
            story.repository.commit({STATE_PATH: write_document(record)})
        done.append(1)
        return answer

    return watch


def test_halted_between_two_batches_stops_the_rest(story: Story) -> None:
    lines = [buy(1, name) for name in ("AMD", "MU", "TSM")]
    reply = executes_while(story, sets_state(story, "HALTED"), *lines)
    assert reply.exit_code == 1
    assert outcomes(story) == ["filled", "not_sent", "not_sent"]
    assert "trading_state: " in story.newest["errors"][0]
    # What was bought is protected all the same.
    assert story.stands == ["sell 1 AMD stop 92 gtc"]
    assert story.repository.archived[-1]["status"] == "completed"


def test_reduce_only_between_the_waves_lets_the_exits_go(story: Story) -> None:
    story.executes(buy(10), buy(10, "AMD"))
    lines = [line("SELL", quantity=4), line("SELL", "AMD", quantity=4), buy(1, "TSM")]
    executes_while(story, sets_state(story, "REDUCE_ONLY"), *lines)
    assert outcomes(story) == ["filled", "filled", "denied"]
    assert story.stands == ["sell 6 AMD stop 92 gtc", "sell 6 MU stop 92 gtc"]
    story.rests()


# A run that dies leaves nothing unprotected for long.


def test_a_run_that_died_before_its_stop_is_finished_with_it(story: Story) -> None:
    dies(story, 2, buy(10))
    assert story.stands == []
    assert story.exchange.held == {"MU": 10}
    story.executes()
    assert (outcomes(story), story.stands) == (["filled"], ["sell 10 MU stop 92 gtc"])
    story.rests()
    story.audited()


def test_a_run_that_died_once_the_stop_was_withdrawn_is_finished(story: Story) -> None:
    story.executes(buy(10))
    dies(story, 1, line("SELL", quantity=4))
    assert story.stands == []
    story.executes()
    assert (outcomes(story), story.stands) == (["filled"], ["sell 6 MU stop 92 gtc"])
    story.rests()
    story.audited()


def test_settle_protects_what_a_dead_run_left_bare(story: Story) -> None:
    story.executes(buy(10))
    dies(story, 1, line("SELL", quantity=4))
    story.settles()
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.executes()
    assert (outcomes(story), story.stands) == (["filled"], ["sell 6 MU stop 92 gtc"])
    story.rests()
    story.audited()


def test_a_stop_that_nobody_wrote_down_is_found_and_kept(story: Story) -> None:
    seen: list[int] = []

    def watch(submit: Submit, some: Sequence[OrderRequest]) -> Any:
        answer = submit(some)
        seen.append(1)
        if len(seen) == 2:
            raise Died
        return answer

    with pytest.raises(Died):
        executes_while(story, watch, buy(10))
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.executes()
    assert (story.stands, story.legs) == (["sell 10 MU stop 92 gtc"], ["stop"])
    assert [one["leg"] for one in story.newest["legs"]] == ["stop"]
    story.rests()
    story.audited()


def test_a_broker_that_falls_silent_gets_its_stop_back_first(story: Story) -> None:
    story.executes(buy(10))

    def watch(submit: Submit, some: Sequence[OrderRequest]) -> Any:
        if some[0].order_type == "market":
            raise BrokerUnavailable("the broker: no answer; run the same command again")
        return submit(some)

    with pytest.raises(BrokerUnavailable):
        executes_while(story, watch, line("SELL", quantity=4))
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.executes()
    assert (outcomes(story), story.stands) == (["filled"], ["sell 6 MU stop 92 gtc"])
    story.rests()
    story.audited()


# Plans that set a state, and plans that push another one aside.


def test_a_plan_that_resumes_sets_the_state(story: Story) -> None:
    story.executes(buy(10))
    now = timestamp_text(story.now)
    story.repository.run("halt", "--halted", "--reason", "a drill", "--now", now)
    assert story.repository.read(STATE_PATH)["state"] == "HALTED"
    asks = {"state": "ACTIVE", "reason": "the drill is over", "rebase_peak": True}
    story.passes(minutes=1)
    story.plans(instructions=[], trading_state=asks)
    answer = story.executes()
    assert "trading is ACTIVE: the drill is over" in answer.out
    state = story.repository.read(STATE_PATH)
    assert (state["state"], state["reason"]) == ("ACTIVE", "the drill is over")
    assert state == story.newest["state"]
    assert state["peak_equity_rebased_at"]
    assert story.newest["kind"] == "execution"
    assert story.newest["instructions"] == []
    assert not story.repository.has_plan
    assert story.repository.subjects[0].endswith("trading is ACTIVE")
    story.executes(buy(1, "TSM"))
    story.audited()


def trailer(story: Story, name: str, subject: str) -> str:
    found = story.repository.git(
        "log", "-1", f"--grep={subject}", f"--format=%(trailers:key={name},valueonly)"
    )
    return found.strip()


def test_an_exit_takes_the_place_of_a_plan_that_waits_and_archives_it(story: Story) -> None:
    story.executes(buy(10))
    story.passes(minutes=1)
    story.plans(buy(5, "TSM"), reason="it waits")
    story.plans(line("SELL", quantity=4), reason="out first")
    story.executes()
    assert outcomes(story) == ["filled"]
    path = trailer(story, "Supersedes", "^Validate plan")
    assert path.startswith("trading_instructions_history/")
    assert story.repository.read(path)["reason"] == "it waits"
    assert story.repository.read(path).get("status", "pending") == "pending"
    assert story.stands == ["sell 6 MU stop 92 gtc"]
    story.audited()


def test_a_plan_that_buys_may_not_push_another_one_aside(story: Story) -> None:
    story.passes(minutes=1)
    story.plans(buy(5, "TSM"), reason="it waits")
    story.plans(buy(5, "AMD"), reason="it pushes")
    answer = story.executes(code=1)
    assert "plan_scope" in answer.out
    path = trailer(story, "Supersedes", "^Reject plan")
    assert story.repository.read(path)["reason"] == "it waits"
    story.audited()


# What a plan shows before it is sent.


def test_a_preview_of_every_kind_of_line(story: Story) -> None:
    story.executes(buy(10))
    story.executes(at_limit(80, 5, "AMD"))
    (key,) = [one for words, one in story.keys.items() if words.startswith("buy")]
    story.passes(minutes=1)
    story.plans(line("CANCEL", "AMD", client_order_id=key), line("PROTECT", stop_price=95))
    head = story.repository.head
    shown = story.repository.run("execute", "--now", timestamp_text(story.now))
    assert shown.code == 0, shown.text
    assert f"would cancel order {key}" in shown.out
    assert "would put the stop of MU at 95.00 USD" in shown.out
    assert story.repository.head == head
    assert len(story.stands) == 3


@pytest.mark.parametrize("price", [95.05, 94])
def test_a_protect_whose_run_died_with_its_stop_placed_is_carried_to_its_end(
    story: Story, price: float
) -> None:
    story.executes(buy(10))

    def watch(submit: Submit, some: Sequence[OrderRequest]) -> Any:
        submit(some)
        raise Died

    with pytest.raises(Died):
        executes_while(story, watch, line("PROTECT", stop_price=95))
    assert story.stands == ["sell 10 MU stop 95 gtc"]
    # By now the checks would say no: the stop is too near, or it has sold everything.
    story.moves("MU", price)
    story.executes()
    assert outcomes(story) == ["done"]
    assert story.stands == (["sell 10 MU stop 95 gtc"] if price > 95 else [])
    story.rests()
    story.audited()


def test_a_cancel_whose_run_died_afterwards_is_carried_to_its_end(story: Story) -> None:
    story.executes(at_limit(90, 5, "AMD"))
    (key,) = [one for words, one in story.keys.items() if words.startswith("buy")]
    dies(story, 1, line("CANCEL", "AMD", client_order_id=key), buy(10))
    assert story.stands == []
    story.executes()
    assert outcomes(story) == ["done", "filled"]
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.rests()
    story.audited()
