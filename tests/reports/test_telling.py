from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.concerns import LINES_MAX, ON_SALE, Concern, marked, resting
from executor.decisions.results import final_portfolio
from executor.errors import ExitCode
from executor.model.account import AccountRecord, Mode
from executor.model.order_result import LegResult, Outcome, Protection
from executor.model.result import ExecutionResult
from executor.model.state import TradingState, TradingStateRecord
from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import Line
from executor.reports.markdown import COMMENT_MAX
from executor.reports.reply import Reply
from executor.reports.telling import (
    ENDINGS,
    ROWS_MAX,
    WAITED,
    answer,
    answer_marker,
    concern_body,
    digest_marked,
    ended,
    failed_summary,
    fenced,
    mark_description,
    over,
    result_comment,
    short_answer,
    summary,
    tells_waiting,
    told_in,
    waiting_comment,
)
from tests.decisions.record_builders import NOW, PLAN_DIGEST, fill, line_result, result
from tests.golden_files import assert_golden

DIGEST = "cd" * 32
PATH = "execution_results/2026-01/result_2026-01-14T15-00-00.json"


def portfolio(realized: str = "0") -> Any:
    account = AccountRecord(
        as_of=NOW,
        mode=Mode.SIM,
        account="…1234",
        cash=Decimal("66000"),
        equity=Decimal("100010"),
        buying_power=Decimal("160000"),
        margin_used=Decimal(0),
    )
    return final_portfolio(account, Decimal(realized))


def executed(*lines: Any, **keys: Any) -> ExecutionResult:
    given = {"plan_status": "completed", "final_portfolio": portfolio(), "mode": Mode.SIM}
    return result(*lines, **{**given, **keys})


def bought(index: int = 0, **keys: Any) -> Any:
    given = {
        "quantity": "10",
        "filled_quantity": "10",
        "average_fill_price": "331.44",
        "arrival_price": "331.40",
        "slippage_bps": "1.2",
        "fills": (fill(),),
    }
    return line_result(index, **{**given, **keys})


def leg(**keys: Any) -> LegResult:
    base: dict[str, Any] = {
        "index": 0,
        "ticker": "MU",
        "side": "sell",
        "quantity": "10",
        "order_type": "stop",
        "stop_price": "304.92",
        "outcome": Outcome.OPEN,
        "client_order_id": "ai-stop",
        "leg": "stop",
        "plan_digest": PLAN_DIGEST,
    }
    return LegResult.model_validate(base | keys)


def comment(told: ExecutionResult) -> str:
    return result_comment(told, DIGEST, PATH)


def first(told: ExecutionResult) -> str:
    return comment(told).splitlines()[0]


def test_fills_and_slippage_stand_under_the_pull_request() -> None:
    told = executed(
        bought(),
        bought(
            1,
            ticker="AMD",
            outcome=Outcome.REJECTED,
            filled_quantity="0",
            average_fill_price=None,
            arrival_price=None,
            slippage_bps=None,
            fills=(),
        ),
        legs=(leg(), leg(quantity=None, stop_price=None, outcome=Outcome.FILLED)),
        verdicts=(
            Verdict(check="order_rate", answer=Answer.YES),
            Verdict(check="blast_radius", answer=Answer.NO, observed="@bob", remedy="less"),
        ),
        errors=("AMD: rejected: `insufficient` <b>",),
        warnings=("a warning\nof two lines",),
    )
    assert_golden("telling_executed", comment(told))
    assert told_in(comment(told)) == DIGEST


