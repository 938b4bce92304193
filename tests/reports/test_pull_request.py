from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from executor.model.plan import INSTRUCTIONS_MAX
from executor.reports.markdown import COMMENT_MAX
from executor.reports.pull_request import (
    Origin,
    Outline,
    body,
    brief,
    sides,
    superseded,
    title,
    what,
)
from tests.checks.builders import line, plan
from tests.golden_files import assert_golden
from tests.reports.test_markdown import TEXTS, Page
from tests.reports.test_money import BERLIN, NOW

CLOSE = datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
DIGEST = "3fa9" + "0" * 60

LINES = (
    line("SELL", quantity="42.24", reason="Profit taking: +15% target hit, sell 50%"),
    line("BUY", "AMD", quantity="10", order_type="limit", limit_price="221.10", stop_loss_pct="8",
         time_in_force="gtc", reason="breakout"),
    line("BUY", "TSM", notional="5000", reason="momentum"),
)  # fmt: skip

REVIEW = Origin(
    review_link="https://github.example/o/r/blob/abc/strategy_reviews/2026-01/review_x.json",
    review_path="strategy_reviews/2026-01/review_x.json",
    decision="take half of MU",
    reasoning="MU ran.\n\n@everyone look: ![](https://evil.example) [skip ci]\n# not a heading",
    labels={"trigger": "target", "model": "a-model"},
)
NO_REVIEW = Origin(None, None, None, None, {})


def outline(**changes: object) -> Outline:
    base = Outline(
        plan=plan(*LINES, reason="MU hit +15% profit target"),
        digest=DIGEST,
        strategy="manual",
        exits_only=False,
        traded=Decimal("28002.49"),
        until=CLOSE,
        now=NOW,
        zones=BERLIN,
        mode="paper",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_title_says_all_and_holds_no_word_of_an_agent() -> None:
    assert title(outline()) == "[paper] SELL 1, BUY 2 · $28.0k · until 16:00 ET"
    assert title(outline(traded=None)) == "[paper] SELL 1, BUY 2 · until 16:00 ET"
    assert title(outline(until=None, traded=None)) == "[paper] SELL 1, BUY 2"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((line(notional="5000"),), "BUY MU $5,000"),
        ((line("BUY", "NVDA", notional="30000.50"), line("SELL", quantity="2")),
         "SELL 2 MU, BUY NVDA $30,000.5"),
        ((line("SELL", quantity="all"),), "SELL all MU"),
        ((line("CANCEL", client_order_id="x"), line("PROTECT", stop_price="3")),
         "CANCEL MU, PROTECT MU"),
    ],
)  # fmt: skip
def test_a_short_plan_is_told_line_by_line_and_without_a_time(
    lines: tuple[dict[str, object], ...], told: str
) -> None:
    assert title(outline(plan=plan(*lines), mode="live")) == f"[live] {told}"
    assert brief(plan(*lines)) == told


def test_a_plan_with_a_trading_state_says_so() -> None:
    resume = plan(line("SELL", quantity="2"), trading_state={"state": "ACTIVE", "reason": "calm"})
    assert brief(resume) == "SELL 2 MU, trading ACTIVE"
    assert brief(resume.model_copy(update={"instructions": ()})) == "trading ACTIVE"


def test_who_handed_it_over_is_named_and_does_nothing() -> None:
    text = body(outline(handed_by="octo-owner"), NO_REVIEW)
    assert "Handed over by `octo-owner`. Whoever hands a plan over and merges it alone" in text
    assert "Handed over" not in body(outline(), NO_REVIEW)


