"""Whether a plan only does less than another one: that edit needs no approval of its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from executor.model.plan import TradingInstruction, TradingInstructionSet

SIZES: Final = ("quantity", "notional", "target_allocation")
"""Keys of a line that may become smaller; `target_allocation` goes with the quantity."""

DISTANCES: Final = ("stop_loss_pct", "trail_percent")
"""Keys of a line that may become smaller, or appear where there was no stop."""


def added_risk(before: TradingInstructionSet, after: TradingInstructionSet) -> str | None:
    """What an edit asks for beyond the plan before it; None where it only takes away.

    Taking away is: fewer lines, less quantity or notional, a tighter stop. Whatever else changes
    counts as added, a word as well. Where something is still bought, a SELL, CANCEL or PROTECT that
    goes or shrinks leaves more at risk than was proposed, so that counts as added too.
    """
    changed = sorted(_differing(before, after) - {"instructions", "status", "intent"})
    if changed:
        return f"changes {changed[0]}"
    still_buys = any(one.action == "BUY" for one in after.instructions)
    rest = iter(enumerate(before.instructions))
    for index, line in enumerate(after.instructions):
        passed = _until(rest, line)
        if passed is None:
            return (
                f"instructions[{index}], {line.action} {line.ticker}, is no line of before, or more"
            )
        skipped, was = passed
        if still_buys and any(one.action != "BUY" for one in skipped):
            return "takes an exit out and still buys"
        if still_buys and line.action == "SELL" and line != was:
            return f"instructions[{index}] sells less of {line.ticker}, and the plan still buys"
    if still_buys and any(one.action != "BUY" for _, one in rest):
        return "takes an exit out and still buys"
    return None


def _until(
    rest: Iterator[tuple[int, TradingInstruction]], line: TradingInstruction
) -> tuple[list[TradingInstruction], TradingInstruction] | None:
    """Go on to the first line of before that this one is, or is less than; None: there is none."""
    skipped: list[TradingInstruction] = []
    for _, was in rest:
        if _is_less_or_same(was, line):
            return skipped, was
        skipped.append(was)
    return None


def _is_less_or_same(was: TradingInstruction, now: TradingInstruction) -> bool:
    changed = _differing(was, now)
    for key in changed & {*SIZES}:
        if not _is_smaller(getattr(was, key), getattr(now, key)):
            return False
    for key in changed & {*DISTANCES}:
        is_stop = key == "stop_loss_pct" or now.action == "PROTECT"
        tighter = _is_smaller(getattr(was, key), getattr(now, key))
        if not is_stop or not (tighter or (key == "stop_loss_pct" and was.stop_loss_pct is None)):
            return False
    if "stop_price" in changed and not (
        now.action == "PROTECT" and _is_smaller(now.stop_price, was.stop_price)
    ):
        return False
    if "loosen" in changed and now.loosen:
        return False
    return not changed - {*SIZES, *DISTANCES, "stop_price", "loosen"}


def _is_smaller(was: object, now: object) -> bool:
    """True for a number that became smaller; `all` and what is absent are no numbers."""
    return isinstance(was, Decimal) and isinstance(now, Decimal) and now < was


def _differing(
    before: TradingInstruction | TradingInstructionSet,
    after: TradingInstruction | TradingInstructionSet,
) -> set[str]:
    keys = type(before).model_fields
    return {key for key in keys if getattr(before, key) != getattr(after, key)}
