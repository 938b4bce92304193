"""The validator's one comment on a pull request, and its summary: decided on a phone, in ten lines.

What stands first is enough to say yes or no; everything behind it is folded in. Words of an agent,
a branch or a broker stand in code spans only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.decisions.outlook import GAP_PCT, Outlook
from executor.decisions.rule_changes import RuleChanges, RulesSince, Scope
from executor.decisions.validate import Judgment
from executor.model.context import Context, Line
from executor.model.fields import is_ticker
from executor.model.numbers import ZERO, plain
from executor.model.plan import TradingInstructionSet
from executor.model.verdict import Answer, Verdict
from executor.model.words import count
from executor.reports.markdown import COMMENT_MAX, SUMMARY_MAX, code, details, fitted
from executor.reports.money import Zones, chart, part, positions, short_usd, whole_usd
from executor.reports.pull_request import BRIEF_MAX, brief, what

MARKER: Final = "<!-- autoinvestor:validate -->"
"""Begins the comment, by which it is found again; nobody sees it."""

FIRST_LINES: Final = 10
"""Lines before the first fold: what fits on a phone's screen."""

ORDERS_FIRST: Final = 4
"""Lines of the plan among these."""

SENTENCE_MAX: Final = 300
"""Characters of a verdict."""

REASON_MAX: Final = 120
"""Characters of the plan's reason in the first lines; the body of the pull request has more."""

ALARMS: Final = frozenset({"approval"})
"""Checks whose warnings stand in the first lines: they are about the merge itself."""

ICONS: Final = {
    Answer.YES: "✅",
    Answer.NO: "❌",
    Answer.NOT_NOW: "🕒",
    Answer.NOT_JUDGED_HERE: "⏭️",
}


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
    mode: str
    """Main's: `sim`, `paper` or `live`."""
    policy: str
    """Main's approval policy; with `none`, the lines that no check denies go all the same."""
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
        told = _rule_lines(report.scope.rules)
        room = FIRST_LINES - len(lines)
        more = f"- and {len(told) - room + 1:,} more, below"
        lines += told if len(told) <= room else [*told[: room - 1], more]
        return "\n".join(lines)
    lines += _alarms(plan)
    if plan.plan is None or plan.judgment is None:
        noes = [one for one in plan.verdicts if one.answer is Answer.NO]
        lines += [f"- ❌ {code(one.sentence(), SENTENCE_MAX)}" for one in noes[:5]]
    if plan.plan is not None:
        ending = [f"- **Why** {code(plan.plan.reason, REASON_MAX)}", *_ending(report, plan)]
        lines += _orders(plan, min(FIRST_LINES - len(lines) - len(ending), ORDERS_FIRST + 1))
        lines += ending
    return "\n".join(lines[:FIRST_LINES])


def _headline(report: PullReport) -> str:
    plan, icon, mode = report.plan, ICONS[report.answer], f"[{report.mode}]"
    if plan is None:
        rules = report.scope.rules
        if report.answer is Answer.NO and rules.unreadable:
            return (
                f"{icon} **These settings cannot be read** {mode}: this may not be merged;"
                " until they are repaired only exits would go"
            )
        if report.answer is Answer.NO:
            return f"{icon} **Refused** {mode}: this may not be merged"
        if report.scope.changes_rules:
            return f"⚠️ **Changes the rules** {mode}: {rules.counted()}; no plan"
        return f"{icon} **No plan**, and no rule changes"
    told = brief(plan.plan) if plan.plan else "a plan that cannot be read"
    is_long = plan.plan is not None and len(plan.plan.instructions) > BRIEF_MAX
    if is_long and plan.outlook is not None and plan.outlook.traded:
        told += f" · {short_usd(plan.outlook.traded)}"
    if report.answer is Answer.NO:
        return f"{icon} **Refused** {mode}: {told}"
    if report.answer is Answer.YES:
        return f"{icon} **May be merged** {mode}: {told}"
    if plan.unavailable is not None:
        return f"{icon} **Not judged yet** {mode}: {told}; {code(plan.unavailable, SENTENCE_MAX)}"
    waits = waits_for(plan.verdicts, lambda text: report.zones.told(text, report.now))
    return f"{icon} **May be merged, and waits** {mode}: {told}; {waits}"


def _alarms(plan: PlanReport) -> list[str]:
    """What a reviewer must not overlook although it is no no."""
    lines = [
        f"- ⚠️ {code(one.sentence(), SENTENCE_MAX)}"
        for one in plan.verdicts
        if one.check in ALARMS and one.warning is not None
    ]
    for one in plan.outlook.withdrawn if plan.outlook is not None else ():
        stops = [
            f"at {plain(lot.stop_price)}"
            if lot.stop_price is not None
            else f"trailing {plain(lot.trail_percent or ZERO)} %"
            for lot in one.withdrawn[:3]
        ]
        lines.append(
            f"- ⚠️ **{_symbols([one.symbol])} is without its stop {', '.join(stops)}** while the"
            " SELL rests. If it does not fill, `settle` puts the stop back"
        )
    return lines[:2]


def _ending(report: PullReport, plan: PlanReport) -> list[str]:
    """What comes of it, and what yes and no do; of a refused plan only what would come."""
    if plan.judgment is None:
        return []
    if report.answer is not Answer.NO:
        until = f", good until {report.zones.both(plan.until, report.now)}" if plan.until else ""
        money = _money(plan.outlook) if plan.outlook is not None else []
        return [*money, f"- **Yes:** merge it, with a merge commit{until} · **No:** close it"]
    if plan.plan is None or report.scope.problems:
        return []
    going = sorted(plan.judgment.going)
    if report.policy != "none" or not going:
        return ["- If it is merged all the same, **nothing of it is sent**"]
    told = ", ".join(what(plan.plan.instructions[index]) for index in going[:3])
    told += f" and {len(going) - 3:,} more" if len(going) > 3 else ""
    money = _money(plan.outlook) if plan.outlook is not None else []
    return [f"- If it is merged all the same, **only this goes:** {told}", *money]


