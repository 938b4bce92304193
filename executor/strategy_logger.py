"""The mission's API for logging a review: `StrategyReviewLogger`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from executor.model.review import StrategyReview
from executor.reviews import write_review

__all__ = ["StrategyReviewLogger"]


class StrategyReviewLogger:
    """Writes strategy reviews into the repository; committing them is the caller's."""

    def __init__(self, repo: str | Path = ".") -> None:
        """Write below a repository's top folder; by default the current one."""
        self._repo = Path(repo)

    def log_review(
        self,
        trigger: str,
        market_analysis: Mapping[str, Any],
        portfolio_state: Mapping[str, Any],
        decision: str,
        reasoning: str,
        *,
        instructions_created: bool = False,
        timestamp: datetime | None = None,
        **identity: str,
    ) -> Path:
        """Write one review, also when it ends in doing nothing.

        Args:
            trigger: why the review was made, such as `scheduled_4hour`.
            market_analysis: what was seen of the market; JSON values.
            portfolio_state: what was held; JSON values.
            decision: `HOLD`, or what the plan does.
            reasoning: why.
            instructions_created: True where a plan came of it.
            timestamp: when; with a zone. Absent: now.
            identity: `strategy`, `strategy_version`, `model`, `prompt_digest`, `plan_digest`.

        Returns:
            The path written, `strategy_reviews/2026-01/review_2026-01-14T14-30-00.json`; a name
            that is taken is never overwritten.

        Raises:
            pydantic.ValidationError: a value is out of its range or no JSON.
            DocumentError: a text holds characters that cannot be seen.
            OSError: the file cannot be written.
        """
        review = StrategyReview.model_validate(
            {
                "timestamp": timestamp or datetime.now(UTC).replace(microsecond=0),
                "trigger": trigger,
                "market_analysis": dict(market_analysis),
                "portfolio_state": dict(portfolio_state),
                "decision": decision,
                "reasoning": reasoning,
                "instructions_created": instructions_created,
                **identity,
            }
        )
        return write_review(self._repo, review)
