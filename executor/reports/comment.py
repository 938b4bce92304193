"""The validator's one comment on a pull request, and its summary: decided on a phone, in ten lines.

What stands first is enough to say yes or no; everything behind it is folded in. Words of an agent,
a branch or a broker stand in code spans only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.decisions.outlook import GAP_PCT, Holding, Outlook
from executor.decisions.rule_changes import RuleChanges, Scope
from executor.decisions.validate import Judgment
from executor.model.context import Context
from executor.model.fields import is_ticker
from executor.model.numbers import HUNDRED, ZERO, plain
from executor.model.plan import TradingInstructionSet
from executor.model.verdict import Answer, Verdict
from executor.model.words import count, instant
from executor.reports.markdown import COMMENT_MAX, SUMMARY_MAX, cell, code, details, fitted, table
from executor.reports.money import Zones, part, short_usd, whole_usd
from executor.reports.pull_request import sides, what

MARKER: Final = "<!-- autoinvestor:validate -->"
"""Begins the comment, by which it is found again; nobody sees it."""

FIRST_LINES: Final = 10
"""Lines before the first fold: what fits on a phone's screen."""

ORDERS_FIRST: Final = 4
"""Lines of the plan among these."""

SENTENCE_MAX: Final = 300
"""Characters of a verdict."""

BAR: Final = 20
"""Characters of a bar of the chart; a full one is the limit."""

