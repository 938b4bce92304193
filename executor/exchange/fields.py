"""Numbers and prices of a client's request: read exactly, held to the market's increments."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from executor.exchange.messages import bad_request, unprocessable
from executor.model.numbers import ONE, decimals, is_bounded

_DIGITS: Final = frozenset("0123456789.eE+-")


def read_number(body: Mapping[str, object], name: str, shown: str = "") -> Decimal | None:
    """Read a positive number, given as a string or as a JSON number; None where it is absent.

    Args:
        body: The object that holds it.
        name: Its key.
        shown: What refusals call it; absent, the key.

    Raises:
        Refusal: It is no number, not above 0, or not within what the exchange can count.
    """
    given, shown = body.get(name), shown or name
    if given is None or given == "":
        return None
    if isinstance(given, bool) or not isinstance(given, (str, int, Decimal)):
        raise bad_request(f"invalid {shown}")
    # Decimal would read "1_000", " 1" and the digits of other scripts.
    if isinstance(given, str) and not set(given) <= _DIGITS:
        raise bad_request(f"invalid {shown}: {given}")
    try:
        number = Decimal(given)
    except InvalidOperation as error:
        raise bad_request(f"invalid {shown}: {given}") from error
    if not number.is_finite() or number <= 0:
        raise bad_request(f"{shown} must be > 0")
    if not is_bounded(number):
        raise unprocessable(f"{shown} must be limited to 9 decimal places and below 10^12")
    return number


def require_increment(name: str, price: Decimal | None) -> None:
    """Hold a price to two decimals, below 1 USD to four.

    Raises:
        Refusal: It is finer.
    """
    if price is not None and decimals(price) > (2 if price >= ONE else 4):
        raise unprocessable(
            f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )
