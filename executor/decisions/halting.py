"""Which open orders a halt withdraws: what would add risk, and on request what protects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from executor.model.ledger import Ledger
from executor.model.numbers import ZERO
from executor.model.order import OrderReport
from executor.model.order_id import Leg, home_of, parse_order_id
from executor.model.standing import leg_ids, open_at_broker
from executor.model.state import TradingState, TradingStateRecord, is_tighter


def tightened(
    before: TradingStateRecord | None, asked: TradingState, changed: TradingStateRecord
) -> TradingStateRecord | None:
    """The state to write; None where the one in force is as tight already, or tighter.

    Withdrawing what protects is written down whatever the state: no run may put it back unasked.

    Where the one in force cannot be read nothing is sent at all, so only HALTED does not loosen it.

    Args:
        before: the state in force; None where it cannot be read.
        asked: what was asked for.
        changed: the new record, with who and why; its state is filled in here.
    """
    if before is None:
        return changed.model_copy(update={"state": TradingState.HALTED})
    withdrawn = before.protection_withdrawn or changed.protection_withdrawn
    if not is_tighter(asked, before.state) and withdrawn == before.protection_withdrawn:
        return None
    kept = {
        "state": asked if is_tighter(asked, before.state) else before.state,
        "protection_withdrawn": withdrawn,
        "peak_equity_rebased_at": before.peak_equity_rebased_at,
    }
    return changed.model_copy(update=kept)


@dataclass(frozen=True, slots=True)
class Owned:
    """An open order of ours."""

    report: OrderReport
    protects: bool
    """True for a stop or a target; False for an order that a plan's own line asked for."""

    def adds_risk(self, held: Mapping[str, Decimal]) -> bool:
        """True where it opens or enlarges a holding: a buy that covers a short one does not."""
        one = self.report
        if self.protects or one.side != "buy":
            return False
        return held.get(one.symbol, ZERO) >= 0


def owned(orders: Sequence[OrderReport], ledger: Ledger, repository: str) -> tuple[Owned, ...]:
    """The open orders that are ours: by the record, by the form of their id, or by their parent.

    Args:
        orders: what the broker lists as open, with the legs that hang on them.
        ledger: the record.
        repository: the settings' name of this repository.
    """
    home = home_of(repository)
    parents = [one for one in orders if _leg_of(one.client_order_id, ledger, home) is not None]
    children = leg_ids(parents)
    found = []
    for one in open_at_broker(orders):
        leg = _leg_of(one.client_order_id, ledger, home)
        if leg is not None or one.client_order_id in children:
            # Ids of children are of the broker's making.
            found.append(Owned(one, leg != "entry"))
    return tuple(found)


def _leg_of(key: str, ledger: Ledger, home: str) -> Leg | None:
    """The part that an order of ours plays; None for every other order."""
    known, form = ledger.orders.get(key), parse_order_id(key)
    if known is not None:
        return known.leg
    return form.leg if form is not None and form.home == home else None
