"""Ask every check about one plan and say what may go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import Rule
from executor.model.state import STATE_PATH
from executor.model.verdict import Answer, Verdict


@dataclass(frozen=True, slots=True)
class Judgment:
    """All verdicts on one plan, and what follows from them."""

    verdicts: tuple[Verdict, ...]
    exits: frozenset[int]
    """Indexes of the lines that only reduce (CANCEL and PROTECT among them)."""
    openings: frozenset[int]
    """Indexes of the lines that open."""
    rejected: bool
    """A *no* about the whole plan: nothing of it may ever go."""
    waits: bool
    """A *not now* that holds back even the exits, or a plan that has nothing but openings."""
    openings_wait: bool
    """A *not now* about openings: these wait, exits do not."""
    denied: frozenset[int]
    """Indexes of the lines that a check denied."""
    going: frozenset[int]
    """Indexes of the lines that may be sent, under the settings' `on_denied`."""

    @property
    def is_clean(self) -> bool:
        """True where every line may go now."""
        return not (self.rejected or self.waits or self.openings_wait or self.denied)


def judge(context: Context, rules: Iterable[Rule]) -> Judgment:
    """Collect every verdict, never the first only, and decide what may go.

    A rule about openings can deny or delay openings alone: its *no* about the whole plan denies
    every opening, its *not now* holds the openings back; exits go on.
    """
    verdicts: list[Verdict] = []
    rejected = plan_waits = all_openings_wait = False
    exits = _exits(context)
    openings = frozenset(line.index for line in context.openings)
    denied: set[int] = set()
    waiting: set[int] = set()
    for rule in rules:
        for verdict in _ask(rule, context, exits):
            verdicts.append(verdict)
            index = verdict.index
            if verdict.answer is Answer.NO:
                if index is not None:
                    denied.add(index)
                elif rule.judges_exits:
                    rejected = True
                else:
                    denied |= openings
            elif verdict.answer is Answer.NOT_NOW:
                if index is not None:
                    waiting.add(index)
                elif rule.judges_exits:
                    plan_waits = True
                else:
                    all_openings_wait = True
    going = _going(context, exits, openings, denied)
    # A line that is denied, or that goes nowhere because another one is, has nothing to wait for.
    opening = openings & going
    openings_wait = bool(opening and (all_openings_wait or opening & waiting))
    waits = plan_waits or bool(exits & going & waiting) or (openings_wait and not exits & going)
    return Judgment(
        verdicts=tuple(verdicts),
        exits=exits,
        openings=openings,
        rejected=rejected,
        waits=waits and not rejected,
        openings_wait=openings_wait and not rejected,
        denied=frozenset(denied),
        going=frozenset() if rejected else going,
    )


def _exits(context: Context) -> frozenset[int]:
    others = {index for index, one in enumerate(context.plan.instructions) if not one.is_trade}
    reducing = {line.index for line in context.exits}
    return frozenset(reducing | (others - context.facts.already_sent))


def _going(
    context: Context, exits: frozenset[int], openings: frozenset[int], denied: set[int]
) -> frozenset[int]:
    if not denied:
        return exits | openings
    policy = context.settings.execution.on_denied
    if policy == "plan_stops":
        return frozenset()
    if policy == "exits_go":
        return exits - denied
    return (exits | openings) - denied


def _ask(rule: Rule, context: Context, exits: frozenset[int]) -> Iterator[Verdict]:
    """Ask one rule; no finding is a yes, a missing fact is not now (for a bare file: not here)."""
    facts = context.facts
    if context.settings.is_off(rule.id):
        yield Verdict(
            check=rule.id, answer=Answer.YES, warning="off: named in acknowledged_disabled"
        )
        return
    if facts.moment not in rule.moments:
        yield Verdict(check=rule.id, answer=Answer.NOT_JUDGED_HERE)
        return
    missing = sorted(need for need in rule.needs if getattr(facts, need) is None)
    if missing:
        yield _without(rule, missing, facts.moment)
        return
    found = False
    for finding in rule.judge(context):
        found = True
        verdict = finding.verdict(rule.id)
        stands_against = verdict.answer is not Answer.YES and verdict.index in exits
        assert rule.judges_exits or not stands_against, (
            f"{rule.id} is a rule about openings and may not judge the exit {verdict.pointer}"
        )
        yield verdict
    if not found:
        yield Verdict(check=rule.id, answer=Answer.YES)


def _without(rule: Rule, missing: Sequence[str], moment: Moment) -> Verdict:
    if moment is Moment.FILE:
        return Verdict(check=rule.id, answer=Answer.NOT_JUDGED_HERE)
    if list(missing) == ["trading_state"]:
        return Verdict(
            check=rule.id,
            answer=Answer.NOT_NOW,
            observed=f"{STATE_PATH} on main cannot be read",
            remedy=f"repair it; `validate --document trading_state --file {STATE_PATH}` says how",
        )
    names = ", ".join(one.replace("_", " ") for one in missing)
    return Verdict(
        check=rule.id,
        answer=Answer.NOT_NOW,
        observed=f"no answer about: {names}",
        remedy="run again when the broker answers",
    )