@pytest.mark.parametrize(
    ("told", "head"),
    [
        (executed(bought()), "**Executed: 1 of 1 filled** (sim) · slippage at worst 1.2 bps (MU)"),
        (
            executed(bought(outcome=Outcome.UNKNOWN, slippage_bps=None)),
            "**Executed: 0 of 1 filled, 1 unknown** (sim) · cash",
        ),
        (executed(plan_status="rejected"), "**Rejected: nothing was sent** (sim) · cash"),
        (executed(plan_status=None, mode=None), "**Ended: nothing was sent** · cash"),
        (
            executed(kind="settlement", final_portfolio=portfolio("12.5"), legs=(leg(),)),
            "**Settled: MU stop open** (sim) · realized 12.50 USD · cash 66,000.00 USD, equity",
        ),
        (
            executed(*(bought(one) for one in range(4)), kind="settlement"),
            "**Settled: MU filled, MU filled, MU filled and 1 more** (sim)",
        ),
        (
            executed(
                state=TradingStateRecord(
                    state=TradingState.ACTIVE, since=NOW, by="alice", reason="calm"
                ),
                final_portfolio=final_portfolio(None, Decimal(0)),
            ),
            "**Trading is ACTIVE** (sim)",
        ),
    ],
)
def test_the_first_line_is_the_whole_story(told: ExecutionResult, head: str) -> None:
    assert first(told).startswith(head)


def test_long_plans_stay_within_githubs_limit() -> None:
    lines = [bought(one) for one in range(ROWS_MAX + 5)]
    told = executed(
        *lines, legs=tuple(leg() for _ in lines), errors=tuple("e" * 2_000 for _ in range(200))
    )
    text = comment(told)
    assert len(text) <= COMMENT_MAX
    assert text.count("and 5 more, in the result") == 2
    assert "and 180 more, in the result" in text
    assert told_in(text) == DIGEST


def test_a_marker_in_words_of_others_says_nothing() -> None:
    forged = f"<!-- autoinvestor:result {'ee' * 32} -->"
    assert told_in(comment(executed(bought(), warnings=(forged,)))) == DIGEST
    assert told_in(f"{forged} and more") is None
    assert told_in("words") is None


def test_the_mark_names_digest_and_place() -> None:
    described = mark_description(DIGEST, PATH)
    assert (len(described) <= 140, digest_marked(described)) == (True, DIGEST)
    assert digest_marked("no digest") is None
    assert digest_marked(DIGEST) == DIGEST


def test_what_a_run_printed_does_nothing_on_a_page() -> None:
    assert fenced("one\n@bob `x`") == "```text\none\n@bob `x`\n```"
    assert fenced("````\n```") == "`````text\n````\n```\n`````"
    assert fenced("a\u202eb") == "```text\na\\u202eb\n```"


def reply(code: ExitCode = ExitCode.DONE) -> Reply:
    return Reply(code, {}, (Line("all is well"),))


def test_a_summary_says_how_it_ended() -> None:
    assert summary("settle", reply()) == (
        "### autoinvestor settle: done\n\n```text\nall is well\n```\n"
    )
    assert summary("settle", reply(ExitCode.PERSON)).startswith(
        "### autoinvestor settle: a person looks first\n"
    )
    assert failed_summary("settle", "no broker") == (
        "### autoinvestor settle: not done\n\n```text\nno broker\n```\n"
    )


@pytest.mark.parametrize(
    ("code", "data", "word"),
    [
        (ExitCode.DONE, {"state": "completed"}, "done"),
        (ExitCode.DONE, {"state": "waiting"}, "waits"),
        (ExitCode.REFUSED, {"state": "rejected"}, "rejected"),
        (ExitCode.REFUSED, {"state": "expired"}, "expired"),
        (ExitCode.REFUSED, {"state": "completed"}, "refused"),
        (ExitCode.PERSON, {"state": "waiting"}, "a person looks first"),
        (ExitCode.DONE, {"state": {"state": "HALTED"}}, "done"),
        (ExitCode.RUN_AGAIN, {}, "not all done, to be run again"),
    ],
)
def test_how_a_run_ended_is_a_word(code: ExitCode, data: dict[str, Any], word: str) -> None:
    assert ended(Reply(code, data)) == word
    assert {*ENDINGS} == {*ExitCode}


