"""A broker of a page: it takes what protection asks for, or refuses it as the real one would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from executor.decisions.protection import (
    Moves,
    Placement,
    Role,
    Standing,
    Surroundings,
    plan_protection,
)
from executor.model.facts import PositionFacts
from executor.model.ledger import Lot, LotKey
from executor.model.numbers import ZERO
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_id import Leg

REPOSITORY = "local"


def working(
    key: str,
    symbol: str = "MU",
    side: str = "sell",
    quantity: object = 10,
    order_type: str = "stop",
    **keys: object,
) -> OrderReport:
    """An open order: a stop unless told otherwise."""
    base = OrderReport(
        client_order_id=key,
        broker_order_id=f"broker {key}",
        symbol=symbol,
        side="sell" if side == "sell" else "buy",
        order_type=order_type,
        time_in_force="gtc",
        status=OrderStatus.OPEN,
        broker_status="new",
        quantity=Decimal(str(quantity)),
        notional=None,
    )
    return replace(base, **keys)  # type: ignore[arg-type]


@dataclass
class Toy:
    """Holdings, orders and the lots of the record that protection is worked out for."""

    lots: dict[LotKey, Lot]
    held: dict[str, Decimal]
    standing: list[Standing] = field(default_factory=list)
    others: list[OrderReport] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    """Client order ids of ours among the others."""
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    may_exit: bool = True
    why_no_exit: str = ""
    grown: frozenset[str] = frozenset()
    withdrawn_by: str = ""
    through: frozenset[tuple[LotKey, Leg]] = frozenset()
    used: set[str] = field(default_factory=set)
    """Every id that it ever had."""
    log: list[str] = field(default_factory=list)

    def around(self) -> Surroundings:
        """What protection sees beside the lots and their orders."""
        return Surroundings(
            repository=REPOSITORY,
            positions={
                symbol: PositionFacts(symbol, quantity, ZERO, ZERO, ZERO)
                for symbol, quantity in self.held.items()
                if quantity
            },
            others=tuple(self.others),
            own_entries=self.own,
            prices=self.prices,
            may_exit=self.may_exit,
            why_no_exit=self.why_no_exit,
            grown=self.grown,
            withdrawn_by=self.withdrawn_by,
            through=self.through,
        )

    def plan(self) -> Moves:
        """Ask what is to be done now."""
        return plan_protection(self.lots.values(), self.standing, self.around())

    def settle(self, rounds: int = 6) -> Moves:
        """Do what is asked for until nothing is, in a few rounds."""
        for _ in range(rounds):
            moves = self.plan()
            if moves.is_rest:
                return moves
            self.apply(moves)
        raise AssertionError(f"no rest within {rounds} rounds: {self.log}")

    def apply(self, moves: Moves) -> None:
        """Cancel and place."""
        for report, reason in moves.cancels:
            self.log.append(f"cancel {report.client_order_id}: {reason}")
            assert reason, "each cancel has its reason"
            self._end(report.client_order_id)
        for one in moves.placements:
            self.log.append(f"place {one.request.client_order_id}")
            self._place(one)

    def _end(self, key: str) -> None:
        """Canceling one of a pair cancels the other one."""
        gone = {key}
        for one in self.standing:
            if one.report.client_order_id == key and one.role.parent is not None:
                gone.add(one.role.parent)
        gone |= {one.report.client_order_id for one in self.standing if one.role.parent in gone}
        self.standing = [one for one in self.standing if one.report.client_order_id not in gone]
        self.others = [one for one in self.others if one.client_order_id not in gone]

    def on_sale(self, symbol: str) -> Decimal:
        """Shares that open SELLs hold back; a pair of exits holds them once."""
        alone = [
            one.report
            for one in self.standing
            if one.report.symbol == symbol and one.role.parent is None
        ]
        paired = {
            one.role.parent: one.report
            for one in self.standing
            if one.report.symbol == symbol and one.role.parent is not None
        }
        parents = {one.client_order_id for one in alone}
        pairs = [one for parent, one in paired.items() if parent not in parents]
        foreign = [one for one in self.others if one.symbol == symbol and one.side == "sell"]
        return sum((one.open_quantity for one in [*alone, *pairs, *foreign]), ZERO)

    def _place(self, placement: Placement) -> None:
        request, role = placement.request, placement.role
        symbol, quantity = request.symbol, request.quantity
        assert quantity is not None, "a stop is for shares"
        assert request.client_order_id not in self.used, "an id is unique for ever"
        self.used.add(request.client_order_id)
        free = self.held.get(symbol, ZERO) - self.on_sale(symbol)
        assert quantity <= free, f"insufficient shares of {symbol}: {quantity} of {free}"
        resting = [one for one in self.others if one.symbol == symbol and one.side == "buy"]
        assert not resting, f"a wash trade with {resting[0].client_order_id}"
        whole = quantity == quantity.to_integral_value()
        assert whole or (request.time_in_force == "day" and request.order_class == "simple")
        lot = self.lots[role.key]
        self.lots[role.key] = lot.numbered(role.leg, role.number)
        if request.order_type == "market":
            assert self.may_exit, "a market order may be sent"
            self._sell(role.key, symbol, quantity)
            return
        report = working(
            request.client_order_id,
            symbol,
            quantity=quantity,
            order_type=request.order_type,
            stop_price=request.stop_price,
            trail_percent=request.trail_percent,
            limit_price=request.take_profit_price,
            time_in_force=request.time_in_force,
            order_class=request.order_class,
        )
        self.standing.append(Standing(role, report))
        if request.order_class == "oco":
            child = working(
                f"leg of {request.client_order_id}",
                symbol,
                quantity=quantity,
                stop_price=request.stop_loss_price,
                order_class="oco",
            )
            of = Role(role.key, "stop", 0, request.client_order_id)
            self.standing.append(Standing(of, child))

    def _sell(self, key: LotKey, symbol: str, quantity: Decimal) -> None:
        self.held[symbol] -= quantity
        lot = self.lots[key]
        self.lots[key] = replace(lot, quantity=lot.quantity - quantity)
        if not self.lots[key].quantity:
            del self.lots[key]


def by_key(lots: Iterable[Lot]) -> dict[LotKey, Lot]:
    """Lots as a record holds them."""
    return {one.key: one for one in lots}
