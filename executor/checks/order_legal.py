"""Orders have a form that the broker accepts, and lines say nothing that is not done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from executor.model.context import Context, Line
from executor.model.ledger import stop_of, target_of
from executor.model.market import Rung
from executor.model.numbers import CENT, HUNDRED, ONE, ZERO, decimals, plain
from executor.model.order_result import StopTerms
from executor.model.plan import TradingInstruction
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no
from executor.model.words import percent, usd

BUY_MINIMUM_USD: Final = ONE
"""USD that a BUY must be worth (Alpaca: minimum order size)."""

PRICE_KEYS: Final = {
    "limit_price": ("limit", "stop_limit"),
    "stop_price": ("stop", "stop_limit"),
    "trail_percent": ("trailing_stop",),
}
"""Order types that each price belongs to."""

BRACKET_TYPES: Final = ("market", "limit")
"""How an entry may be priced that others hang on (Alpaca's answer to any other: 40010001)."""

TRADE_KEYS: Final = (
    "quantity",
    "notional",
    "limit_price",
    "target_allocation",
    "profit_target_pct",
    "stop_loss_pct",
    "decision_price",
)
"""Keys that say nothing in a CANCEL or a PROTECT."""

STOP_KEYS: Final = ("stop_price", "trail_percent", "protect")
"""Keys by which a PROTECT says where the stop goes; it has one of them."""


class Flaw(NamedTuple):
    """What is wrong with one instruction."""

    key: str
    observed: str
    limit: str
    remedy: str


def judge(context: Context) -> Iterator[Finding]:
    """Read each instruction as an order ticket."""
    lines = {line.index: line for line in context.lines}
    for index, instruction in enumerate(context.plan.instructions):
        if index in context.facts.already_sent:
            continue
        line = lines.get(index)
        if line is not None:
            flaws = list(_trade(line))
        else:
            flaws = list(
                _cancel(instruction) if instruction.action == "CANCEL" else _protect(instruction)
            )
        for flaw in flaws:
            what = f"{instruction.ticker} {instruction.action.lower()}: {flaw.observed}"
            yield no(index, observed=what, limit=flaw.limit, remedy=flaw.remedy, key=flaw.key)


def _trade(line: Line) -> Iterator[Flaw]:
    instruction, found = line.instruction, line.reference
    # A delayed price proves nothing about what an order is worth.
    market = None if found is None or found.rung is Rung.DELAYED else found.price
    yield from _foreign_keys(instruction)
    yield from _amount(instruction)
    yield from _prices(instruction)
    yield from _part(instruction, line.quantity)
    yield from _minimum(instruction, instruction.limit_price or market)
    yield from _protection(instruction)
    yield from _hanging(instruction, market)


def _cancel(instruction: TradingInstruction) -> Iterator[Flaw]:
    limit = "a CANCEL names an order, and nothing else"
    yield from _idle_keys(instruction, (*TRADE_KEYS, *STOP_KEYS, "loosen"), limit)
    if instruction.client_order_id is None:
        remedy = "give `client_order_id`, the order to withdraw"
        yield Flaw("client_order_id", "no client_order_id", limit, remedy)


def _protect(instruction: TradingInstruction) -> Iterator[Flaw]:
    limit = "a PROTECT is about the whole holding, and says where its stop goes"
    yield from _idle_keys(instruction, (*TRADE_KEYS, "client_order_id"), limit)
    given = [key for key in STOP_KEYS if getattr(instruction, key) is not None]
    if len(given) != 1:
        what = f"both {given[0]} and {given[1]}" if given else "no stop"
        one_of = "one of `stop_price`, `trail_percent` and `protect`"
        yield Flaw(given[1] if given else "stop_price", what, one_of, f"give {one_of}")
    if instruction.protect in ("stop", "bracket"):
        remedy = "give `stop_price` or `trail_percent` instead"
        yield Flaw("protect", f"protect {instruction.protect}", "only `none` in a PROTECT", remedy)
    elif instruction.protect == "none" and not instruction.loosen:
        remedy = "set `loosen` to true, or give `stop_price`"
        limit = "`loosen` true where the stop goes away"
        yield Flaw("loosen", "protect none without loosen", limit, remedy)
    if instruction.stop_price is not None:
        yield from _price_form("stop_price", instruction.stop_price)
    if instruction.trail_percent is not None:
        yield from _price_form("trail_percent", instruction.trail_percent)


def _idle_keys(instruction: TradingInstruction, keys: Sequence[str], limit: str) -> Iterator[Flaw]:
    """Name what would be read and not done."""
    idle = [key for key in keys if getattr(instruction, key) is not None]
    idle += ["order_type"] if instruction.order_type != "market" else []
    idle += ["time_in_force"] if instruction.time_in_force != "day" else []
    for key in idle:
        yield Flaw(key, f"`{key}` is set", limit, f"take `{key}` out")


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
            limit = f"order_type {' or '.join(kinds)}"
            yield Flaw(key, f"order_type {kind} with a {key}", limit, f"take `{key}` out")
        elif price is not None:
            yield from _price_form(key, price)


def _price_form(key: str, price: Decimal) -> Iterator[Flaw]:
    if key == "trail_percent":
        if price >= HUNDRED:
            remedy = "set `trail_percent` below 100"
            yield Flaw(key, f"a trail of {percent(price)}", "less than 100 %", remedy)
    elif decimals(price) > (allowed := 2 if price >= 1 else 4):
        limit = f"{allowed} decimals for a price {'from' if price >= 1 else 'below'} 1 USD"
        remedy = f"round `{key}` to {allowed} decimals"
        yield Flaw(key, f"{key} {plain(price)} USD", limit, remedy)


def _part(instruction: TradingInstruction, resolved: Decimal | None) -> Iterator[Flaw]:
    """Hold fractions to the session; `all` is a fraction where the holding is known to be one."""
    shares = resolved if instruction.quantity == "all" else instruction.shares
    is_part = instruction.notional is not None or (shares is not None and shares % 1 != 0)
    what = "a notional" if instruction.notional is not None else "a fraction of a share"
    if is_part and instruction.time_in_force != "day":
        yield Flaw(
            "time_in_force",
            f"{what} with time_in_force {instruction.time_in_force}",
            "`day` for fractions and notionals",
            "set `time_in_force` to day",
        )
    if is_part and instruction.order_type == "trailing_stop" and instruction.notional is None:
        remedy = "give `quantity` in whole shares, or use order_type stop with a `stop_price`"
        yield Flaw("quantity", f"{what} that trails", "whole shares for a trailing stop", remedy)


def _minimum(instruction: TradingInstruction, price: Decimal | None) -> Iterator[Flaw]:
    shares, worth = instruction.shares, instruction.notional
    if worth is None and shares is not None and price is not None:
        worth = shares * price
    if instruction.action == "BUY" and worth is not None and worth < BUY_MINIMUM_USD:
        limit = f"a BUY of at least {usd(BUY_MINIMUM_USD)}"
        yield Flaw("quantity", f"worth {plain(worth)} USD", limit, "buy more, or take the line out")


def _protection(instruction: TradingInstruction) -> Iterator[Flaw]:
    """Hold what an entry asks for to what can stand behind it."""
    protect = instruction.protect
    if instruction.action == "SELL" and protect is not None:
        remedy = "take `protect` out; what remains of a holding keeps its stop"
        yield Flaw("protect", f"protect {protect}", "`protect` belongs to a BUY", remedy)
    if instruction.action == "SELL" or protect not in ("stop", "bracket"):
        return
    wanted = ["stop_loss_pct"] + ["profit_target_pct"] * (protect == "bracket")
    for key in wanted:
        if getattr(instruction, key) is None:
            yield Flaw(key, f"protect {protect} without a {key}", f"a {key}", f"give `{key}`")
    if protect == "stop":
        return
    shares = instruction.shares
    if instruction.notional is not None or (shares is not None and shares % 1 != 0):
        what = "a notional" if instruction.notional is not None else "a fraction of a share"
        remedy = "set `protect` to stop; the target stays a reason to review"
        yield Flaw("protect", f"a bracket of {what}", "whole shares for a bracket", remedy)
    if instruction.order_type not in BRACKET_TYPES:
        remedy = "use one of these, or set `protect` to stop"
        limit = f"order_type {' or '.join(BRACKET_TYPES)} for a bracket"
        yield Flaw("order_type", f"a bracket of order_type {instruction.order_type}", limit, remedy)


def _hanging(instruction: TradingInstruction, market: Decimal | None) -> Iterator[Flaw]:
    """Hold what hangs on an entry at the broker to a cent's distance from its base price.

    That is the limit; for the stop the market's price, where that is lower.
    """
    shares, is_bracket = instruction.shares, instruction.protect == "bracket"
    base = {"limit": instruction.limit_price, "market": market if is_bracket else None}.get(
        instruction.order_type
    )
    if not instruction.wants_stop or base is None or shares is None or shares % 1 != 0:
        return
    terms = StopTerms(
        stop_loss_pct=instruction.stop_loss_pct,
        profit_target_pct=instruction.profit_target_pct if is_bracket else None,
    )
    stop, target = stop_of(terms, base) or ZERO, target_of(terms, base)
    lowest, below = min(base, market or base), instruction.stop_loss_pct
    # From 100 % on there is no stop at all, which `protective_exit` says.
    if below is not None and below < HUNDRED and not 0 < stop <= lowest - CENT:
        limit = f"above 0 and at least 0.01 USD under {plain(lowest)} USD"
        remedy = "choose another `stop_loss_pct`, or a `limit_price` nearer to the market"
        yield Flaw("stop_loss_pct", f"its stop would lie at {plain(stop)} USD", limit, remedy)
    if target is not None and target < base + CENT:
        limit = f"at least 0.01 USD over {plain(base)} USD"
        what = f"its target would lie at {plain(target)} USD"
        yield Flaw("profit_target_pct", what, limit, "set a larger `profit_target_pct`")


RULE = Rule(id="order_legal", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
