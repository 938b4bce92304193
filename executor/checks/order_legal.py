"""Orders have a form that the broker accepts, and that this version can send."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from executor.model.context import Context
from executor.model.market import Rung
from executor.model.numbers import ONE, decimals, plain
from executor.model.plan import TradingInstruction
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no
from executor.model.words import usd

BUY_MINIMUM_USD: Final = ONE
"""USD that a BUY must be worth (Alpaca: minimum order size)."""

PRICE_KEYS: Final = {
    "limit_price": ("limit",),
    "stop_price": ("stop",),
    "trail_percent": (),
}
"""Order types that each price belongs to, among those that are supported."""

LATER: Final = {
    "stop_limit": "use `stop` with a `stop_price`, or `limit` with a `limit_price`",
    "trailing_stop": "use `market`, or `stop` with a `stop_price`",
}
"""Order types that this version does not send yet, and what to use instead."""


class Flaw(NamedTuple):
    """What is wrong with one instruction."""

    key: str
    observed: str
    limit: str
    remedy: str


def judge(context: Context) -> Iterator[Finding]:
    """Read each instruction as an order ticket; what cannot be sent at all is not read further."""
    lines = {line.index: line for line in context.lines}
    for index, instruction in enumerate(context.plan.instructions):
        line = lines.get(index)
        if index in context.facts.already_sent:
            continue
        flaws = list(_unsupported(instruction))
        if line is not None and not flaws:
            found = line.reference
            # A delayed price proves nothing about what an order is worth.
            market = None if found is None or found.rung is Rung.DELAYED else found.price
            flaws = [
                *_foreign_keys(instruction),
                *_amount(instruction),
                *_prices(instruction),
                *_part(instruction, line.quantity),
                *_minimum(instruction, instruction.limit_price or market),
            ]
        for flaw in flaws:
            what = f"{instruction.ticker} {instruction.action.lower()}: {flaw.observed}"
            yield no(index, observed=what, limit=flaw.limit, remedy=flaw.remedy, key=flaw.key)


def _unsupported(instruction: TradingInstruction) -> Iterator[Flaw]:
    """Name what is part of the form but not of this version, rather than do half of it."""
    limit = "not supported by this version yet"
    if instruction.action == "CANCEL":
        remedy = "take the line out, and cancel the order at the broker"
        yield Flaw("action", "action CANCEL", limit, remedy)
    elif instruction.action == "PROTECT":
        remedy = "take the line out; an entry brings its stop with `stop_loss_pct`"
        yield Flaw("action", "action PROTECT", limit, remedy)
    else:
        if instruction.order_type in LATER:
            kind = instruction.order_type
            yield Flaw("order_type", f"order_type {kind}", limit, LATER[kind])
        if instruction.protect == "bracket":
            remedy = "use `stop`; the target stays a reason to review"
            yield Flaw("protect", "protect bracket", limit, remedy)


def _foreign_keys(instruction: TradingInstruction) -> Iterator[Flaw]:
    for key, owner in (("loosen", "PROTECT"), ("client_order_id", "CANCEL")):
        if getattr(instruction, key) is not None:
            yield Flaw(key, f"`{key}` is set", f"`{key}` belongs to {owner}", f"take `{key}` out")


def _amount(instruction: TradingInstruction) -> Iterator[Flaw]:
    quantity, notional = instruction.quantity, instruction.notional
    limit = "either `quantity` or `notional`"
    if quantity is None and notional is None:
        yield Flaw("quantity", "neither quantity nor notional", limit, "give `quantity`")
    elif quantity is not None and notional is not None:
        yield Flaw("notional", "both quantity and notional", limit, "take `notional` out")
    if quantity == "all" and instruction.action == "BUY":
        yield Flaw("quantity", "quantity all", "`all` is for a SELL", "give a number of shares")
    if notional is None:
        return
    if decimals(notional) > 2:
        remedy = f"round `notional` to {notional:.2f}"
        yield Flaw("notional", f"notional {plain(notional)} USD", "at most 2 decimals", remedy)
    if instruction.order_type != "market":
        remedy = "give `quantity` in shares instead, or use order_type market"
        yield Flaw("notional", f"a notional {instruction.order_type} order", "market only", remedy)


def _prices(instruction: TradingInstruction) -> Iterator[Flaw]:
    kind = instruction.order_type
    for key, kinds in PRICE_KEYS.items():
        price: Decimal | None = getattr(instruction, key)
        if price is None and kind in kinds:
            yield Flaw(key, f"order_type {kind} without a {key}", f"a {key}", f"give `{key}`")
        elif price is not None and kind not in kinds:
            limit = f"order_type {' or '.join(kinds) or 'trailing_stop'}"
            yield Flaw(key, f"order_type {kind} with a {key}", limit, f"take `{key}` out")
        elif price is not None and decimals(price) > (allowed := 2 if price >= 1 else 4):
            limit = f"{allowed} decimals for a price {'from' if price >= 1 else 'below'} 1 USD"
            remedy = f"round `{key}` to {allowed} decimals"
            yield Flaw(key, f"{key} {plain(price)} USD", limit, remedy)


def _part(instruction: TradingInstruction, resolved: Decimal | None) -> Iterator[Flaw]:
    """Hold fractions to the session; `all` is a fraction where the holding is known to be one."""
    shares = resolved if instruction.quantity == "all" else instruction.shares
    is_part = instruction.notional is not None or (shares is not None and shares % 1 != 0)
    if is_part and instruction.time_in_force != "day":
        what = "a notional" if instruction.notional is not None else "a fraction of a share"
        yield Flaw(
            "time_in_force",
            f"{what} with time_in_force {instruction.time_in_force}",
            "`day` for fractions and notionals",
            "set `time_in_force` to day",
        )


def _minimum(instruction: TradingInstruction, price: Decimal | None) -> Iterator[Flaw]:
    shares, worth = instruction.shares, instruction.notional
    if worth is None and shares is not None and price is not None:
        worth = shares * price
    if instruction.action == "BUY" and worth is not None and worth < BUY_MINIMUM_USD:
        limit = f"a BUY of at least {usd(BUY_MINIMUM_USD)}"
        yield Flaw("quantity", f"worth {plain(worth)} USD", limit, "buy more, or take the line out")


RULE = Rule(id="order_legal", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
