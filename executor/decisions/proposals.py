"""An agent's proposal, judged as data that nobody trusts, and stamped where it left things open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from executor.decisions.document import Problem
from executor.decisions.due import STRATEGY_LABEL
from executor.decisions.gates import judge_tree
from executor.model.digest import plan_digest
from executor.model.fields import timestamp_text
from executor.model.forge import EXITS_LABEL, PLAN_LABEL
from executor.model.plan import PlanStatus, TradingInstructionSet
from executor.model.review import Proposal, StrategyReview
from executor.model.settings import Settings, is_known_book
from executor.model.words import instant

BRANCHES: Final = "plan/"
"""Where the branches of proposals lie."""

SKEW_MAX: Final = timedelta(minutes=5)
"""How far an agent's clock may be ahead of ours."""

SHOWN: Final = 8
"""Digits of a digest in the name of a branch or a file."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that both gates let through."""

    plan_tree: Mapping[str, Any] | None
    """The plan as written; None for a review that ends in doing nothing."""
    plan: TradingInstructionSet | None
    review_tree: Mapping[str, Any] | None
    """None for a plan that was handed over without a review."""
    review: StrategyReview | None
    strategy: str
    """The book that it is for."""


def judge_proposal(
    tree: Mapping[str, Any],
    schemas: Mapping[str, Mapping[str, Any]],
    settings: Settings,
    now: datetime,
) -> tuple[Proposed | None, tuple[Problem, ...]]:
    """Judge what an agent hands over by both gates, and by what no proposal may say.

    Args:
        tree: What the strict reader gave.
        schemas: By document: `proposal` and `trading_instructions`.
        settings: Main's, for the books that there are.
        now: The present; a review of tomorrow would keep the next ones from being made.

    Returns:
        The proposal and no problems, or None and every problem.
    """
    proposal, problems = judge_tree(tree, schemas["proposal"], Proposal)
    plan = None
    plan_tree = tree.get("plan")
    if isinstance(plan_tree, Mapping):
        plan, inner = judge_tree(plan_tree, schemas["trading_instructions"], TradingInstructionSet)
        problems = (*problems, *(one.under("plan") for one in inner))
    review = proposal.review if proposal else None
    if proposal is not None and not problems:
        problems = tuple(_contradictions(plan, review, settings, now))
    if problems:
        return None, problems
    return _proposed(plan_tree, plan, tree.get("review"), review, settings), ()


def judge_bare_plan(
    tree: Mapping[str, Any],
    schemas: Mapping[str, Mapping[str, Any]],
    settings: Settings,
    now: datetime,
) -> tuple[Proposed | None, tuple[Problem, ...]]:
    """Judge a plan that comes without a review."""
    plan, problems = judge_tree(tree, schemas["trading_instructions"], TradingInstructionSet)
    if plan is not None:
        problems = tuple(one for one in _contradictions(plan, None, settings, now))
        problems = tuple(Problem(one.where[1:], one.observed, one.remedy) for one in problems)
    if plan is None or problems:
        return None, problems
    return _proposed(tree, plan, None, None, settings), ()


def _proposed(
    plan_tree: Mapping[str, Any] | None,
    plan: TradingInstructionSet | None,
    review_tree: Mapping[str, Any] | None,
    review: StrategyReview | None,
    settings: Settings,
) -> Proposed:
    named = plan.strategy if plan else review.strategy if review else None
    return Proposed(plan_tree, plan, review_tree, review, settings.book_of(named))


