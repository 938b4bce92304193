"""What must hold after every schedule, whatever happened in it; each breach is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from executor.decisions.auditing import audit
from executor.decisions.ledger import fold
from executor.exchange.orders import Order as ExchangeOrder
from executor.history import HISTORY_FOLDER, PLAN_DIGEST, RESULT, RESULTS_FOLDER, STEP
from executor.main_state import MainState
from executor.model.account import Mode
from executor.model.ledger import STILL_OPEN, Ledger, Order
from executor.model.numbers import ZERO
from executor.model.order_id import DIGEST_DIGITS, client_order_id, parse_order_id
from executor.model.order_result import Outcome
from executor.repo.work_tree import HISTORY_FOLDERS
from executor.runs.settling import LOOKED_BACK
from tests.fakes.memory_book import MemoryBook
from tests.simulation.leaving import Intended, intents, protect_lines, sent_wrongly, validated_plans
from tests.simulation.protected import root_of, unprotected
from tests.simulation.world import Simulation


def breaches(sim: Simulation) -> Iterator[str]:
    """Everything that does not hold at the end of a schedule, when nothing more is due."""
    main = sim.main
    yield from _history(sim)
    yield from _results(sim, main)
    intended = intents(sim)
    yield from sent_wrongly(sim, intended)
    whole = fold(main.results, Mode(sim.setup.mode))
    yield from _exchange_orders(sim, whole, intended)
    yield from _past(sim)
    # The embedded exchange knows what the checkpoint remembers.
    yield from _outcomes(sim, whole if sim.outside is not None else main.ledger)
    yield from _account(sim, whole)
    yield from _forgotten(whole, main.ledger)
    yield from unprotected(sim)
    yield from _false_alarms(sim, main)
    if main.plan is not None or main.unfinished is not None:
        yield "a plan is still on main, or validated without an end"


def _false_alarms(sim: Simulation, main: MainState) -> Iterator[str]:
    """Nothing is observed at the broker that is our own doing or the broker's."""
    if sim.foreign or sim.tampered:
        return
    for path, result in main.results:
        for one in result.observed:
            if one.quantity:
                yield f"{path} observes {one.kind} {one.key} {one.quantity}, and nobody did it"


# The record by itself.


def _history(sim: Simulation) -> Iterator[str]:
    book, head = MemoryBook(sim.origin), sim.origin.main
    found = audit(
        book.changes(HISTORY_FOLDERS, head),
        dict(book.read_folder(RESULTS_FOLDER, head)),
        dict(book.read_folder(HISTORY_FOLDER, head)),
    )
    for breach in found.breaches:
        yield f"audit: {breach.rule}: {breach.sentence}"
    line = {one.info.commit for one in sim.origin.line(head)}
    for lost in set(sim.origin.pushed) - line:
        yield f"a person's commit is gone: {sim.origin.commits[lost].info.subject}"


def _results(sim: Simulation, main: MainState) -> Iterator[str]:
    """One end for each beginning: a merged plan has one result, a validated one one execution."""
    executions = [one for _, one in main.results if one.kind == "execution"]
    ends = Counter(one.plan_digest for one in executions if one.plan_status == "completed")
    for digest, count in ends.items():
        if count > 1:
            yield f"plan {(digest or '')[:8]} was completed {count} times"
    paths = Counter(one.archived_as for one in executions)
    for path, count in paths.items():
        if count > 1:
            yield f"{path} has {count} execution results"
    for one in executions:
        summary = one.execution_summary
        counts = summary.successful + summary.failed + summary.partially_filled
        counts += summary.open + summary.denied + summary.unknown
        if counts != summary.total_instructions or counts != len(one.instructions):
            yield f"the counts of {one.archived_as} do not add up"
    yield from _steps(sim)


def _steps(sim: Simulation) -> Iterator[str]:
    """Walk main from its first commit: each `validated` is followed by exactly one end."""
    running: str | None = None
    for commit in reversed(list(sim.origin.line(sim.origin.main))):
        step, digest = commit.info.trailers.get(STEP), commit.info.trailers.get(PLAN_DIGEST)
        if step == "validated":
            if running is not None:
                yield f"plan {running[:8]} has no end before the next one was validated"
            running = digest
        elif step is not None:
            if running is not None and digest != running:
                yield f"plan {(digest or '')[:8]} ended while {running[:8]} ran"
            running = None
            if commit.info.trailers.get(RESULT) not in commit.touched:
                yield f"the end of plan {(digest or '')[:8]} wrote no result"


# The record against the exchange.


def _forgotten(whole: Ledger, ledger: Ledger) -> Iterator[str]:
    """What goes on from the checkpoint ends where all results end."""
    for name in ("cash", "positions", "lots", "observed", "acknowledged", "realized_pl"):
        ours, all_of_it = getattr(ledger, name), getattr(whole, name)
        if ours != all_of_it:
            yield f"{name} by the checkpoint: {ours}, by all results: {all_of_it}"


