"""The account's configurations, which its owner sets: what they are, and reading a change of them.

Those that bear on orders have their effect in `admission` and in the account's buying power. The
others are kept and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from executor.exchange.messages import bad_request

SUSPEND: Final = "suspend_trade"
"""The configuration that is a flag of the account itself."""


@dataclass(frozen=True, slots=True)
class Configurations:
    """What the owner of the account has set, apart from `suspend_trade`."""

    disable_overnight_trading: bool = False
    dtbp_check: str = "entry"
    fractional_trading: bool = True
    """False: orders for fractions or for an amount are refused."""
    max_margin_multiplier: str = "4"
    """1, 2 or 4: the account's own multiplier, or this if it is lower, makes buying power."""
    max_options_trading_level: int = 0
    no_shorting: bool = False
    """True: long only. This exchange is long only whatever it says."""
    ptp_no_exception_entry: bool = False
    trade_confirm_email: str = "all"

    def as_json(self, *, suspend_trade: bool) -> dict[str, object]:
        """Show the configurations as Alpaca does."""
        return {**asdict(self), SUSPEND: suspend_trade}


_ALLOWED: Final[Mapping[str, tuple[object, ...]]] = {
    "dtbp_check": ("both", "entry", "exit"),
    "max_margin_multiplier": ("1", "2", "4"),
    "max_options_trading_level": (0, 1, 2, 3),
    "trade_confirm_email": ("all", "none"),
}


def changed(now: Configurations, body: Mapping[str, object]) -> Configurations:
    """Read a change; every key is checked before any is taken.

    A key that is null, or that this exchange does not know (`pdt_check` of older clients), changes
    nothing.

    Raises:
        Refusal: A value is not among those that the key may have.
    """
    names = {one.name for one in fields(Configurations)}
    given = {name: value for name, value in body.items() if value is not None}
    for name in sorted(given.keys() & (names | {SUSPEND})):
        value = given[name]
        # By type as well: True equals 1.
        if not any(value == one and type(value) is type(one) for one in _allowed(name)):
            raise bad_request(f"invalid {name}: {value}")
    kept: dict[str, Any] = {name: given[name] for name in given.keys() & names}
    return replace(now, **kept)


def _allowed(name: str) -> tuple[object, ...]:
    return _ALLOWED.get(name, (True, False))
