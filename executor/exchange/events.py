"""What happens to an account without an order: what may be scheduled, how it is read and kept."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from executor.exchange.messages import read_time, stamp, unprocessable
from executor.exchange.prices import floor_minute
from executor.model.numbers import ZERO, cents, is_bounded, plain

KINDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "dividend": (("symbol", "per_share"), ()),
    "interest": (("amount",), ()),
    "fee": (("amount",), ("sub_type",)),
    "transfer": (("amount",), ("journal",)),
    "split": (("symbol", "new_rate", "old_rate"), ("price_factor",)),
    "spin_off": (("symbol", "new_symbol", "rate", "price"), ()),
    "merger": (("symbol",), ("cash", "new_symbol", "rate")),
    "symbol_change": (("symbol", "new_symbol"), ()),
}
"""Every kind: what it has to bring, and what it may bring."""

COMMON: Final = ("kind", "at", "description")
"""What every kind may bring; `kind` it has to."""

FEES: Final = ("REG", "TAF", "CAT", "COM", "NRC", "NRV", "LCT")
"""Sub-types of a FEE that an account of shares meets (Alpaca: ActivitySubType)."""

_SIGNED: Final = ("amount",)
_TEXTS: Final = ("symbol", "new_symbol", "sub_type", "journal")
_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.]{0,9}")


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event: what happens, when, and in which numbers."""

    kind: str
    at: datetime
    """When it takes effect."""
    symbol: str = ""
    new_symbol: str = ""
    numbers: Mapping[str, Decimal] = field(default_factory=dict)
    """By the keys of `KINDS`; `amount` is the signed change of cash, the others are above 0."""
    sub_type: str = ""
    journal: bool = False
    description: str = ""
    number: int = 0
    """How many events of the same content and time came before it."""

    @property
    def content(self) -> str:
        """The event's content and time as one text; two with the same one differ by `number`."""
        return json.dumps(self.as_json(), sort_keys=True)

    def number_of(self, name: str) -> Decimal:
        """Give a number that the kind has to bring."""
        return self.numbers[name]

    def as_json(self) -> dict[str, object]:
        """Show the event as it may be posted."""
        shown: dict[str, object] = {"kind": self.kind, "at": stamp(self.at)}
        shown |= {name: plain(value) for name, value in self.numbers.items()}
        texts = ("symbol", "new_symbol", "sub_type", "description")
        shown |= {name: value for name in texts if (value := getattr(self, name))}
        if self.journal:
            shown["journal"] = True
        return shown


def read_event(raw: object, now: datetime | None = None) -> AccountEvent:
    """Read an event from its JSON form.

    Args:
        raw: The parsed JSON.
        now: The present. What lies before it, or names no time, takes effect at once; later ones
            with the start of their minute, as a price stands still within one. None keeps the
            time as it is given.

    Raises:
        Refusal: A kind, a key or a value is not understood, in a sentence that says which.
    """
    if not isinstance(raw, Mapping) or raw.get("kind") not in KINDS:
        given = f"{raw.get('kind')!r}" if isinstance(raw, Mapping) else "no object"
        raise unprocessable(f"an event has a kind, not {given}; known are {', '.join(KINDS)}")
    kind = str(raw["kind"])
    required, optional = KINDS[kind]
    unknown = sorted(set(raw) - {*required, *optional, *COMMON})
    if unknown:
        known = ", ".join((*required, *optional, *COMMON))
        raise unprocessable(f"event {kind}: unknown key {unknown[0]!r}; known are {known}")
    missing = [name for name in required if raw.get(name) is None]
    if missing:
        raise unprocessable(f"event {kind}: {missing[0]} is missing")
    named = [one for one in (*required, *optional) if raw.get(one) is not None]
    event = AccountEvent(
        kind=kind,
        at=_time(raw.get("at"), now, kind),
        symbol=_symbol(raw, "symbol"),
        new_symbol=_symbol(raw, "new_symbol"),
        numbers={one: _number(kind, one, raw[one]) for one in named if one not in _TEXTS},
        sub_type=_sub_type(raw, kind),
        journal=_journal(raw),
        description=_description(raw),
    )
    _require_sense(event)
    return event


