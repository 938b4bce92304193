"""What may leave a run: only what an intent or a holding explains, in turn, and not twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from executor.history import STEP
from executor.main_state import MainState, PlanOnMain
from executor.model.expiry import expiry
from executor.model.market import Session
from executor.model.order_id import client_order_id, parse_order_id
from executor.model.reading import read_document
from executor.model.state import STATE_PATH, TradingState, TradingStateRecord
from tests.fakes.memory_book import MemoryBook
from tests.simulation.effects import Post
from tests.simulation.world import Simulation


@dataclass(frozen=True, slots=True)
class Intended:
    """One order of an intent on main: what its id may stand for."""

    digest: str
    index: int
    side: str
    symbol: str


def validated_plans(sim: Simulation) -> Iterator[PlanOnMain]:
    """Every plan that a commit of ours validated."""
    book = MemoryBook(sim.origin)
    for commit in sim.origin.line(sim.origin.main):
        if commit.info.trailers.get(STEP) == "validated":
            plan = MainState(book, commit.info.commit).unfinished
            assert plan is not None, "nobody writes `validated` here but the executor"
            yield plan


def intents(sim: Simulation) -> dict[str, Intended]:
    """Every order that a `validated` commit names, by the id that its place in the plan gives."""
    found: dict[str, Intended] = {}
    repository = sim.settings.repository
    for plan in validated_plans(sim):
        assert plan.plan is not None, "a validated plan passed both gates"
        assert plan.plan.intent is not None, "a validated plan has an intent"
        for one in plan.plan.intent.orders:
            key = client_order_id(repository, plan.digest, one.index)
            found[key] = Intended(plan.digest, one.index, one.side, one.symbol)
    return found


def protect_lines(sim: Simulation) -> Iterator[Intended]:
    """Every PROTECT line that an intent names."""
    for plan in validated_plans(sim):
        assert plan.plan is not None, "a validated plan passed both gates"
        assert plan.plan.intent is not None, "a validated plan has an intent"
        for index in plan.plan.intent.lines:
            one = plan.proposal.instructions[index]
            if one.action == "PROTECT":
                yield Intended(plan.digest, index, "sell", one.ticker)


def sent_wrongly(sim: Simulation, intended: dict[str, Intended]) -> Iterator[str]:
    deadline = timedelta(seconds=float(sim.settings.execution.fill_deadline_seconds))
    for number, post in enumerate(sim.posts):
        name = f"{post.side} {post.symbol} {post.client_order_id}"
        meant = intended.get(post.client_order_id)
        if meant is None:
            own = parse_order_id(post.client_order_id)
            if own is None or own.leg == "entry":
                yield f"{name} was sent and no intent names it"
            elif post.order_type == "market" and _state_at(sim, post.main) is TradingState.HALTED:
                yield f"{name} was sold at the market while HALTED"
            continue
        if (meant.side, meant.symbol) != (post.side, post.symbol):
            yield f"{name} is not the order that its id stands for"
        if post.was_taken and not post.shared:
            yield f"{name} was sent again although the exchange had it"
        if post.beside and not post.was_taken and not post.shared:
            yield f"{name} was sent beside {', '.join(post.beside)}"
        yield from _in_turn(sim, number, meant, intended, deadline)
        yield from _allowed(sim, post)
    yield from _looked_between(sim, intended)


def _in_turn(
    sim: Simulation,
    number: int,
    meant: Intended,
    intended: dict[str, Intended],
    deadline: timedelta,
) -> Iterator[str]:
    """A BUY leaves once every SELL of its plan has ended, or has been waited for."""
    post = sim.posts[number]
    if post.side != "buy" or not post.accepted:
        return
    for key, side, submitted_at in post.open_before:
        other = intended.get(key)
        same = other is not None and other.digest == meant.digest
        if same and side == "sell" and post.at - submitted_at < deadline:
            yield f"buy {post.symbol} was sent while SELL {key} was open"
    tried = {one.client_order_id for one in sim.posts[:number]}
    for later in sim.posts[number + 1 :]:
        other = intended.get(later.client_order_id)
        same = other is not None and other.digest == meant.digest
        if same and later.side == "sell" and later.client_order_id not in tried:
            yield f"buy {post.symbol} was sent before the SELL of {later.symbol}"


def _looked_between(sim: Simulation, intended: dict[str, Intended]) -> Iterator[str]:
    """Once main says otherwise, no more BUYs leave than one batch."""
    since: dict[int, set[str]] = {}
    for post in sim.posts:
        if post.side == "buy" and post.client_order_id in intended:
            sent = since.setdefault(post.run, set())
            if post.state is TradingState.ACTIVE:
                sent.clear()
            else:
                sent.add(post.client_order_id)  # Again after a 429: it is the same order.
            if len(sent) > sim.settings.execution.batch_size:
                yield f"buy {post.symbol} was sent a batch after main had said {post.state}"


def _state_at(sim: Simulation, commit: str) -> TradingState:
    data = sim.origin.commits[commit].tree.get(STATE_PATH)
    if data is None:
        return TradingState.ACTIVE
    return TradingStateRecord.model_validate(read_document(data)).state


def _allowed(sim: Simulation, post: Post) -> Iterator[str]:
    """What the gates say by what the run had read: nothing halted, nothing expired."""
    at = MainState(MemoryBook(sim.origin), post.main)
    state = _state_at(sim, post.main)
    if state is TradingState.HALTED:
        yield f"{post.side} {post.symbol} was sent while HALTED"
    if state is TradingState.REDUCE_ONLY and post.side == "buy":
        yield f"buy {post.symbol} was sent while REDUCE_ONLY"
    plan = at.unfinished
    if plan is None:
        yield f"{post.side} {post.symbol} was sent without an intent on main"
        return
    end = _expiry(sim, plan)
    if post.judged_at is None:
        yield f"{post.side} {post.symbol} was sent before anything was judged"
    elif end is not None and post.judged_at > end:
        yield f"{post.side} {post.symbol} was sent after the plan had expired"


def _expiry(sim: Simulation, plan: PlanOnMain) -> datetime | None:
    sessions = sim.exchange.desk.sessions
    added = plan.added.committed_at
    first = sessions.current(added) or sessions.following(added)
    listed = [first]
    while len(listed) < 4:
        listed.append(sessions.following(listed[-1].opens))
    previous = sessions.previous(added)
    known = [previous, *listed]
    return expiry(
        plan.proposal,
        added,
        [Session(one.opens, one.closes) for one in known],
        sim.settings.execution.sessions_valid,
    )
