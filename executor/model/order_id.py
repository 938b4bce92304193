"""The ids of our orders: pure functions of repository, plan, place in it and leg.

An id reads back to where it comes from, so that the broker's own list tells which plan an order
serves, also where the run that sent it died before it could write anything down.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

Leg = Literal["entry", "stop", "fraction", "target"]

ID_PREFIX: Final = "ai"
DIGEST_DIGITS: Final = 32
"""Hexadecimal digits of the plan's digest that an id carries."""

_FORM: Final = re.compile(
    r"ai-(?P<home>[0-9a-f]{8})-(?P<plan>[0-9a-f]{32})-(?P<index>0|[1-9][0-9]{0,4})"
    r"(-(?P<leg>stop|fraction|target)(\.(?P<number>[1-9][0-9]{0,5}))?)?"
)


@dataclass(frozen=True, slots=True)
class OrderId:
    """An id of ours, taken apart."""

    home: str
    """8 hexadecimal digits of the SHA-256 of the settings' `repository`."""
    plan: str
    """The first 32 hexadecimal digits of the plan's digest."""
    index: int
    """The instruction, from 0."""
    leg: Leg = "entry"
    """The part that the order plays for it."""
    number: int = 0
    """How many orders of the same leg came before it."""


def home_of(repository: str) -> str:
    """Eight hexadecimal digits that stand for a repository in the ids of its orders."""
    return hashlib.sha256(repository.encode()).hexdigest()[:8]


def client_order_id(
    repository: str, plan_digest: str, index: int, leg: Leg = "entry", number: int = 0
) -> str:
    """The id of an order: a pure function of repository, plan and place in it.

    `ai-<8 hex of the repository's SHA-256>-<32 hex of the plan's digest>-<index>[-<leg>[.n]]`, at
    most 70 characters of the 128 that Alpaca allows. Two instructions never share one: index, leg
    and number are parts of their own. The entry of an instruction is one order for ever; a leg that
    ended is followed by the next number.
    """
    assert leg != "entry" or number == 0, "an instruction has one entry"
    suffix = "" if leg == "entry" else f"-{leg}"
    suffix += f".{number}" if number else ""
    return f"{ID_PREFIX}-{home_of(repository)}-{plan_digest[:DIGEST_DIGITS]}-{index}{suffix}"


def parse_order_id(text: str) -> OrderId | None:
    """Take an id of ours apart; None for every other id."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    leg: Leg = "entry"
    match found["leg"]:
        case "stop":
            leg = "stop"
        case "fraction":
            leg = "fraction"
        case "target":
            leg = "target"
    return OrderId(
        found["home"], found["plan"], int(found["index"]), leg, int(found["number"] or 0)
    )