ICONS: Final = {
    Answer.YES: "✅",
    Answer.NO: "❌",
    Answer.NOT_NOW: "🕒",
    Answer.NOT_JUDGED_HERE: "⏭️",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on main that changed the rules."""

    commit: str
    at: datetime
    subject: str
    """Somebody else's words."""


@dataclass(frozen=True, slots=True)
class RulesSince:
    """What changed of the rules since a plan was executed last."""

    since: datetime | None
    """When that was; None: nothing was executed yet, and nothing is listed."""
    commits: tuple[Commit, ...] = ()
    """The newest first."""
    has_more: bool = False
    changes: RuleChanges = field(default_factory=RuleChanges)


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What was found about the plan."""

    digest: str
    plan: TradingInstructionSet | None
    """None where a gate refuses it."""
    verdicts: tuple[Verdict, ...]
    context: Context | None = None
    """None where the account could not be asked, or had not to be."""
    judgment: Judgment | None = None
    outlook: Outlook | None = None
    until: datetime | None = None
    unavailable: str | None = None
    """Why the account could not be asked."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """What was found about a pull request."""

    number: int
    head: str
    scope: Scope
    plan: PlanReport | None
    """None where it carries none."""
    now: datetime
    zones: Zones
    settings_digest: str
    since: RulesSince | None = None

    @property
    def answer(self) -> Answer:
        """No, not now, or yes; a plan whose account did not answer is not now."""
        if self.scope.problems or (self.plan is not None and _is_refused(self.plan)):
            return Answer.NO
        if self.plan is None or self.plan.judgment is None:
            return Answer.YES if self.plan is None else Answer.NOT_NOW
        waits = self.plan.judgment.waits or self.plan.judgment.openings_wait
        return Answer.NOT_NOW if waits else Answer.YES


def _is_refused(plan: PlanReport) -> bool:
    if plan.judgment is None:
        return any(one.answer is Answer.NO for one in plan.verdicts)
    return plan.judgment.rejected or bool(plan.judgment.denied)


def comment(report: PullReport) -> str:
    """The sticky comment, within GitHub's 65,536 characters."""
    parts = _parts(report, lines=200, verdicts=40)
    return fitted(f"{MARKER}\n{_first(report)}", parts, COMMENT_MAX, _about(report))


def summary(report: PullReport) -> str:
    """The same for the job's summary, with far more room: within 1 MiB."""
    head = f"### Pull request #{report.number}\n\n{_first(report)}"
    # A character takes at most four bytes.
    parts = _parts(report, lines=4_000, verdicts=400)
    return fitted(head, parts, SUMMARY_MAX // 4, _about(report))


def _first(report: PullReport) -> str:
    lines = [_headline(report)]
    lines += [f"- ❌ {code(one, SENTENCE_MAX)}" for one in report.scope.problems[:2]]
    plan = report.plan
    if plan is None:
        lines += _rule_lines(report.scope.rules)[:6]
        return "\n".join(lines)
    if plan.plan is None or plan.judgment is None:
        noes = [one for one in plan.verdicts if one.answer is Answer.NO]
        lines += [f"- ❌ {code(one.sentence(), SENTENCE_MAX)}" for one in noes[:5]]
    if plan.plan is not None:
        room = FIRST_LINES - len(lines) - (4 if plan.outlook is not None else 1)
        lines += _orders(plan, min(room, ORDERS_FIRST + 1))
    if plan.outlook is not None:
        lines += _money(plan.outlook)
    if plan.until is not None:
        lines.append(
            f"- **Good until** {report.zones.both(plan.until, report.now)}, if it is merged now"
        )
    return "\n".join(lines[:FIRST_LINES])


def _headline(report: PullReport) -> str:
    plan, icon = report.plan, ICONS[report.answer]
    if plan is None:
        if report.answer is Answer.NO:
            return f"{icon} **Refused**: this may not be merged"
        if report.scope.changes_rules:
            return f"⚠️ **Changes the rules**: {report.scope.rules.counted()}; no plan"
        return f"{icon} **No plan**, and no rule changes"
    told = sides(plan.plan) if plan.plan else "a plan that cannot be read"
    if plan.outlook is not None and plan.outlook.traded:
        told += f" · {short_usd(plan.outlook.traded)}"
    if report.answer is Answer.NO:
        return f"{icon} **Refused**: {told}"
    if report.answer is Answer.YES:
        return f"{icon} **May be merged**: {told}"
    if plan.unavailable is not None:
        return f"{icon} **Not judged yet**: {told}; {code(plan.unavailable, SENTENCE_MAX)}"
    return f"{icon} **May be merged, and waits**: {told}; {waits_for(plan.verdicts)}"


def waits_for(verdicts: Iterable[Verdict]) -> str:
    """What a plan waits for, by the first check that says not now."""
    for one in verdicts:
        if one.answer is Answer.NOT_NOW:
            return code(f"{one.check}: {one.remedy or one.observed or 'later'}", SENTENCE_MAX)
    return "for a check"


def _orders(plan: PlanReport, room: int) -> list[str]:
    """A line an order, first the ones that a check says no to; what has no room is counted."""
    assert plan.plan is not None, "the caller looked"
    told = plan.plan.instructions
    denied = {one.index: one for one in reversed(plan.verdicts) if one.answer is Answer.NO}
    waiting = {one.index for one in plan.verdicts if one.answer is Answer.NOT_NOW}
    lines = []
    if None in denied:
        lines.append(f"- ❌ {code(denied[None].sentence(), SENTENCE_MAX)}")
    order = sorted(range(len(told)), key=lambda index: (index not in denied, index))
    room = max(room - len(lines), 1)
    shown = order if len(order) <= room else order[: room - 1]
    worth = {one.index: one.worst_notional for one in plan.context.lines} if plan.context else {}
    for index in shown:
        amount = worth.get(index)
        about = f" ≈ {whole_usd(amount)}" if amount is not None else ""
        icon = "❌ " if index in denied else "🕒 " if index in waiting else ""
        why = f": {code(denied[index].check)}" if index in denied else ""
        lines.append(f"- {icon}**{what(told[index])}**{about}{why}")
    if len(shown) < len(order):
        lines.append(f"- and {count(len(order) - len(shown), 'more line')}, below")
    return lines


def _money(found: Outlook) -> list[str]:
    cash = f"- **Cash** {whole_usd(found.cash_before)} → {whole_usd(found.cash_after)}"
    gross = (part(found.share(found.gross_before)), part(found.share(found.gross_after)))
    risk = (part(found.share(found.stops_before)), part(found.share(found.stops_after)))
    stops = f"- **Exposure** {gross[0]} → {gross[1]} of equity · **risk** to the stops {risk[0]}"
    naked = f" (without a stop: {_symbols(found.naked_after)})" if found.naked_after else ""
    worst = (
        f"- **Worst case** every stop fills: {_loss(found, found.stops_after)}{naked}"
        f" · every price gaps {plain(GAP_PCT)} %: {_loss(found, found.gap_loss)}"
    )
    if found.unpriced:
        cash += f" (without {_symbols(found.unpriced)}: no price)"
    return [cash, f"{stops} → {risk[1]}", worst]


def _loss(found: Outlook, amount: Decimal) -> str:
    return f"{whole_usd(-amount)} ({part(found.share(amount))})"


def _symbols(symbols: Sequence[str]) -> str:
    told = ", ".join(one if is_ticker(one) else "?" for one in symbols[:5])
    return told + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")


def _parts(report: PullReport, *, lines: int, verdicts: int) -> list[str]:
    plan = report.plan
    parts: list[str] = []
    if plan is not None:
        parts.append(_checks(plan.verdicts, verdicts))
        if plan.outlook is not None and plan.context is not None:
            parts.append(_positions(plan.context, plan.outlook, lines))
            parts.append(_chart(plan.context, plan.outlook, lines))
        if report.since is not None:
            parts.append(_since(report.since, lines))
        if plan.plan is not None and len(plan.plan.instructions) > ORDERS_FIRST:
            parts.append(_all_lines(plan.plan, lines))
    if report.scope.rules:
        told = "\n".join(_rule_lines(report.scope.rules)[:lines])
        parts.append(details(f"Rules that it changes: {report.scope.rules.counted()}", told))
    return parts


def _checks(verdicts: Sequence[Verdict], most: int) -> str:
    noes = [one for one in verdicts if one.answer is Answer.NO]
    waiting = [one for one in verdicts if one.answer is Answer.NOT_NOW]
    warned = [one for one in verdicts if one.warning is not None]
    fine = sorted(
        {one.check for one in verdicts if one.answer is Answer.YES}
        - {one.check for one in (*noes, *waiting, *warned)}
    )
    elsewhere = sorted({one.check for one in verdicts if one.answer is Answer.NOT_JUDGED_HERE})
    told = []
    for icon, some in (("❌", noes), ("🕒", waiting), ("⚠️", warned)):
        told += [f"- {icon} {code(one.sentence(), SENTENCE_MAX)}" for one in some[:most]]
        if len(some) > most:
            told.append(f"- {icon} {len(some) - most:,} more of these in the job's log")
    if fine:
        told.append(f"- ✅ {', '.join(fine)}")
    if elsewhere:
        told.append(f"- ⏭️ judged when it is executed: {', '.join(elsewhere)}")
    said = [count(len(noes), "no") if len(noes) == 1 else f"{len(noes):,} noes"] if noes else []
    said += [f"{len(waiting):,} not now"] if waiting else []
    said += [count(len(warned), "warning")] if warned else []
    return details(f"Checks: {', '.join([*said, f'{len(fine)} fine'])}", "\n".join(told))


def _positions(context: Context, found: Outlook, most: int) -> str:
    limit = context.limits.position_max_pct
    rows = [
        (
            cell(one.symbol, 20),
            plain(one.before),
            plain(one.after),
            whole_usd(one.value_after),
            part(found.share(abs(one.value_after))),
            "no stop" if one.stop_loss_after is None else whole_usd(-one.stop_loss_after),
        )
        for one in _largest(found.holdings)[:most]
    ]
    columns = ("symbol", "shares before", "after", "worth", "of equity", "if its stops fill")
    text = table(columns, rows, frozenset(columns[1:])) if rows else "nothing is held"
    if len(found.holdings) > most:
        text += f"\n\n{len(found.holdings) - most:,} smaller ones are left out."
    told = [f"- a holding: at most {part(limit)} of equity"] if limit is not None else []
    told += [
        f"- {name}: {before} → {after}, limit {most_allowed}"
        for name, before, after, most_allowed in limit_lines(context, found)
    ]
    return details("Positions and limits, before → after", "\n".join((*told, "", text)))


def limit_lines(context: Context, found: Outlook) -> tuple[tuple[str, str, str, str], ...]:
    """Name, before, after and limit of what the whole account is held to."""
    limits, rows = context.limits, []
    if limits.margin_use_max_pct is not None:
        allowed = limits.margin_use_max_pct if context.settings.margin.allowed else ZERO
        debit = [
            part(found.share(max(-one, ZERO))) for one in (found.cash_before, found.cash_after)
        ]
        rows.append(("debit", debit[0], debit[1], f"{part(allowed)} of equity"))
    if limits.exposure_max_x is not None:
        gross = [part(found.share(one)) for one in (found.gross_before, found.gross_after)]
        most = f"{part(limits.exposure_max_x * HUNDRED)} of equity"
        rows.append(("gross exposure", gross[0], gross[1], most))
    return tuple(rows)


def _chart(context: Context, found: Outlook, most: int) -> str:
    """Bars in text: GitHub's apps show other charts as their source."""
    limit = context.limits.position_max_pct or HUNDRED
    bars = []
    for one in _largest(found.holdings)[: min(most, 40)]:
        share = found.share(abs(one.value_after))
        filled = min(int(share * BAR / limit), BAR) if share.is_finite() else BAR
        symbol = one.symbol if is_ticker(one.symbol) else "?"
        bars.append(f"{symbol:<8} {'█' * filled}{'░' * (BAR - filled)} {part(share)}")
    text = "\n".join(bars) or "nothing is held"
    title = f"Holdings after it; a full bar is {part(limit)} of equity"
    return details(title, f"```text\n{text}\n```")


def _largest(holdings: Iterable[Holding]) -> list[Holding]:
    return sorted(holdings, key=lambda one: (-abs(one.value_after), one.symbol))


def _all_lines(plan: TradingInstructionSet, most: int) -> str:
    told = [f"{index}. {what(one)}" for index, one in enumerate(plan.instructions[:most])]
    if len(plan.instructions) > most:
        told.append(f"\n{len(plan.instructions) - most:,} more lines; the plan's file has them.")
    return details(f"All {len(plan.instructions):,} lines", "\n".join(told))


def _rule_lines(rules: RuleChanges) -> list[str]:
    told = []
    if rules.is_unreadable:
        told.append("- the new settings cannot be read: the last valid ones would go on judging")
    for one in rules.settings:
        old = code(one.old) if one.old else "absent"
        new = code(one.new) if one.new else "absent"
        told.append(f"- {code(one.key, 100)}: {old} → {new}")
    return told + [f"- {code(path, 200)}" for path in rules.paths]


def _since(since: RulesSince, most: int) -> str:
    if since.since is None:
        return "No plan was executed yet, so no change of the rules is listed."
    if not since.changes and not since.commits:
        return f"No rule has changed since the last execution, {instant(since.since)}."
    told = [
        f"- `{one.commit[:12]}` {instant(one.at)} {code(one.subject, 100)}" for one in since.commits
    ]
    if since.has_more:
        told.append("- and older ones")
    told += _rule_lines(since.changes)
    if len(told) > most:
        told = [*told[:most], f"- and {len(told) - most:,} more"]
    title = f"⚠️ Rules changed since the last execution: {since.changes.counted()}"
    return details(title, "\n".join(told))


def _about(report: PullReport) -> str:
    told = [
        f"- judged {instant(report.now)}, head `{report.head[:12]}`,"
        f" settings `{report.settings_digest[:12]}`"
    ]
    plan = report.plan
    if plan is not None:
        told.append(f"- digest: `{plan.digest}`")
        quotes = sorted({instant(at) for at in _quoted(plan.context)})
        if quotes:
            told.append(f"- quotes of {' to '.join(quotes[:1] + quotes[1:][-1:])}")
    return "\n".join(told)


def _quoted(context: Context | None) -> Iterable[datetime]:
    return (one.reference.at for one in context.lines if one.reference) if context else ()
