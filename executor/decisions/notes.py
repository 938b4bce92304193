"""Results that are no execution: a changed state, an account's opening, what was seen or booked.

Their place in the chain (what came before, which settings and code) is filled in when they are
committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from executor.decisions.results import final_portfolio
from executor.model.account import AccountRecord, Mode
from executor.model.activity import Activity
from executor.model.ledger import SENT
from executor.model.numbers import ZERO
from executor.model.reading import INVISIBLE
from executor.model.result import ExecutionResult, ExecutionSummary, Observed, OpeningRecord
from executor.model.state import TradingStateRecord

WITHDRAWN, SUPERSEDED, DECLINED = "withdrawn", "superseded", "declined"
"""Values of the trailer `Step` of a commit that archives a plan which was never executed."""

WITHDRAWN_BY, REASON, SUPERSEDES = "Withdrawn-By", "Reason", "Supersedes"
"""Trailers of such a commit: who and why; or the path, where it is the step of the next plan."""

DECLINED_BY = "Declined-By"
"""Who closed the pull request of a plan that never came to main, in place of `Withdrawn-By`."""

TRAILER_MAX: Final = 500
"""Characters of a trailer that somebody else's words are in."""

NOTHING: Final = ExecutionSummary(total_instructions=0, successful=0, failed=0)
"""The summary of a result that carries out no instruction."""


def one_line(text: str, most: int) -> str:
    """A text as one visible line of at most so many characters, fit for a commit's trailer.

    What cannot be seen becomes a space, and square brackets become round ones: in a commit message
    GitHub takes `[skip ci]` for an order ("Skipping workflow runs").
    """
    seen = " ".join(INVISIBLE.sub(" ", text).split())
    line = seen.translate({ord("["): "(", ord("]"): ")"})
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def aside_trailers(by: str, reason: str) -> dict[str, str]:
    """Trailers of a commit that archives a plan which was never executed: who and why."""
    return {
        WITHDRAWN_BY: one_line(by, TRAILER_MAX) or "somebody",
        REASON: one_line(reason, TRAILER_MAX) or "none given",
    }


def state_result(
    state: TradingStateRecord,
    *,
    mode: Mode | None,
    account: str | None,
    after: AccountRecord | None = None,
) -> ExecutionResult:
    """Put a change of the trading state down.

    Args:
        state: the new state; the result is of the same instant.
        mode: the ledger's mode; None where the settings could not be read.
        account: `…1234`; None where it is not known.
        after: the account, where a broker was asked.
    """
    return ExecutionResult(
        kind="state",
        timestamp=state.since,
        state=state,
        mode=mode,
        account=after.account if after else account,
        execution_summary=NOTHING,
        final_portfolio=final_portfolio(after, ZERO),
    )


def opening_result(
    opening: OpeningRecord,
    after: AccountRecord,
    *,
    now: datetime,
    seen_before: Sequence[Observed] = (),
) -> ExecutionResult:
    """Put down where a ledger begins; what had been `seen_before` of it is explained with it."""
    return _of_account("opening", after, now, opening=opening, observed=tuple(seen_before))


def observed_result(
    observed: Sequence[Observed],
    after: AccountRecord,
    *,
    now: datetime,
    realized_pl: Decimal = ZERO,
    warnings: Sequence[str] = (),
) -> ExecutionResult:
    """Put down what no commit explains, or who took it over."""
    assert observed, "something was observed"
    return _of_account(
        "observed", after, now, realized_pl, observed=tuple(observed), warnings=tuple(warnings)
    )


def activity_result(
    activities: Sequence[Activity],
    after: AccountRecord,
    *,
    now: datetime,
    realized_pl: Decimal = ZERO,
    warnings: Sequence[str] = (),
) -> ExecutionResult:
    """Book account activities; the caller has left out those that are booked already."""
    assert activities, "something happened"
    return _of_account(
        "activity", after, now, realized_pl, activities=tuple(activities), warnings=tuple(warnings)
    )


def _of_account(
    kind: str, after: AccountRecord, now: datetime, realized_pl: Decimal = ZERO, **content: Any
) -> ExecutionResult:
    return ExecutionResult.model_validate(
        {
            "kind": kind,
            "timestamp": now,
            "mode": after.mode,
            "account": after.account,
            "execution_summary": NOTHING,
            "final_portfolio": final_portfolio(after, realized_pl),
            **content,
        }
    )


def moves_the_books(result: ExecutionResult) -> bool:
    """True where a result has sent, filled, booked or taken over anything: a ledger has begun."""
    return bool(
        result.opening
        or result.activities
        or any(one.outcome in SENT for one in (*result.instructions, *result.legs))
        or any(one.book is not None for one in result.observed)
    )