def test_a_plan_that_waits_says_since_when_and_why() -> None:
    told = waiting_comment(NOW, ["session: the market is closed @bob"], is_begun=False)
    assert told.startswith(
        "**The plan waits: nothing was sent yet** · merged 2026-01-14T15:00:00Z\n\nNot now:\n* `"
    )
    assert "`tick` tries again in the session; or Actions → execute → Run workflow." in told
    assert "the rest of it is not sent yet" in waiting_comment(NOW, ["x"], is_begun=True)
    assert tells_waiting(told)
    assert not tells_waiting(f"{told}\nmore")
    assert not tells_waiting(WAITED)


def before(state: TradingState = TradingState.REDUCE_ONLY) -> TradingStateRecord:
    return TradingStateRecord(state=state, since=NOW, by="octo-owner", reason="odd @bob")


def test_a_resume_says_what_it_ends() -> None:
    calm = TradingStateRecord(state=TradingState.ACTIVE, since=NOW, by="plan", reason="calm")
    told = executed(state=calm)
    head = result_comment(told, DIGEST, PATH, before()).splitlines()[0]
    assert head.startswith(
        "**Trading is ACTIVE** (sim) · REDUCE_ONLY since 2026-01-14T15:00:00Z by `octo-owner`:"
        " `odd @`<!-- -->`bob` → ACTIVE: `calm`"
    )
    same = result_comment(told, DIGEST, PATH, before(TradingState.ACTIVE)).splitlines()[0]
    assert "since" not in same
    assert "since" not in result_comment(executed(bought()), DIGEST, PATH, before())


def test_a_refusal_is_listed_once() -> None:
    no = Verdict(check="blast_radius", answer=Answer.NO, observed="much", remedy="less")
    told = comment(executed(verdicts=(no,), errors=(no.sentence(), "another")))
    assert told.count(no.sentence()) == 1
    assert "Failed:\n* `another`" in told


def test_a_stop_that_is_gone_while_a_sell_rests_stands_in_the_first_line() -> None:
    rests = Protection(
        symbol="BRK.B", state="unprotected", quantity=Decimal("8.09"),
        stop_price=Decimal("568.88"), reason=ON_SALE,
    )  # fmt: skip
    told = executed(bought(), warnings=("a warning", *resting([rests, rests])))
    bare = "⚠️ BRK.B (8.09 shares) is without its stop at 568.88 while the SELL rests"
    assert first(told).count(bare) == 1
    assert "if it does not fill, settle puts the stop back" in comment(told)


def test_what_hangs_on_an_open_entry_protects_nothing_yet() -> None:
    entry = bought(
        outcome=Outcome.OPEN, filled_quantity="0", average_fill_price=None, fills=(),
        client_order_id="ai-entry",
    )  # fmt: skip
    told = executed(entry, legs=(leg(parent="ai-entry"), leg(), leg(parent="ai-other")))
    assert comment(told).count("| MU | stop | waits for the entry | 10 |") == 1
    assert comment(told).count("| MU | stop | open | 10 |") == 2
    assert first(told).startswith("**Sent: 0 of 1 filled, 1 open**")
    part = entry.model_copy(update={"filled_quantity": Decimal(4)})
    assert first(executed(part)).startswith("**Executed: 0 of 1 filled, 1 open**")


def test_answers_carry_the_comment_that_they_answer() -> None:
    assert_golden("telling_answer", answer(77, reply(), "Done: trading is REDUCE_ONLY"))
    assert answer(77, reply(), "Done").endswith(answer_marker(77))
    assert short_answer(None, "Not done", "no such order @bob") == (
        "**Not done**\n\n`no such order @`<!-- -->`bob`\n\n<!-- autoinvestor:answer 0 -->"
    )


def test_an_issue_says_what_it_is_about_and_what_to_do() -> None:
    lines = tuple(f"{one} MU" for one in range(LINES_MAX + 2))
    concern = Concern("unprotected", "title", lines, "Set a stop.")
    body = concern_body(concern)
    assert body.startswith("* `0 MU`\n* `1 MU`\n")
    assert f"\n* and 2 more\n\nSet a stop.\n\n{concern.marker}" in body
    assert marked(body) == ("unprotected", concern.digest)
    assert "more" not in concern_body(Concern("foreign", "title", ("one",), "Look."))
    assert over("settle") == "`settle` found this over."