def waits_for(verdicts: Iterable[Verdict], told: Callable[[str], str] = str) -> str:
    """What a plan waits for, by the first check that says not now; `told` sets its clock."""
    for one in verdicts:
        if one.answer is Answer.NOT_NOW:
            when = one.remedy or one.observed or "later"
            return code(told(f"{one.check}: {when}"), SENTENCE_MAX)
    return "for a check"


def _orders(plan: PlanReport, room: int) -> list[str]:
    """A line an order, first the ones that a check says no to; what has no room is counted."""
    assert plan.plan is not None, "the caller looked"
    told = plan.plan.instructions
    denied: dict[int | None, list[Verdict]] = {}
    for one in plan.verdicts:
        if one.answer is Answer.NO:
            denied.setdefault(one.index, []).append(one)
    waiting = {one.index for one in plan.verdicts if one.answer is Answer.NOT_NOW}
    # Of what stands against the whole plan two are told: the first may hide what to do about it.
    whole = denied.get(None, [])
    lines = [f"- ❌ {_reasons(one)}" for one in (whole[:1], whole[1:]) if one]
    order = sorted(range(len(told)), key=lambda index: (index not in denied, index))
    room = max(room - len(lines), 1)
    shown = order if len(order) <= room else order[: room - 1]
    known = {one.index: one for one in plan.context.lines} if plan.context else {}
    for index in shown:
        about = _worth(known[index]) if index in known else ""
        icon = "❌ " if index in denied else "🕒 " if index in waiting else ""
        why = f": {_reasons(denied[index])}" if index in denied else ""
        lines.append(f"- {icon}**{what(told[index])}**{about}{why}")
    if len(shown) < len(order):
        lines.append(f"- and {count(len(order) - len(shown), 'more line')}, below")
    return lines


def _worth(line: Line) -> str:
    amount = f" ≈ {whole_usd(line.worst_notional)}" if line.worst_notional is not None else ""
    return amount + (f", price {plain(line.reference.price)}" if line.reference else "")


def _reasons(noes: Sequence[Verdict]) -> str:
    """The first no with its figures and its remedy; how many more there are."""
    first = code(noes[0].model_copy(update={"pointer": None}).sentence(), SENTENCE_MAX)
    return first + (f" and {count(len(noes) - 1, 'more reason')}" if len(noes) > 1 else "")


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
        parts.append(_checks(report, plan.verdicts, verdicts))
        if plan.outlook is not None and plan.context is not None:
            parts.append(positions(plan.context, plan.outlook, lines))
            parts.append(chart(plan.context, plan.outlook, lines))
        if report.since is not None:
            parts.append(_since(report, report.since, lines))
        if plan.plan is not None and len(plan.plan.instructions) > ORDERS_FIRST:
            parts.append(_all_lines(plan.plan, lines))
    if report.scope.rules:
        told = "\n".join(_rule_lines(report.scope.rules)[:lines])
        parts.append(details(f"Rules that it changes: {report.scope.rules.counted()}", told))
    return parts


def _checks(report: PullReport, verdicts: Sequence[Verdict], most: int) -> str:
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
        sentences = [report.zones.told(one.sentence(), report.now) for one in some[:most]]
        told += [f"- {icon} {code(one, SENTENCE_MAX)}" for one in sentences]
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


def _all_lines(plan: TradingInstructionSet, most: int) -> str:
    told = [f"{index}. {what(one)}" for index, one in enumerate(plan.instructions[:most])]
    if len(plan.instructions) > most:
        told.append(f"\n{len(plan.instructions) - most:,} more lines; the plan's file has them.")
    return details(f"All {len(plan.instructions):,} lines", "\n".join(told))


def _rule_lines(rules: RuleChanges) -> list[str]:
    told = [
        f"- the code on main cannot read the new settings: {code(one, SENTENCE_MAX)}"
        for one in rules.unreadable[:5]
    ]
    for one in rules.settings:
        old = code(one.old) if one.old else "absent"
        new = code(one.new) if one.new else "absent"
        sign = {True: "🔺 looser: ", False: "tighter: ", None: ""}[one.loosens]
        is_live = one.key == "mode" and one.new == '"live"'
        money = "; **real money from the next merge on**" if is_live else ""
        told.append(f"- {sign}{code(one.key, 100)}: {old} → {new}{money}")
    return told + [f"- {code(path, 200)}" for path in rules.paths]


def _since(report: PullReport, since: RulesSince, most: int) -> str:
    dated = report.zones.dated
    if since.since is None:
        return "No plan was executed yet, so no change of the rules is listed."
    if not since.changes and not since.commits:
        return f"No rule has changed since the last execution, {dated(since.since)}."
    told = [
        f"- `{one.commit[:12]}` {dated(one.at)} {code(one.subject, 100)}" for one in since.commits
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
        f"- judged {report.zones.dated(report.now)}, head `{report.head[:12]}`,"
        f" settings `{report.settings_digest[:12]}`"
    ]
    plan = report.plan
    if plan is not None:
        told.append(f"- digest: `{plan.digest}`")
        quoted = sorted(_quoted(plan.context))
        if quoted:
            ends = dict.fromkeys(map(report.zones.dated, (quoted[0], quoted[-1])))
            told.append(f"- quotes of {' to '.join(ends)}")
    return "\n".join(told)


def _quoted(context: Context | None) -> Iterable[datetime]:
    return (one.reference.at for one in context.lines if one.reference) if context else ()