def test_sides() -> None:
    others = plan(
        line("CANCEL", client_order_id="x"), line("PROTECT", stop_price="300"), line("SELL")
    )
    assert sides(others) == "SELL 1, CANCEL 1, PROTECT 1"
    resume = plan(trading_state={"state": "ACTIVE", "reason": "calm"})
    resume = resume.model_copy(update={"instructions": ()})
    assert sides(resume) == "trading ACTIVE"
    assert sides(resume.model_copy(update={"trading_state": None})) == "no orders"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (line("SELL", quantity="all"), "SELL all MU, market"),
        (line("SELL", quantity="42.240"), "SELL 42.24 MU, market"),
        (line(), "BUY 10 MU, market, without a stop"),
        (line(stop_loss_pct="8"), "BUY 10 MU, market, stop 8 % below"),
        (line(notional="500"), "BUY MU for 500 USD, market, without a stop"),
        (
            line("SELL", order_type="stop_limit", stop_price="300", limit_price="299"),
            "SELL 10 MU, stop limit from 300 limit 299",
        ),
        (
            line("SELL", order_type="trailing_stop", trail_percent="5", time_in_force="gtc"),
            "SELL 10 MU, trailing stop trailing 5 % until canceled",
        ),
        (line("SELL", order_type="limit", limit_price="340"), "SELL 10 MU, limit at 340"),
        (line("CANCEL", client_order_id="ai-x"), "CANCEL an order of MU"),
        (line("PROTECT", stop_price="300"), "PROTECT MU: stop at 300"),
        (
            line("PROTECT", stop_price="300", loosen=True),
            "PROTECT MU: stop at 300 (may loosen)",
        ),
        (line("PROTECT", trail_percent="5"), "PROTECT MU: stop trailing 5 %"),
        (line("PROTECT", protect="none", loosen=True), "PROTECT MU: take its stop away"),
    ],
)
def test_a_line_in_our_own_words(keys: dict[str, object], told: str) -> None:
    assert what(plan(keys).instructions[0]) == told


def test_the_body() -> None:
    text = body(outline(), REVIEW)
    assert_golden("pull_request", text)
    page = Linked(text)
    assert "@everyone look" in page.text
    assert "@everyone" not in page.outside


class Linked(Page):
    """A page that may hold links, which the body's own one is."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            assert attrs == [("href", REVIEW.review_link)]
            attrs = []
        super().handle_starttag(tag, attrs)


def test_the_body_of_an_exit_without_a_review() -> None:
    text = body(outline(plan=plan(LINES[0]), exits_only=True, until=None), NO_REVIEW)
    assert "Nothing of it opens a position." in text
    assert "How long it is good is said in the comment below." in text
    assert "- review: none was handed over" in text
    assert "reasoning" not in text


def test_the_body_of_a_resume() -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "calm @again"})
    text = body(outline(plan=resume.model_copy(update={"instructions": ()})), NO_REVIEW)
    assert "- trading state ACTIVE: `calm @`<!-- -->`again`" in text


@pytest.mark.parametrize("lines", [1_000, INSTRUCTIONS_MAX])
def test_a_long_plan_stays_inside_and_says_what_is_left_out(lines: int) -> None:
    big = plan(line(reason="x" * 2_000)).model_copy(
        update={"instructions": plan(line(reason="x" * 2_000)).instructions * lines}
    )
    text = body(outline(plan=big), REVIEW)
    assert len(text) <= COMMENT_MAX
    assert re.search(r"\*\d+ parts of this report left out", text)


def test_superseding_is_said_in_the_first_line() -> None:
    assert superseded(12, "manual") == "Superseded by #12: a newer proposal for the book `manual`."


@given(TEXTS, TEXTS, TEXTS)
def test_nothing_that_an_agent_writes_is_anything_but_text(
    why: str, line_s: str, said: str
) -> None:
    def told(*texts: str) -> Linked:
        reason, own, other = ((one.strip() and one) or "x" for one in texts)
        lines = [one.model_copy(update={"reason": own[:300]}) for one in plan(*LINES).instructions]
        agreed = plan().model_copy(update={"reason": reason, "instructions": tuple(lines)})
        origin = replace(REVIEW, decision=other[:300], reasoning="x", labels={"model": other[:200]})
        text = outline(plan=agreed)
        assert title(text) == title(outline())
        return Linked(body(text, origin))

    plain, strange = told("x", "x", "x"), told(why, line_s, said)
    assert strange.outside.split() == plain.outside.split()
    assert [one for one in strange.tags if one not in ("code", "p")] == [
        one for one in plain.tags if one not in ("code", "p")
    ]
