from __future__ import annotations

from pathlib import Path

import pytest

from executor.model.reading import read_document
from tests.scratch import NOW, Answer, Repository, autoinvestor

LATER = "2026-01-14T15:10:00Z"


@pytest.fixture
def brief(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)
    repository = Repository.founded(tmp_path / "repository")
    folder = tmp_path / "brief"
    gathered = repository.run("review", "--reason", "due", "--to", str(folder), "--now", NOW)
    assert gathered.code == 0, gathered.text
    return folder


def works(brief: Path) -> Answer:
    return autoinvestor(
        *("agent", "--brief", str(brief), "--to", str(brief.parent / "out"), "--now", LATER)
    )


def test_it_holds_and_says_so(brief: Path) -> None:
    answer = works(brief)
    assert answer.code == 0, answer.text
    assert "HOLD" in answer.out
    file = brief.parent / "out" / "proposal.json"
    proposal = read_document(file.read_bytes())
    assert "plan" not in proposal
    assert proposal["review"]["portfolio_state"] == {
        "total_value": 100_000,
        "cash": 100_000,
        "positions": 0,
        "unrealized_pl": 0,
    }
    judged = autoinvestor("validate", "--document", "proposal", "--file", str(file))
    assert judged.code == 0, judged.text


def test_a_job_gets_a_summary(brief: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(brief.parent / "summary.md"))
    assert works(brief).code == 0
    told = (brief.parent / "summary.md").read_text("utf-8")
    assert told.startswith("### autoinvestor agent: done")
    assert "manual: HOLD (nothing was weighed)" in told


def test_it_wants_one_alert(brief: Path) -> None:
    (brief / "scheduled_review_needed.json").write_bytes(
        (brief / "strategy_review_needed.json").read_bytes()
    )
    answer = works(brief)
    assert (answer.code, "2 alerts" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("strategy_review_needed.json", "{", "line 1"),
        ("strategy_review_needed.json", "{}", "timestamp"),
        ("portfolio.json", '{"cash": 1}', "as_of"),
    ],
)
def test_what_is_no_document_is_refused(brief: Path, name: str, content: str, says: str) -> None:
    (brief / name).write_text(content)
    answer = works(brief)
    assert answer.code == 1
    assert name in answer.err
    assert says in answer.err
    assert not (brief.parent / "out").exists()


def test_a_portfolio_that_is_missing(brief: Path) -> None:
    (brief / "portfolio.json").unlink()
    answer = works(brief)
    assert (answer.code, "review --to" in answer.err) == (2, True)
