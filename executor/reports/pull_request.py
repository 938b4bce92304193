"""A plan's pull request: its title and body, from our own template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.model.numbers import plain
from executor.model.plan import TradingInstruction, TradingInstructionSet
from executor.reports.markdown import code, details, fitted, quote
from executor.reports.money import Zones, short_usd

REASON_MAX: Final = 300
"""Characters of a line's reason in the body; the file has it in full."""

WHY_MAX: Final = 2_000
"""Characters of the plan's own reason."""

REASONING_MAX: Final = 6_000
"""Characters of the review's reasoning."""

LINES_A_PART: Final = 50
"""Lines of the plan that stand or fall together where room is short."""

_ACTIONS: Final = ("SELL", "BUY", "CANCEL", "PROTECT")
"""In the order in which they are executed, and told."""


BRIEF_MAX: Final = 2
"""Lines of a plan that a title names one by one."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known about a plan when its pull request is opened."""

    plan: TradingInstructionSet
    digest: str
    strategy: str
    exits_only: bool
    traded: Decimal | None
    """USD of all BUYs and SELLs; None where there are no prices."""
    until: datetime | None
    """Until when it is good if it is approved now; None where that cannot be told."""
    now: datetime
    zones: Zones
    mode: str
    """`sim`, `paper` or `live`."""
    handed_by: str | None = None
    """Login of the person who handed it over for the bot to open; None where nobody did."""


def title(outline: Outline) -> str:
    """`[paper] BUY MU $5,000`, of many lines `[paper] SELL 1, BUY 2 · $28.0k · until 16:00 ET`.

    No word of it is an agent's.
    """
    start = f"[{outline.mode}] {brief(outline.plan)}"
    if len(outline.plan.instructions) <= BRIEF_MAX:
        return start
    parts = [start]
    if outline.traded:
        parts.append(short_usd(outline.traded))
    if outline.until is not None:
        parts.append(f"until {outline.zones.short(outline.until, outline.now)}")
    return " · ".join(parts)


def brief(plan: TradingInstructionSet) -> str:
    """`SELL 2 MU, BUY NVDA $30,000`; of more than two lines how many there are of each kind."""
    if not 0 < len(plan.instructions) <= BRIEF_MAX:
        return sides(plan)
    ranked = sorted(plan.instructions, key=lambda one: _ACTIONS.index(one.action))
    told = [_brief(one) for one in ranked]
    if plan.trading_state is not None:
        told.append(f"trading {plan.trading_state.state}")
    return ", ".join(told)


def _brief(one: TradingInstruction) -> str:
    size = "" if one.quantity is None else f"{_amount(one.quantity)} "
    money = "" if one.notional is None else f" ${Decimal(plain(one.notional)):,}"
    return f"{one.action} {size}{one.ticker}{money}"


def sides(plan: TradingInstructionSet) -> str:
    """`SELL 1, BUY 2`; a plan without lines asks for a trading state."""
    counts = {action: sum(one.action == action for one in plan.instructions) for action in _ACTIONS}
    told = [f"{action} {count:,}" for action, count in counts.items() if count]
    if plan.trading_state is not None:
        told.append(f"trading {plan.trading_state.state}")
    return ", ".join(told) or "no orders"


def what(one: TradingInstruction) -> str:
    """One line of a plan, in our own words: nothing of it is free text."""
    if one.action == "CANCEL":
        return f"CANCEL an order of {one.ticker}"
    if one.action == "PROTECT":
        return f"PROTECT {one.ticker}: {_stop(one)}"
    size = "" if one.quantity is None else f"{_amount(one.quantity)} "
    money = "" if one.notional is None else f" for {plain(one.notional)} USD"
    return f"{one.action} {size}{one.ticker}{money}, {_kind(one)}{_guard(one)}"


def _amount(quantity: Decimal | str) -> str:
    return plain(quantity) if isinstance(quantity, Decimal) else quantity


