from __future__ import annotations

from dataclasses import replace

from executor.decisions.document import Problem
from executor.errors import ExitCode
from executor.model.forge import Actor, PullRequest
from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import plain_text
from executor.reports.proposed import (
    decided,
    handed_over,
    on_main,
    opened,
    recorded,
    refused,
    refused_by,
    summary,
    waits,
)
from executor.reports.reply import Reply
from tests.golden_files import assert_golden
from tests.reports.test_money import NOW

PULL = PullRequest(
    number=7,
    title="[paper] BUY 10 MU",
    state="open",
    author=Actor(1, "bot", "Bot"),
    head_ref="plan/manual-01234567",
    head="b" * 40,
    head_repository="o/r",
    base_ref="main",
    created_at=NOW,
)
LINK = "https://github.example/o/r/pull/7"
DIGEST = "3fa9" + "0" * 60


def test_every_answer() -> None:
    replies: list[Reply] = [
        opened(PULL, DIGEST, is_new=True, older=[3, 4], notes=["no price"], link=LINK),
        opened(PULL, DIGEST, is_new=False, older=[], notes=[], link=LINK),
        decided(replace(PULL, state="closed")),
        decided(replace(PULL, state="closed", merged_at=NOW)),
        on_main(DIGEST),
        waits(DIGEST),
        recorded("strategy_reviews/x.json", "c" * 40),
        recorded("strategy_reviews/x.json", None),
        handed_over(1_000, "https://github.example/o/r/pulls"),
    ]
    assert {one.exit_code for one in replies} == {ExitCode.DONE}
    assert_golden("proposed", "\n".join(plain_text(one.blocks) for one in replies))
    assert replies[0].data["superseded"] == [3, 4]


def test_a_refusal_names_every_no_and_nothing_else() -> None:
    gates = refused([Problem(("plan", "reason"), "missing", "add it")])
    yes = Verdict(check="session", answer=Answer.YES, warning="late")
    no = Verdict(check="plan_fresh", answer=Answer.NO, observed="over", remedy="again")
    checks = refused_by([yes, no])
    assert gates.exit_code == checks.exit_code == ExitCode.REFUSED
    assert len(checks.data["verdicts"]) == 1
    assert_golden("proposed_refused", plain_text((*gates.blocks, *checks.blocks)))


def test_the_summary_of_the_job_links_the_pull_request() -> None:
    text = summary(opened(PULL, DIGEST, is_new=True, older=[], notes=["@evil"], link=LINK))
    assert f"[To the pull request]({LINK})" in text
    assert "@evil" not in text
    no = Verdict(check="plan_fresh", answer=Answer.NO, observed="over", remedy="again")
    text = summary(refused_by([no]))
    assert "- `plan_fresh: over; again`" in text
    assert "](" not in text
