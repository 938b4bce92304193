"""The checkpoint: what is kept of a ledger, so that a fold goes on from there at any length.

What it forgets: fills and protection of orders (they are booked), the text of a refusal, orders
that ended long ago, stop-outs of before the last 400 days, ids of activities that were booked more
than 40 days before the newest one, and all but the newest foreign orders that somebody took over
and that ended. Nothing of it is asked for again: an order that ended is told no more, and
activities are asked for from the newest one on. So a fold that goes on from a checkpoint ends where
the whole fold ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from executor.model.account import AccountRecord
from executor.model.checkpoint import (
    BookedRecord,
    Checkpoint,
    CostRecord,
    LedgerRecord,
    LotRecord,
    OrderRecord,
    StopOutRecord,
    SuspendedRecord,
    TransferRecord,
)
from executor.model.ledger import Ledger, Lot, LotKey, Order, Suspended, Transfer
from executor.model.numbers import ZERO
from executor.model.order_result import InstructionResult, LegResult, OrderResult
from executor.model.position import Position
from executor.model.result import ExecutionResult, Observed

ENDED_DAYS: Final = timedelta(days=3)
"""How long an order that ended is kept."""

ENDED_KEPT: Final = 5_000
"""Orders that ended and are kept, at most; the newest are kept whatever their number."""

TODAY: Final = timedelta(days=2)
"""What the newest are: `settle` lists the broker's orders from a day before the last result on, and
whatever of them the record does not know it takes for news."""

STOP_OUT_DAYS: Final = timedelta(days=400)
STOP_OUTS_KEPT: Final = 5_000
ACTIVITY_DAYS: Final = timedelta(days=40)
ACKNOWLEDGED_KEPT: Final = 1_000


def prune(ledger: Ledger) -> Ledger:
    """Keep what a fold needs to go on; the size does not grow with the record."""
    if ledger.as_of is None:
        return ledger
    since = ledger.as_of - STOP_OUT_DAYS
    stop_outs = [one for one in ledger.stop_outs if one[2] >= since]
    newest = max(ledger.activities.values(), default=ledger.as_of)
    booked = {key: at for key, at in ledger.activities.items() if at >= newest - ACTIVITY_DAYS}
    return replace(
        ledger,
        orders={key: _without_details(one) for key, one in _orders(ledger).items()},
        stop_outs=tuple(stop_outs[-STOP_OUTS_KEPT:]),
        acknowledged=_acknowledged(ledger.acknowledged),
        activities=booked,
    )


def _orders(ledger: Ledger) -> Mapping[str, Order]:
    """Open orders, what hangs on them or they on, and orders that ended lately."""
    assert ledger.as_of is not None, "a ledger with orders has results"
    today, lately = ledger.as_of - TODAY, ledger.as_of - ENDED_DAYS
    still_open = {key for key, one in ledger.orders.items() if one.is_open}
    parents = {one.parent for one in ledger.open_orders}
    kept, ended = set(still_open), []
    for key, one in ledger.orders.items():
        if one.seen_at >= today or key in parents or one.parent in still_open:
            kept.add(key)
        elif one.seen_at >= lately:
            ended.append((one.seen_at, key))
    kept.update(key for _, key in sorted(ended)[-ENDED_KEPT:])
    return {key: one for key, one in ledger.orders.items() if key in kept}


def _without_details(order: Order) -> Order:
    told = order.told
    update: dict[str, object] = {"fills": ()}
    if told.refusal is not None:
        update["refusal"] = told.refusal.model_copy(update={"body": ""})
    if isinstance(told, InstructionResult):
        update["protection"] = ()
    else:
        update |= {"parent": None, "strategy": None}
    return replace(order, told=told.model_copy(update=update))


def _acknowledged(orders: Mapping[str, Observed]) -> Mapping[str, Observed]:
    over = [key for key, one in orders.items() if one.is_over]
    forgotten = set(over[: max(0, len(over) - ACKNOWLEDGED_KEPT)])
    return {key: one for key, one in orders.items() if key not in forgotten}


def account_in(result: ExecutionResult) -> AccountRecord | None:
    """The account as a result tells it; None where no broker was asked."""
    told = result.final_portfolio
    if told.as_of is None or result.mode is None or result.account is None:
        return None
    return AccountRecord(
        as_of=told.as_of,
        mode=result.mode,
        account=result.account,
        cash=told.cash,
        equity=told.total_value,
        buying_power=told.buying_power or ZERO,
        margin_used=told.margin_used or ZERO,
        positions=told.positions,
        open_orders=told.open_orders,
    )


def checkpoint_of(
    ledger: Ledger,
    account: AccountRecord,
    *,
    of_account: str | None,
    tip_path: str,
    tip_digest: str,
) -> Checkpoint | None:
    """Write a ledger down; None where a number in it is beyond what a document holds.

    Args:
        ledger: the fold of the results of one mode (and account), the newest one included.
        account: the account as the broker told it last.
        of_account: the account that the fold was for, `…1234`; None: every account of the mode.
        tip_path: the newest result of all modes.
        tip_digest: its digest.
    """
    shared = {name: getattr(account, name) for name in AccountRecord.model_fields}
    try:
        return Checkpoint(
            **{
                **shared,
                "through": tip_path,
                "through_digest": tip_digest,
                "of_account": of_account,
                "ledger": _record(prune(ledger)),
            }
        )
    except ValidationError:
        return None


def _record(ledger: Ledger) -> LedgerRecord:
    plain = {name: getattr(ledger, name) for name in _PLAIN}
    return LedgerRecord(
        **plain,
        transfer_log=tuple(TransferRecord(**asdict(one)) for one in ledger.transfer_log),
        suspense=tuple(_suspended(group, one) for group, one in ledger.suspense.items()),
        positions=tuple(
            CostRecord(symbol=one.symbol, quantity=one.quantity, cost_basis=one.cost_basis)
            for one in ledger.positions.values()
        ),
        lots=tuple(_lot(one) for one in ledger.lots.values()),
        orders=tuple(_order(one) for one in ledger.orders.values()),
        stop_outs=tuple(
            StopOutRecord(strategy=book, symbol=symbol, at=at)
            for book, symbol, at in ledger.stop_outs
        ),
        observed=tuple(ledger.observed.values()),
        acknowledged=tuple(ledger.acknowledged.values()),
        activities=tuple(BookedRecord(id=key, at=at) for key, at in ledger.activities.items()),
    )


_PLAIN: Final = (
    "opening_cash",
    "opened_at",
    "adopted",
    "cash_change",
    "realized_pl",
    "income",
    "transfers",
    "activities_through",
    "peak_net",
    "peak_at",
    "rebased_at",
    "results",
    "through",
    "as_of",
)
"""Fields that are the same in the ledger and in its record."""


def differs(
    checkpoint: Checkpoint, whole: Ledger, told: Sequence[tuple[str, ExecutionResult]] = ()
) -> str | None:
    """Name what a checkpoint says otherwise than all results; None where it says what they do.

    Orders that were kept for what hangs on them are left out: when that was told decides.

    Args:
        checkpoint: the checkpoint.
        whole: the fold of all results up to it.
        told: these results; the newest one that tells of the account is compared as well.
    """
    kept, expected = _sure(ledger_of(checkpoint)), _sure(whole)
    for name in (one.name for one in fields(Ledger)):
        if getattr(kept, name) != getattr(expected, name):
            return name
    account = next(filter(None, (_of(checkpoint, one) for _, one in reversed(told))), None)
    names = set(AccountRecord.model_fields) - {"through"} if account else set()
    wrong = (one for one in sorted(names) if getattr(checkpoint, one) != getattr(account, one))
    return next(wrong, None)


def _of(checkpoint: Checkpoint, result: ExecutionResult) -> AccountRecord | None:
    """The account as a result of the checkpoint's ledger tells it."""
    named = checkpoint.of_account
    is_its = result.mode is checkpoint.mode and named in (None, result.account)
    return account_in(result) if is_its else None


