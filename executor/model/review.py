"""The strategy review: what was seen, what was decided and why."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from executor.model.fields import (
    Digest,
    Document,
    Name,
    Prose,
    SchemaVersion,
    Sentence,
    Timestamp,
    Word,
)


class StrategyReview(Document):
    """One analysis by a strategy, also when it ends in doing nothing."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    timestamp: Timestamp
    """When the review was made."""
    trigger: Word
    """Why it was made."""
    market_analysis: dict[str, Any]
    """What was seen of the market; free in form."""
    portfolio_state: dict[str, Any]
    """What was held; free in form."""
    decision: Sentence
    """What was decided: HOLD, or what the plan does."""
    reasoning: Prose
    """Why."""
    instructions_created: bool = False
    """True where a plan came of it."""
    strategy: Name | None = None
    """The book that was reviewed."""
    strategy_version: Word | None = None
    """Version of the strategy."""
    model: Word | None = None
    """The language model, where one decided."""
    prompt_digest: Digest | None = None
    """SHA-256 of the prompt, where there was one."""
    plan_digest: Digest | None = None
    """The plan that came of it."""


class Alert(Document):
    """What wakes a strategy: a reason to review. Never committed."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    timestamp: Timestamp
    """When it was raised."""
    trigger: Word
    """Which trigger raised it."""
    slot: Word
    """What it is raised for, once: the hour, the level, the order."""
    reason: Sentence
    """Why, for a person."""
    strategy: Name | None = None
    """The book to review."""
    asked_by: Word | None = None
    """The person, where one asked."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """What the trigger saw."""


class Proposal(Document):
    """What an agent hands over: a review and, where it wants to act, a plan. Data, not trusted."""

    plan: dict[str, Any] | None = None
    """The plan as written; judged by the plan's own gates."""
    review: Annotated[StrategyReview, Field()]
    """The review."""
