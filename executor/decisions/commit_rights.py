"""Which paths each of our commits may touch on GitHub, and how: a table, asked before one is made.

The API overwrites what lies at a path without a word, so a mistake of ours in a path would cost
history. The table grants nothing; a change that it does not know is our bug.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from executor.decisions.notes import DECLINED, SUPERSEDED, WITHDRAWN
from executor.model.account import ACCOUNT_PATH
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.model.state import STATE_PATH

_MONTH = r"[0-9]{4}-[0-9]{2}"
_SECOND = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}"
_NAME = rf"{_SECOND}(-[0-9a-f]{{8}}(-[0-9]{{1,6}})?)?\.json"

ARCHIVED: Final = rf"trading_instructions_history/{_MONTH}/instructions_{_NAME}"
RESULTS: Final = rf"execution_results/{_MONTH}/result_{_NAME}"
REVIEWS: Final = rf"strategy_reviews/{_MONTH}/review_{_NAME}"
PLAN: Final = re.escape(PLAN_PATH)
BOOKS: Final = frozenset({STATE_PATH, ACCOUNT_PATH})
"""What is written anew with a result."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one kind of commit may do."""

    adds: tuple[str, ...] = ()
    """Patterns of paths that it brings; nothing may lie there."""
    changes: frozenset[str] = frozenset()
    """Paths that it changes; something has to lie there."""
    sets: frozenset[str] = frozenset()
    """Paths that it writes, whether or not something lies there."""
    removes: frozenset[str] = frozenset()
    """Paths that it takes away."""


_VALIDATES: Final = Rights(adds=(ARCHIVED,), changes=frozenset({PLAN_PATH}))
_ENDS: Final = Rights((ARCHIVED, RESULTS), sets=BOOKS, removes=frozenset({PLAN_PATH}))
_SETS_ASIDE: Final = Rights((ARCHIVED,), removes=frozenset({PLAN_PATH}))

BY_STEP: Final[Mapping[str, Rights]] = {
    PlanStatus.VALIDATED: _VALIDATES,
    PlanStatus.COMPLETED: _ENDS,
    PlanStatus.REJECTED: _ENDS,
    PlanStatus.EXPIRED: _ENDS,
    PlanStatus.DUPLICATE: _ENDS,
    WITHDRAWN: _SETS_ASIDE,
    # These never were on main, so nothing goes.
    SUPERSEDED: Rights((ARCHIVED,)),
    DECLINED: Rights((ARCHIVED,)),
}
"""Commits that are a step in the life of a plan, by their trailer `Step`."""

NEWS: Final = Rights((RESULTS,), sets=BOOKS)
"""Commits with a further result: a settlement, an activity, an opening, a changed state."""

THINKS: Final = Rights((REVIEWS,))
"""Commits of a review that asks for nothing, by their trailer `Review`."""

BRINGS: Final = Rights((PLAN,))
"""Commits without any of these trailers: a plan from a file."""


def rights_of(trailers: Mapping[str, str]) -> Rights | None:
    """What a commit with these trailers may do; None where its step is none of ours."""
    step = trailers.get("Step")
    if step is not None:
        return BY_STEP.get(step)
    if "Result" in trailers:
        return NEWS
    return THINKS if "Review" in trailers else BRINGS


def breach(
    trailers: Mapping[str, str],
    writes: Collection[str],
    deletes: Collection[str],
    is_there: Callable[[str], bool],
) -> str | None:
    """Say what a commit must not do; None where it may do all of it.

    Args:
        trailers: of its message.
        writes: paths that it writes.
        deletes: paths that it takes away.
        is_there: whether something lies at a path before it.
    """
    rights = rights_of(trailers)
    if rights is None:
        return f"no step of ours is called {trailers['Step']!r}"
    for path in writes:
        if path in rights.sets:
            continue
        is_added = any(re.fullmatch(pattern, path) for pattern in rights.adds)
        if not is_added and path not in rights.changes:
            return f"{path}: this commit may not write it"
        if is_added is is_there(path):
            return f"{path}: {'lies there already' if is_added else 'is not there to be changed'}"
    for path in deletes:
        if path not in rights.removes or not is_there(path):
            return f"{path}: this commit may not take it away"
    return None