def _exchange_orders(
    sim: Simulation, ledger: Ledger, intended: dict[str, Intended]
) -> Iterator[str]:
    """Every order of ours at the exchange is explained by a plan, and told by a result."""
    lines = {(one.digest[:DIGEST_DIGITS], one.index) for one in intended.values()}
    lines |= {(one.digest[:DIGEST_DIGITS], one.index) for one in protect_lines(sim)}
    places: Counter[tuple[str, int]] = Counter()
    for order in sim.exchange.desk.orders.values():
        key = order.client_order_id
        if key in sim.foreign:
            continue
        meant, own = intended.get(key), parse_order_id(root_of(sim, order).client_order_id)
        if meant is not None:
            places[meant.digest, meant.index] += 1
        elif own is None or (own.leg == "entry" and order.parent_id is None):
            yield f"the exchange has order {key}, which no intent names"
            continue
        elif (own.plan, own.index) not in lines or order.ticket.side != "sell":
            yield f"the exchange has order {key}, which protects nothing that a plan named"
        if key not in ledger.orders and not _is_nothing_of_long_ago(sim, order):
            yield f"the exchange has {order.status} order {key}, which no result explains"
    for (digest, index), count in places.items():
        if count > 1:
            yield f"instruction {index} of plan {digest[:8]} became {count} orders"


def _past(sim: Simulation) -> Iterator[str]:
    """No entry rests although its plan has said when it ends."""
    repository, now = sim.settings.repository, sim.clock.now()
    for plan in validated_plans(sim):
        until = plan.proposal.valid_until
        for index in range(plan.lines) if until is not None and until < now else ():
            key = client_order_id(repository, plan.digest, index)
            order = sim.exchange.desk.by_client_id.get(key)
            if order is not None and order.is_open and order.ticket.side == "buy":
                yield f"{key} rests, and its plan was over at {until}"


def _is_nothing_of_long_ago(sim: Simulation, order: ExchangeOrder) -> bool:
    """True for an order that ended without a fill before anybody looked that far back."""
    if order.is_open or order.filled_quantity:
        return False
    sent = order.submitted_at
    return not any(sent <= at <= sent + LOOKED_BACK for at in sim.settled_at)


_ENDED: Final = {
    Outcome.FILLED: {"filled"},
    Outcome.PARTIALLY_FILLED: {"canceled", "expired", "rejected"},
    Outcome.CANCELED: {"canceled"},
    Outcome.EXPIRED: {"expired"},
    Outcome.REJECTED: {"rejected"},
}


def _outcomes(sim: Simulation, ledger: Ledger) -> Iterator[str]:
    desk = sim.exchange.desk
    for key, order in ledger.orders.items():
        yield from _outcome(key, order, desk.by_client_id.get(key))
    for key, order in ledger.orders.items():
        if order.told.outcome is Outcome.UNKNOWN and not _may_stay_unknown(sim, key, order):
            yield f"{key}: unknown for good"


def _may_stay_unknown(sim: Simulation, key: str, order: Order) -> bool:
    """True for an order that the broker does not know, until its session is over.

    By design the session of a GTC order never is.
    """
    desk = sim.exchange.desk
    if key in desk.by_client_id:
        return False
    over = desk.sessions.serving(order.seen_at).closes <= sim.clock.now()
    return order.told.time_in_force == "gtc" or not over


def _outcome(key: str, order: Order, found: ExchangeOrder | None) -> Iterator[str]:
    told = order.told
    if found is None:
        if told.broker_order_id is not None:
            yield f"{key}: the record says {told.outcome.value}, the exchange has no such order"
        elif told.filled_quantity or told.fills:
            yield f"{key}: the record holds fills of an order that never was"
        return
    if told.outcome in STILL_OPEN:
        # What is open goes on while nobody looks; only its end is compared.
        if not found.is_open:
            yield f"{key}: the record says {told.outcome.value}, the exchange {found.status}"
        return
    if found.status not in _ENDED.get(told.outcome, set()):
        yield f"{key}: the record says {told.outcome.value}, the exchange {found.status}"
    if told.filled_quantity != found.filled_quantity:
        yield f"{key}: {told.filled_quantity} filled by the record, {found.filled_quantity} there"
    if told.average_fill_price != found.average_price:
        yield f"{key}: filled at {told.average_fill_price} by the record, {found.average_price}"


def _account(sim: Simulation, ledger: Ledger) -> Iterator[str]:
    """Shares agree exactly, cash to the cent."""
    desk = sim.exchange.desk
    held = {symbol: one.quantity for symbol, one in desk.positions.items() if one.quantity}
    recorded = {symbol: one.quantity for symbol, one in ledger.positions.items()}
    if held != recorded:
        yield f"the record holds {_shares(recorded)}, the account {_shares(held)}"
    assert ledger.cash is not None, "the ledger begins with the account's cash"
    difference = ledger.cash - desk.cash
    if abs(difference) > cash_tolerance(sim):
        yield f"cash by the record and at the exchange differ by {difference} USD"


def cash_tolerance(sim: Simulation) -> Decimal:
    """USD by which the cash of the record may differ from the exchange's.

    Nothing, where the broker told each piece of what filled. Else the exchange books every fill at
    the cent, and the record the sum of them, by quantity and average: for an order that filled in
    one piece the two are the same. For n pieces each is within half a cent a rounding of the exact
    sum, n + 1 roundings in all, and both are whole cents.
    """
    if sim.outside is not None and not sim.met.pieces_lost:
        return ZERO
    pieces = Counter(one.client_order_id for one in sim.exchange.desk.fills)
    halves = (count + 1 for count in pieces.values() if count > 1)
    return sum((Decimal(count // 2) / 100 for count in halves), ZERO)


def _shares(held: dict[str, Decimal]) -> str:
    return (
        ", ".join(f"{quantity} {symbol}" for symbol, quantity in sorted(held.items())) or "nothing"
    )