def _sure(ledger: Ledger) -> Ledger:
    kept = prune(ledger)
    if kept.as_of is None:
        return kept
    since = kept.as_of - ENDED_DAYS
    orders = kept.orders.items()
    return replace(
        kept, orders={key: one for key, one in orders if one.is_open or one.seen_at >= since}
    )


def _lot(lot: Lot) -> LotRecord:
    plain = asdict(lot)
    return LotRecord(**plain.pop("key"), **plain)


def _suspended(group: str, one: Suspended) -> SuspendedRecord:
    plain = asdict(replace(one, lots=()))
    return SuspendedRecord(**{**plain, "group": group, "lots": tuple(map(_lot, one.lots))})


def _order(order: Order) -> OrderRecord:
    told = order.told
    return OrderRecord(
        **{name: getattr(told, name) for name in OrderResult.model_fields},
        instruction=isinstance(told, InstructionResult),
        plan_digest=order.plan_digest,
        strategy=order.strategy,
        first_result=order.first_result,
        seen_at=order.seen_at,
        leg=order.leg,
        parent=order.parent,
        stop=order.terms,
        valid_until=order.valid_until,
    )


def ledger_of(checkpoint: Checkpoint) -> Ledger:
    """The ledger that a checkpoint holds."""
    record = checkpoint.ledger
    orders = [_order_of(one) for one in record.orders]
    return Ledger(
        **{name: getattr(record, name) for name in _PLAIN},
        transfer_log=tuple(Transfer(one.at, one.amount) for one in record.transfer_log),
        suspense={one.group: _suspended_of(one) for one in record.suspense},
        positions={
            one.symbol: Position(one.symbol, one.quantity, one.cost_basis)
            for one in record.positions
        },
        lots={lot.key: lot for lot in map(_lot_of, record.lots)},
        orders={one.told.client_order_id or "": one for one in orders},
        stop_outs=tuple((one.strategy, one.symbol, one.at) for one in record.stop_outs),
        observed={one.key: one for one in record.observed},
        acknowledged={one.key: one for one in record.acknowledged},
        activities={one.id: one.at for one in record.activities},
    )


def _fields(record: LotRecord | SuspendedRecord, *but: str) -> dict[str, object]:
    return {name: one for name, one in record if name not in but}


def _lot_of(record: LotRecord) -> Lot:
    key = LotKey(record.plan_digest, record.index)
    return Lot(key=key, **_fields(record, "plan_digest", "index"))  # type: ignore[arg-type]


def _suspended_of(record: SuspendedRecord) -> Suspended:
    lots = tuple(map(_lot_of, record.lots))
    return Suspended(lots=lots, **_fields(record, "group", "lots"))  # type: ignore[arg-type]


def _order_of(record: OrderRecord) -> Order:
    shared = {name: getattr(record, name) for name in OrderResult.model_fields}
    told: OrderResult
    if record.instruction:
        told = InstructionResult(**shared, stop=record.stop, valid_until=record.valid_until)
    else:
        told = LegResult(**shared, leg=record.leg, plan_digest=record.plan_digest)
    return Order(
        told=told,
        plan_digest=record.plan_digest,
        strategy=record.strategy,
        first_result=record.first_result,
        seen_at=record.seen_at,
        leg=record.leg,
        parent=record.parent,
    )