def _kind(one: TradingInstruction) -> str:
    told = [one.order_type.replace("_", " ")]
    if one.stop_price is not None:
        told.append(f"from {plain(one.stop_price)}")
    if one.trail_percent is not None:
        told.append(f"trailing {plain(one.trail_percent)} %")
    if one.limit_price is not None:
        told.append(f"at {plain(one.limit_price)}" if one.order_type == "limit" else
                    f"limit {plain(one.limit_price)}")  # fmt: skip
    return " ".join(told) + (" until canceled" if one.time_in_force == "gtc" else "")


def _guard(one: TradingInstruction) -> str:
    if one.action != "BUY":
        return ""
    if one.wants_stop and one.stop_loss_pct is not None:
        return f", stop {plain(one.stop_loss_pct)} % below"
    return ", without a stop"


def _stop(one: TradingInstruction) -> str:
    loose = " (may loosen)" if one.loosens else ""
    if one.stop_price is not None:
        return f"stop at {plain(one.stop_price)}{loose}"
    if one.trail_percent is not None:
        return f"stop trailing {plain(one.trail_percent)} %{loose}"
    return "take its stop away"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a proposal comes from; every word may be somebody else's."""

    review_link: str | None
    """Address of the review's file at its commit; None where there is no review."""
    review_path: str | None
    decision: str | None
    reasoning: str | None
    labels: Mapping[str, str]
    """What the review says of its maker: `model`, `strategy_version`, `trigger`."""


def body(outline: Outline, origin: Origin) -> str:
    """The body of the pull request; texts of the agent stand in code spans, and do nothing."""
    plan = outline.plan
    until = (
        f"If it is merged now, it is good until {outline.zones.both(outline.until, outline.now)}."
        if outline.until is not None
        else "How long it is good is said in the comment below."
    )
    kind = " Nothing of it opens a position." if outline.exits_only else ""
    head = "\n\n".join(
        (
            f"**[{outline.mode}] {brief(plan)}** for the book {code(outline.strategy)}.{kind}"
            f" {until}",
            "**Yes:** merge it, with a merge commit. The merge is the approval; orders follow."
            " Wait for the three `plan/` marks to be green.\n"
            "**No:** close it. That is recorded with your name; your last comment is the reason.",
            "The validator's comment has the verdict, the numbers and the risk.",
            *_handed(outline),
        )
    )
    parts = ["**Why**\n\n" + quote(plan.reason, WHY_MAX)]
    parts += _lines(plan.instructions)
    if plan.trading_state is not None:
        asked = plan.trading_state
        parts.append(f"- trading state {asked.state}: {code(asked.reason, REASON_MAX)}")
    parts.append(_about(outline, origin))
    if origin.reasoning:
        shown = quote(origin.reasoning, REASONING_MAX)
        parts.append(details("The strategy's reasoning, in its own words", shown))
    return fitted(head, parts)


def _handed(outline: Outline) -> list[str]:
    if outline.handed_by is None:
        return []
    return [
        f"Handed over by {code(outline.handed_by, 100)}. Whoever hands a plan over and merges it"
        " alone approves their own words in a second step; no other person has looked."
    ]


def _lines(instructions: Sequence[TradingInstruction]) -> list[str]:
    told = [
        f"{number}. **{what(one)}**: {code(one.reason, REASON_MAX)}"
        for number, one in enumerate(instructions)
    ]
    # GitHub counts a list on from its first number: the plan's own, which begin with 0.
    return [
        "\n".join(told[start : start + LINES_A_PART]) for start in range(0, len(told), LINES_A_PART)
    ]


def _about(outline: Outline, origin: Origin) -> str:
    told = []
    if origin.review_link is not None:
        told.append(f"- review: [{origin.review_path}]({origin.review_link})")
    else:
        told.append("- review: none was handed over")
    if origin.decision:
        told.append(f"- decision: {code(origin.decision, REASON_MAX)}")
    told += [f"- {name}: {code(text, 200)}" for name, text in origin.labels.items()]
    told.append(f"- digest: `{outline.digest}`")
    return "\n".join(told)


def superseded(by: int, strategy: str) -> str:
    """What is said in an older pull request before it is closed."""
    return f"Superseded by #{by}: a newer proposal for the book `{strategy}`."