def _time(raw: object, now: datetime | None, kind: str) -> datetime:
    if raw is None:
        if now is None:
            raise unprocessable(f"event {kind}: at is missing")
        return now
    if not isinstance(raw, str):
        raise unprocessable(f"event {kind}: at is a time, not {raw!r}")
    at = read_time(raw, "at")
    return at if now is None else max(now, floor_minute(at))


def _symbol(raw: Mapping[str, object], name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not _SYMBOL.fullmatch(value):
        raise unprocessable(f"event {raw['kind']}: {name} {value!r} is no symbol")
    return value


def _sub_type(raw: Mapping[str, object], kind: str) -> str:
    value = raw.get("sub_type")
    if value is not None and value not in FEES:
        raise unprocessable(f"event {kind}: sub_type {value!r}; known are {', '.join(FEES)}")
    return str(value) if value is not None else ""


def _journal(raw: Mapping[str, object]) -> bool:
    value = raw.get("journal", False)
    if not isinstance(value, bool):
        raise unprocessable(f"event {raw['kind']}: journal is true or false, not {value!r}")
    return value


def _description(raw: Mapping[str, object]) -> str:
    value = raw.get("description", "")
    if not isinstance(value, str) or len(value) > 200:
        raise unprocessable("a description is a text of at most 200 characters")
    return value


def _number(kind: str, name: str, raw: object) -> Decimal:
    try:
        value = Decimal(str(raw)) if not isinstance(raw, bool) else None
    except InvalidOperation:
        value = None
    if value is None or not is_bounded(value):
        raise unprocessable(f"event {kind}: {name} {raw!r} is no number with at most 9 decimals")
    if name in _SIGNED:
        if not value or value != cents(value):
            raise unprocessable(f"event {kind}: {name} {raw} is not in cents, or is 0")
    elif value <= ZERO:
        raise unprocessable(f"event {kind}: {name} {raw}, limit above 0")
    return value


def _require_sense(event: AccountEvent) -> None:
    """Refuse an event whose parts do not go together."""
    numbers, kind = event.numbers, event.kind
    if kind == "fee" and numbers["amount"] > ZERO:
        raise unprocessable("event fee: amount is the change of cash, so below 0")
    if kind == "split" and numbers["new_rate"] == numbers["old_rate"]:
        raise unprocessable("event split: new_rate and old_rate are the same; nothing would change")
    if event.new_symbol and event.new_symbol == event.symbol:
        raise unprocessable(f"event {kind}: new_symbol is the symbol itself")
    if kind == "merger":
        if bool(event.new_symbol) != ("rate" in numbers):
            raise unprocessable("event merger: new_symbol and rate are given together")
        if not event.new_symbol and "cash" not in numbers:
            raise unprocessable("event merger: give cash, or new_symbol and rate, or all three")


class Schedule:
    """The events of an account: those that wait, and those that took effect."""

    def __init__(self) -> None:
        """Start without any."""
        self.pending: list[AccountEvent] = []
        """In the order of time, then of their coming."""
        self.past: list[AccountEvent] = []
        """In the order in which they took effect."""

    def add(self, event: AccountEvent) -> None:
        """Let an event wait for its time."""
        same = sum(one.content == event.content for one in (*self.pending, *self.past))
        self.pending.append(replace(event, number=same))
        self.pending.sort(key=lambda one: one.at)

    def take_due(self, now: datetime) -> AccountEvent | None:
        """Give the next event that is due by now, which from then on is past."""
        if not self.pending or self.pending[0].at > now:
            return None
        event = self.pending.pop(0)
        self.past.append(event)
        return event

    def clear(self) -> None:
        """Forget every event that still waits."""
        self.pending.clear()

    def require_listed(self, event: AccountEvent, listed: Collection[str]) -> None:
        """Refuse an event about a symbol that is not listed, nor will be when it is due.

        Raises:
            Refusal: A symbol that has to exist does not, or one that has to be new exists.
        """
        known = set(listed) | {one.new_symbol for one in self.pending if one.at <= event.at}
        if event.symbol and event.symbol not in known:
            raise unprocessable(f'event {event.kind}: symbol "{event.symbol}" is not listed')
        if event.kind == "merger" and event.new_symbol and event.new_symbol not in known:
            raise unprocessable(f'event merger: new_symbol "{event.new_symbol}" is not listed')
        if event.kind == "symbol_change" and event.new_symbol in known:
            raise unprocessable(
                f'event symbol_change: new_symbol "{event.new_symbol}" is listed already'
            )