def _contradictions(
    plan: TradingInstructionSet | None,
    review: StrategyReview | None,
    settings: Settings,
    now: datetime,
) -> Iterable[Problem]:
    """What each document may say, and the two of them together may not."""
    if plan is not None:
        if plan.status is not PlanStatus.PENDING:
            yield Problem(("plan", "status"), f"{plan.status}", "write pending, or leave it out")
        if plan.intent is not None:
            yield Problem(("plan", "intent"), "an intent", "take it out, it is the executor's")
    for key, one in (("plan", plan), ("review", review)):
        if one is not None and one.timestamp is not None and one.timestamp > now + SKEW_MAX:
            told = f"{instant(one.timestamp)}, which has not come yet"
            yield Problem((key, "timestamp"), told, "write when it was made")
    book = settings.book_of(plan.strategy if plan else review.strategy if review else None)
    if not is_known_book(book, settings):
        key = "plan" if plan is not None else "review"
        yield Problem((key, "strategy"), f"`{book}` is no book in the settings", "name one of them")
    elif plan is not None and review is not None and review.strategy not in (None, book):
        yield Problem(
            ("review", "strategy"), f"{review.strategy}, the plan's is {book}", "name the same"
        )


@dataclass(frozen=True, slots=True)
class Stamped:
    """A plan as it is committed."""

    tree: Mapping[str, Any]
    digest: str
    key: str
    """Names the branch: the digest before prices were stamped, so that the same proposal finds its
    branch however the prices have moved."""


def stamp(tree: Mapping[str, Any], made_at: datetime, prices: Mapping[int, Decimal]) -> Stamped:
    """Put in what is absent, and change nothing that is there.

    Args:
        tree: the plan as written.
        made_at: its timestamp, where it has none: its review's, so that it is the same each time.
        prices: USD a share by index, for lines that open; the rest stays without one.
    """
    dated = dict(tree)
    if "timestamp" not in dated:
        dated["timestamp"] = timestamp_text(made_at.replace(microsecond=0))
    lines = [
        {**line, "decision_price": prices[index]}
        if index in prices and "decision_price" not in line
        else line
        for index, line in enumerate(tree["instructions"])
    ]
    stamped = {**dated, "instructions": lines}
    return Stamped(stamped, plan_digest(stamped), plan_digest(dated))


def is_stamped_from(found: Mapping[str, Any], handed: Mapping[str, Any]) -> bool:
    """True where a plan is the one that was handed over, with nothing but stamps added."""
    lines, wanted = found.get("instructions"), handed["instructions"]
    if not isinstance(lines, list) or len(lines) != len(wanted):
        return False
    bare = [
        _without(one, other, "decision_price") for one, other in zip(lines, wanted, strict=True)
    ]
    back = _without(found, handed, "timestamp")
    return plan_digest({**back, "instructions": bare}) == plan_digest(handed)


def _without(found: Any, handed: Mapping[str, Any], key: str) -> Any:
    if not isinstance(found, Mapping) or key in handed:
        return found
    return {name: value for name, value in found.items() if name != key}


def review_document(
    tree: Mapping[str, Any], strategy: str, digest_of_plan: str | None
) -> Mapping[str, Any]:
    """A review as it is committed: which book it is of, and what came of it, is ours to say."""
    stamped = {**tree, "instructions_created": digest_of_plan is not None}
    stamped.setdefault("strategy", strategy)
    if stamped["strategy"] is None:
        stamped["strategy"] = strategy
    stamped["plan_digest"] = digest_of_plan
    return stamped


def branch_name(strategy: str, key: str) -> str:
    """`plan/<strategy>-<8 of the digest>`; neither holds a character that an agent chose freely."""
    return f"{BRANCHES}{strategy}-{key[:SHOWN]}"


def is_branch_of(branch: str, strategy: str) -> bool:
    """True for a branch that `propose` made for this book."""
    start = f"{BRANCHES}{strategy}-"
    digits = branch.removeprefix(start)
    return (
        branch.startswith(start)
        and len(digits) == SHOWN
        and not set(digits) - set("0123456789abcdef")
    )


def labels(strategy: str, exits_only: bool) -> tuple[str, ...]:
    """Labels of a plan's pull request."""
    return (PLAN_LABEL, STRATEGY_LABEL + strategy, *((EXITS_LABEL,) if exits_only else ()))
