"""What a plan must not say, whatever its form: skip-CI phrases, secrets, contradictory requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no
from executor.model.state import TradingState

REVIEWS: Final = "strategy_reviews/"

SKIP_CI: Final = re.compile(
    r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:\s{0,5}true", re.IGNORECASE
)
"""What keeps GitHub from running workflows in a commit message ("Skipping workflow runs")."""

# Every repetition is bounded, so that no text of any length makes the search slow.
SECRETS: Final = {
    "an AWS access key": re.compile(r"(?<![A-Z0-9])A(KI|SI)A[A-Z0-9]{16}"),
    "a GitHub token": re.compile(r"gh[pousr]_[A-Za-z0-9]{16}|github_pat_[A-Za-z0-9_]{16}"),
    "a model provider's key": re.compile(
        r"(?<![A-Za-z0-9])sk-(ant-[A-Za-z0-9_-]{8}|(proj-)?[A-Za-z0-9]{20})"
    ),
    "an Alpaca key id": re.compile(r"(?<![A-Z0-9])[ACP]K(?=[A-Z]{0,17}[0-9])[A-Z0-9]{18}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY"),
    "a secret": re.compile(
        r"(?i:secret|password|token|key)\w{0,20}[\"']?\s{0,5}[=:]\s{0,5}[\"']?"
        r"(?=[A-Z0-9/+]{0,24}[a-z])(?=[A-Za-z/+]{0,24}[0-9])[A-Za-z0-9/+]{24}"
    ),
}
"""What a key looks like, by what it would open."""


def judge(context: Context) -> Iterator[Finding]:
    """Read every text of the plan, then see whether its parts agree with each other."""
    plan = context.plan
    for place, text in _texts(plan.model_dump(exclude_none=True)):
        yield from _text(place, text)
    if plan.trading_state is not None and plan.instructions:
        yield no(
            None,
            observed=f"trading_state {plan.trading_state.state} beside instructions",
            limit="a plan that asks for a trading state has no instructions",
            remedy="propose the two as two plans",
            key="instructions",
        )
    if (
        plan.trading_state is not None
        and plan.trading_state.rebase_peak
        and plan.trading_state.state is not TradingState.ACTIVE
    ):
        yield no(
            None,
            observed=f"rebase_peak with the state {plan.trading_state.state}",
            limit="`rebase_peak` belongs to a resume to ACTIVE",
            remedy="take `rebase_peak` out, or ask for ACTIVE",
            key="trading_state",
        )
    if plan.trading_state is None and not plan.instructions:
        yield no(
            None,
            observed="no instructions",
            limit="at least one instruction, or a request for a trading state",
            remedy="add an instruction; a decision to hold is a review, not a plan",
            key="instructions",
        )
    if plan.review is not None and not (
        plan.review.startswith(REVIEWS) and plan.review.endswith(".json")
    ):
        yield no(
            None,
            observed=f"review {plan.review}",
            limit=f"a JSON file under {REVIEWS}",
            remedy="name the review's file, or take `review` out",
            key="review",
        )


def _text(place: str, text: str) -> Iterator[Finding]:
    if phrase := SKIP_CI.search(text):
        yield no(
            None,
            observed=f"{place} holds the phrase {phrase.group()}",
            limit="no phrase that keeps workflows from running",
            remedy="take the phrase out",
        )
    for kind, pattern in SECRETS.items():
        if pattern.search(text):
            # The text itself is not repeated: a verdict is published more widely than a plan.
            yield no(
                None,
                observed=f"{place} holds what looks like {kind}",
                limit="no secret in a plan",
                remedy="take it out, and revoke it: whatever was pushed is known",
            )
            return


def _texts(document: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Walk to every text, each value behind its key; a stack, as free form may nest without end."""
    # Named to the instruction's field, and no further: a key of free form may be the secret itself.
    stack: list[tuple[str, object]] = [(key, {key: value}) for key, value in document.items()]
    while stack:
        place, value = stack.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, (list, tuple)):
            stack += [(_element(place, index), one) for index, one in enumerate(value)]
        elif isinstance(value, dict):
            for key, one in value.items():
                yield place, f"{key}: {one}" if isinstance(one, str) else str(key)
                if not isinstance(one, str):
                    stack.append((place, one))


def _element(place: str, index: int) -> str:
    return f"instructions[{index}]" if place == "instructions" else place


RULE = Rule(id="document", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
