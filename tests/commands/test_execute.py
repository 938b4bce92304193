from __future__ import annotations

import fcntl
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.model.digest import plan_digest
from executor.model.plan import PLAN_PATH
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from tests.commands.broken_machine import on_a_full_disk, read_only, where_modes_count
from tests.commands.exchanges import nobody_there, outside, somebody_else_there
from tests.scratch import (
    IMPATIENT,
    NOW,
    Answer,
    Repository,
    autoinvestor,
    line,
    plan,
    shipped,
)

LATER = "2026-01-14T15:05:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.founded(tmp_path / "repository")


def assert_told(answer: Answer, code: int, *words: str) -> None:
    """Held back for a reason: the exit code, one clear line with a remedy, no traceback."""
    assert answer.code == code, answer.text
    assert "Traceback" not in answer.text
    last = answer.err.splitlines()[-1]
    for word in words:
        assert word in last
    assert "; " in last or code == 2


def outcomes(result: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in result["instructions"]]


# What should happen.


def test_a_plan_is_executed_and_written_down(repository: Repository) -> None:
    repository.commit_plan(plan())
    answer = repository.execute()
    assert answer.code == 0
    digest = plan_digest(plan())
    assert repository.subjects[:2] == [
        f"Complete plan {digest[:8]}: 1 of 1 filled",
        f"Validate plan {digest[:8]}: BUY 1",
    ]
    assert not repository.has_plan
    (archived,), (result,) = repository.archived, repository.results
    assert archived["status"] == "completed"
    assert plan_digest(archived) == digest == result["plan_digest"]
    assert archived["intent"]["orders"][0]["client_order_id"] == f"ai-25bf8e1a-{digest[:32]}-0"
    assert result["execution_summary"]["successful"] == 1
    assert result["final_portfolio"]["positions"][0]["quantity"] == 10
    assert "previous_result_digest" not in result


def test_the_work_tree_comes_along(repository: Repository) -> None:
    repository.commit_plan(plan())
    repository.execute()
    assert repository.git("status", "--porcelain") == ""
    assert not (repository.folder / PLAN_PATH).exists()
    assert all((repository.folder / path).is_file() for path in repository.paths())


def test_without_submit_it_only_shows(repository: Repository) -> None:
    head = repository.commit_plan(plan())
    answer = repository.run("execute", "--now", NOW)
    assert answer.code == 0
    assert "would send 1 order; nothing was sent" in answer.out
    assert repository.head == head
    assert repository.git("status", "--porcelain") == ""


def test_running_again_finds_nothing_to_do(repository: Repository) -> None:
    assert repository.execute().out == "nothing pending: there is no plan on main\n"
    repository.commit_plan(plan())
    repository.execute()
    head = repository.head
    again = repository.execute()
    assert (again.code, again.out) == (0, "nothing pending: there is no plan on main\n")
    assert repository.head == head


def test_sells_go_first_and_results_name_each_other(repository: Repository) -> None:
    repository.commit_plan(plan())
    repository.execute()
    swap = plan(line("BUY", "AMD"), line("SELL", quantity="all"), reason="swap")
    repository.commit_plan(swap, "2026-01-14T15:01:00Z")
    answer = repository.execute(now=LATER)
    assert answer.code == 0
    progress = [one for one in answer.err.splitlines() if one.startswith("sending")]
    assert progress == ["sending 1 SELL order", "sending 1 BUY order"]
    first, second = repository.results
    assert outcomes(second) == ["filled", "filled"]
    assert second["instructions"][1]["filled_quantity"] == 10
    assert [one["symbol"] for one in second["final_portfolio"]["positions"]] == ["AMD"]
    assert "previous_result_digest" in second
    assert first["timestamp"] < second["timestamp"]


def test_json_holds_the_result(repository: Repository) -> None:
    repository.commit_plan(plan())
    data = repository.execute("--json").data
    assert data["state"] == "completed"
    assert data["result"]["execution_summary"]["successful"] == 1
    assert data["errors"] == []


def test_with_a_remote_the_push_is_the_swap(repository: Repository, tmp_path: Path) -> None:
    remote = repository.with_remote(tmp_path / "remote.git")
    repository.commit_plan(plan())
    repository.git("push", "--quiet", "origin", "main")
    assert repository.execute().code == 0
    assert remote.head == repository.head
    assert repository.git("status", "--porcelain") == ""


def test_another_branch_that_is_checked_out_is_left_alone(repository: Repository) -> None:
    repository.commit_plan(plan())
    repository.git("switch", "--quiet", "--create", "topic")
    assert repository.execute().code == 0
    assert repository.git("symbolic-ref", "--short", "HEAD") == "topic"
    assert (repository.folder / PLAN_PATH).is_file()
    assert repository.git("status", "--porcelain") == ""
    assert not repository.has_plan


def test_a_folder_inside_the_repository_will_do(repository: Repository) -> None:
    repository.commit_plan(plan())
    inner = repository.folder / "inner"
    inner.mkdir()
    assert autoinvestor("execute", "--submit", "--now", NOW, "--repo", str(inner)).code == 0


DEPLOYMENT = {
    "timestamp": "2026-01-14T13:45:00",
    "strategy_type": "aggressive_momentum",
    "reason": "Deploy $200k with 15% profit targets",
    "use_margin": True,
    "market_context": {"vix": Decimal("15.98"), "regime": "BULLISH"},
    "instructions": [
        {
            "action": "BUY",
            "ticker": "MU",
            "quantity": Decimal("84.48"),
            "order_type": "market",
            "reason": "HIGH conviction - explosive momentum",
            "target_allocation": 28000,
            "profit_target_pct": Decimal("15.0"),
            "stop_loss_pct": Decimal("8.0"),
        }
    ],
    "status": "pending",
}
PROFIT_TAKING = {
    "strategy_type": "profit_taking",
    "reason": "MU hit +15% profit target - take profits on 50%",
    "instructions": [
        {
            "action": "SELL",
            "ticker": "MU",
            "quantity": Decimal("42.24"),
            "order_type": "market",
            "reason": "Profit taking: +15% target hit, sell 50%",
        }
    ],
    "status": "pending",
}


def test_the_missions_documents_are_executed_as_they_stand(repository: Repository) -> None:
    repository.commit_plan(DEPLOYMENT)
    bought = repository.execute()
    assert bought.code == 0
    assert "protected: 84 MU, stop at 30" in bought.out
    assert "protected: 0.48 MU, stop at 30" in bought.out
    assert repository.paths("trading_instructions_history") == [
        "trading_instructions_history/2026-01/instructions_2026-01-14T13-45-00.json"
    ]
    repository.commit_plan(PROFIT_TAKING, "2026-01-14T15:20:00Z")
    assert repository.execute(now="2026-01-14T15:23:00Z").code == 0
    first, second = repository.results
    stood = [(one["state"], one["quantity"]) for one in first["instructions"][0]["protection"]]
    assert stood == [("stop", 84), ("stop", Decimal("0.48"))]
    stops = [one["quantity"] for one in second["legs"] if one["outcome"] == "open"]
    assert sorted(stops) == [Decimal("0.24"), 42]
    assert second["final_portfolio"]["positions"][0]["quantity"] == Decimal("42.24")
    # Without a timestamp of its own a plan is named by the commit that added it.
    assert "2026-01/instructions_2026-01-14T15-20-00.json" in second["archived_as"]


# A run that died.


def interrupted(repository: Repository) -> dict[str, Any]:
    """Leave the repository as a run does that dies after committing its intent."""
    repository.commit_plan(plan())
    assert repository.execute().code == 0
    repository.git("reset", "--quiet", "--hard", "main~1")
    tree = repository.plan
    assert tree is not None
    assert tree["status"] == "validated"
    return tree


def test_a_run_that_died_before_sending_is_finished(repository: Repository) -> None:
    interrupted(repository)
    shown = repository.run("execute", "--now", NOW)
    assert (shown.code, "`execute --submit` finishes it" in shown.out) == (0, True)
    answer = repository.execute(now=LATER)
    assert answer.code == 0
    assert "an earlier run validated this plan" in answer.err
    assert outcomes(repository.results[0]) == ["filled"]


def test_a_run_that_died_after_sending_is_finished_without_sending_again(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        interrupted(repository)
        assert exchange.orders == [("MU", "filled")]
        assert repository.execute(now=LATER).code == 0
        assert exchange.orders == [("MU", "filled")]
    assert outcomes(repository.results[0]) == ["filled"]


def test_an_intent_that_was_tampered_with_is_left_to_a_person(repository: Repository) -> None:
    tree = interrupted(repository)
    message = repository.git("log", "-1", "--format=%B")
    repository.git("reset", "--quiet", "--hard", "main~1")
    tree["intent"]["orders"][0]["quantity"] = 99
    head = repository.commit({PLAN_PATH: write_document(tree)}, message=message)
    answer = repository.execute(now=LATER)
    assert_told(answer, 5, "the intent on main is not what the plan says", "look who changed it")
    assert repository.head == head


def test_an_intent_that_a_person_rewrote_is_not_believed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        tree = interrupted(repository)
        tree["intent"]["orders"][0]["quantity"] = 99
        repository.commit_plan(tree)
        assert repository.execute(now=LATER).code == 0
        assert exchange.orders == [("MU", "filled")]
    assert repository.results[0]["instructions"][0]["filled_quantity"] == 10


@pytest.mark.parametrize("with_intent", [False, True])
def test_a_forged_validated_sends_nothing(repository: Repository, with_intent: bool) -> None:
    forged = plan(status="validated")
    if with_intent:
        forged["intent"] = {
            "owner": {"run": "1", "attempt": 1},
            "validated_at": NOW,
            "orders": [],
        }
    repository.commit_plan(forged)
    answer = repository.execute()
    assert (answer.code, "plan_unchanged" in answer.out) == (1, True)
    assert (repository.archived[0]["status"], repository.has_plan) == ("rejected", False)
    assert outcomes(repository.results[0]) == ["denied"]


# Plans that go nowhere.


def test_an_expired_plan_is_archived_as_such(repository: Repository) -> None:
    repository.commit_plan(plan(valid_until="2026-01-14T14:55:00Z"))
    answer = repository.execute()
    assert answer.code == 1
    assert "propose the plan again with a later `valid_until`" in answer.out
    assert repository.archived[0]["status"] == "expired"
    assert outcomes(repository.results[0]) == ["not_sent"]


@pytest.mark.parametrize(
    ("tree", "check"),
    [
        (plan(line(quantity=1_000)), "buying_power"),
        (plan(line(), line("SELL")), "wash_trade"),
        (plan(line("SELL")), "oversell"),
        (plan(line("BUY", "ZZZZZ")), "symbol_tradable"),
        (plan(line(protect="bracket", stop_loss_pct=8)), "order_legal"),
        (plan(line("PROTECT", stop_price=300)), "protect_holding"),
        (plan(line("CANCEL", client_order_id="nobody")), "cancel_own"),
        (plan(strategy="stranger"), "strategy_known"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_plan_that_breaks_a_rule_is_rejected(
    repository: Repository, tree: dict[str, Any], check: str
) -> None:
    repository.commit_plan(tree)
    answer = repository.execute()
    assert answer.code == 1
    assert f"error: {check}" in answer.out
    assert "Traceback" not in answer.text
    assert (repository.archived[0]["status"], repository.has_plan) == ("rejected", False)
    assert set(outcomes(repository.results[0])) == {"denied"}
    assert any(one["answer"] == "no" for one in repository.results[0]["verdicts"])


UNREADABLE = {
    "truncated": b'{"strategy_type": "te',
    "empty": b"",
    "no object": b"[]",
    "not UTF-8": b'{"reason": "\xff"}',
    "a key twice": b'{"reason": "a", "reason": "b"}',
    "not a number": b'{"instructions": [{"quantity": NaN}]}',
    "out of bounds": b'{"instructions": [{"quantity": 1e400}]}',
    "nested deeply": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a lone surrogate": b'{"reason": "\\ud800"}',
    "a character that cannot be seen": '{"reason": "a\u202eb"}'.encode(),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_plan_that_cannot_be_read_is_archived_as_it_is(
    repository: Repository, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_there(monkeypatch)  # It is not asked about a plan that cannot be read.
    repository.commit_plan(UNREADABLE[name])
    answer = repository.execute()
    assert answer.code == 1
    assert "error: document: trading_instructions.json: " in answer.out
    assert "Traceback" not in answer.text
    (path,) = [one for one in repository.paths() if one.startswith("trading_instructions_history")]
    assert (repository.folder / path).read_bytes() == UNREADABLE[name]
    assert not repository.has_plan
    assert repository.results[0]["execution_summary"]["total_instructions"] == 0
    assert repository.run("audit").code == 0


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (plan(instruction=[]), "did you mean `instructions`?"),
        (plan(line(quantity=-1)), "instructions[0].quantity"),
        (plan(line(quantity=True)), "instructions[0].quantity"),
        (plan(line(ticker="\u041cU")), "U+041C"),
    ],
)
def test_a_plan_that_a_gate_refuses_is_rejected_without_asking_the_broker(
    repository: Repository, tree: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_there(monkeypatch)
    repository.commit_plan(tree)
    answer = repository.execute()
    assert answer.code == 1
    assert words in answer.out
    assert repository.archived[0]["status"] == "rejected"
    assert repository.run("audit").code == 0


def test_a_plan_that_was_executed_before_is_set_aside_without_asking_the_broker(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit_plan(plan())
    repository.execute()
    nobody_there(monkeypatch)
    repository.commit_plan(plan())
    answer = repository.execute(now=LATER)
    assert answer.code == 0
    assert "already executed" in answer.out
    assert [one["status"] for one in repository.archived] == ["duplicate", "completed"]
    assert outcomes(repository.results[1]) == ["not_sent"]
    assert repository.run("audit").code == 0


# The settings.


def test_without_settings_nothing_is_executed(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "bare")
    repository.folder.mkdir()
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.commit_plan(plan())
    answer = repository.execute()
    assert_told(answer, 2, "autoinvestor.toml: not on main; commit the template's")
    assert repository.has_plan


BROKEN = b'mode = "sim"\nmargn = {}\n'


def test_broken_settings_let_an_exit_go(repository: Repository) -> None:
    repository.commit_plan(plan())
    repository.execute()
    repository.commit({SETTINGS_PATH: BROKEN})
    repository.commit_plan(plan(line("SELL", quantity=4)))
    answer = repository.execute(now=LATER)
    assert answer.code == 0
    assert outcomes(repository.results[1]) == ["filled"]


def test_broken_settings_hold_back_an_opening_and_are_named(repository: Repository) -> None:
    repository.commit({SETTINGS_PATH: BROKEN})
    head = repository.commit_plan(plan())
    answer = repository.execute()
    assert answer.code == 0
    assert "not now" in answer.out
    assert "the settings on main cannot be used: autoinvestor.toml: " in answer.out
    assert "repair autoinvestor.toml on main" in answer.out
    assert repository.head == head


def test_paper_asks_for_keys(tmp_path: Path) -> None:
    repository = Repository.founded(tmp_path / "r", shipped(('mode = "sim"', 'mode = "paper"')))
    head = repository.commit_plan(plan())
    answer = repository.execute(now=None)
    assert_told(answer, 2, "mode paper: set ALPACA_API_KEY and ALPACA_SECRET_KEY")
    assert repository.head == head


def test_only_sim_takes_another_present(tmp_path: Path) -> None:
    repository = Repository.founded(tmp_path / "r", shipped(('mode = "sim"', 'mode = "paper"')))
    head = repository.commit_plan(plan())
    assert_told(repository.execute(), 2, "--now is for sim only", "drop it")
    assert repository.head == head


def test_a_present_that_is_no_time_is_refused(repository: Repository) -> None:
    assert_told(repository.execute(now="tomorrow"), 2, "--now tomorrow: not a timestamp; write one")


# The repository.


def test_no_such_folder(tmp_path: Path) -> None:
    gone = Repository(tmp_path / "gone")
    assert_told(gone.execute(), 2, "gone: no such folder; name one with --repo DIR")


def test_no_repository(tmp_path: Path) -> None:
    assert_told(Repository(tmp_path).execute(), 2, "not a git repository", "run `git init -b main`")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.git("init", "--quiet", "--initial-branch=main")
    assert_told(repository.execute(), 2, "commit autoinvestor.toml on a branch named main first")


@pytest.mark.parametrize("staged", [True, False])
def test_an_uncommitted_change_of_a_plan_refuses(repository: Repository, staged: bool) -> None:
    head = repository.commit_plan(plan())
    (repository.folder / PLAN_PATH).write_bytes(write_document(plan(line(quantity=1))))
    if staged:
        repository.git("add", PLAN_PATH)
    answer = repository.execute()
    assert_told(answer, 2, f"{PLAN_PATH}: uncommitted changes; commit them on main")
    assert repository.head == head


def test_a_plan_that_was_never_committed_refuses(repository: Repository) -> None:
    (repository.folder / PLAN_PATH).write_bytes(write_document(plan()))
    assert_told(repository.execute(), 2, f"{PLAN_PATH}: uncommitted changes")


def test_uncommitted_changes_elsewhere_stay_as_they_are(repository: Repository) -> None:
    repository.commit({"notes.txt": b"one\n"})
    repository.commit_plan(plan())
    (repository.folder / "notes.txt").write_text("two\n")
    (repository.folder / "new.txt").write_text("new\n")
    assert repository.execute().code == 0
    assert repository.git("status", "--porcelain").splitlines() == ["M notes.txt", "?? new.txt"]
    assert (repository.folder / "notes.txt").read_text() == "two\n"


def test_another_run_at_work_is_waited_for(repository: Repository) -> None:
    head = repository.commit_plan(plan())
    with (repository.folder / ".git" / "autoinvestor.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert_told(repository.execute(), 4, "another autoinvestor is at work", "run again")
    assert repository.head == head
    assert repository.execute().code == 0


def test_a_read_only_repository_is_told_and_can_be_looked_at(repository: Repository) -> None:
    head = repository.commit_plan(plan())
    with read_only(repository.folder):
        answer = where_modes_count(repository.folder, "execute", "--submit", "--now", NOW)
        shown = where_modes_count(repository.folder, "execute", "--now", NOW)
    assert_told(answer, 4, "permission denied; mend that and run again")
    assert repository.head == head
    assert (shown.code, "would send 1 order" in shown.out) == (0, True)


def test_where_no_object_can_be_written_nothing_is_sent(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.commit_plan(plan())
    with outside(monkeypatch) as exchange:
        with read_only(repository.folder / ".git" / "objects"):
            answer = where_modes_count(repository.folder, "execute", "--submit", "--now", NOW)
        assert exchange.orders == []
    assert_told(answer, 4, "insufficient permission", "mend that and run again")
    assert repository.head == head


def test_a_full_disk_is_told_and_the_same_command_finishes_once_there_is_room(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit_plan(plan())
    without_room, with_room, way = on_a_full_disk(repository, tmp_path)
    reason = {"disk": "no space left on device", "limit": "git read-tree"}[way]
    assert_told(without_room, 4, "mend that and run again")
    assert reason in without_room.err.lower()
    assert with_room.code == 0, with_room.text
    assert outcomes(repository.results[0]) == ["filled"]
    assert repository.subjects[-1] == "Change files"
    assert len(repository.subjects) == 4


# The remote.


def with_remote(repository: Repository, folder: Path) -> Repository:
    remote = repository.with_remote(folder / "remote.git")
    repository.commit_plan(plan())
    repository.git("push", "--quiet", "origin", "main")
    return remote


def hook(remote: Repository, script: str) -> Path:
    path = remote.folder / "hooks" / "pre-receive"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_remote_that_takes_no_push_is_told_and_nothing_is_sent(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = with_remote(repository, tmp_path)
    hook(remote, "echo 'this mirror is read-only' >&2; exit 1")
    head = repository.head
    with outside(monkeypatch) as exchange:
        answer = repository.execute()
        assert exchange.orders == []
    assert_told(answer, 4, "git push: remote: this mirror is read-only; mend that and run again")
    assert repository.head == remote.head == head


def test_what_was_sent_is_recorded_once_the_remote_takes_it(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = with_remote(repository, tmp_path)
    path = hook(remote, "read old new ref; git log -1 --format=%s $new | grep --quiet ^Validate")
    with outside(monkeypatch) as exchange:
        answer = repository.execute()
        assert_told(answer, 4, "git push: ! [remote rejected]", "mend that and run again")
        assert exchange.orders == [("MU", "filled")]
        assert remote.subjects[0].startswith("Validate plan")
        path.unlink()
        assert repository.execute(now=LATER).code == 0
        assert exchange.orders == [("MU", "filled")]
    assert remote.head == repository.head
    assert outcomes(repository.results[0]) == ["filled"]


def test_a_remote_that_is_gone_is_told(repository: Repository, tmp_path: Path) -> None:
    with_remote(repository, tmp_path)
    head = repository.head
    repository.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    assert_told(repository.execute(), 4, "git fetch: fatal:", "mend that and run again")
    assert repository.head == head


def test_commits_that_the_remote_lacks_are_told(repository: Repository, tmp_path: Path) -> None:
    repository.with_remote(tmp_path / "remote.git")
    head = repository.commit_plan(plan())
    assert_told(repository.execute(), 2, "the remote's main lacks; push or drop them first")
    assert repository.head == head


def test_of_two_clones_one_executes(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = with_remote(repository, tmp_path)
    other = remote.cloned(tmp_path / "other")
    with outside(monkeypatch) as exchange:
        assert repository.execute().code == 0
        assert other.execute(now=LATER).out == "nothing pending: there is no plan on main\n"
        assert exchange.orders == [("MU", "filled")]


# The exchange.


def held_back(repository: Repository, answer: Answer, head: str) -> None:
    assert repository.head == head
    assert repository.has_plan
    assert repository.results == []
    assert "Traceback" not in answer.text


def test_a_dead_exchange_is_told(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)
    head = repository.commit_plan(plan())
    answer = repository.execute()
    assert_told(answer, 4, "the connection was refused", "run the same command again")
    held_back(repository, answer, head)


def test_a_server_that_is_no_exchange_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.commit_plan(plan())
    with somebody_else_there(monkeypatch):
        answer = repository.execute()
    assert_told(answer, 4, "the answer is not JSON", "run the same command again")
    held_back(repository, answer, head)


def test_a_wrong_key_is_left_to_a_person(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.commit_plan(plan())
    with outside(monkeypatch, keys=("right", "secret")) as exchange:
        monkeypatch.setenv("ALPACA_API_KEY", "wrong")
        monkeypatch.setenv("ALPACA_SECRET_KEY", "hidden")
        answer = repository.execute()
        assert exchange.orders == []
    assert_told(answer, 5, "refused with status 401; set ALPACA_API_KEY and ALPACA_SECRET_KEY")
    assert "hidden" not in answer.text
    held_back(repository, answer, head)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trading_blocked", True),
        ("account_blocked", True),
        ("trade_suspended_by_user", True),
        ("status", "ACCOUNT_CLOSED"),
    ],
)
def test_a_blocked_account_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    repository.commit_plan(plan())
    with outside(monkeypatch) as exchange:
        exchange.block(name, value)
        answer = repository.execute()
        assert exchange.orders == []
    assert answer.code == 1
    assert "error: account_match: account …0001: " in answer.out
    assert str(name if value is True else value) in answer.out
    assert repository.archived[0]["status"] == "rejected"


def test_an_order_that_the_broker_refuses_is_recorded(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit_plan(plan(line(), line("BUY", "AMD")))
    with outside(monkeypatch) as exchange:
        exchange.fails("rejection", match={"symbol": "AMD"})
        answer = repository.execute()
    assert answer.code == 1
    assert "instructions[1] AMD: the broker refused the order: status 403" in answer.out
    assert outcomes(repository.results[0]) == ["filled", "rejected"]
    assert repository.results[0]["instructions"][1]["refusal"]["code"] == 40310000


@pytest.mark.parametrize("kind", ["accept_then_504", "accept_then_drop", "drop_before"])
def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    repository.commit_plan(plan())
    with outside(monkeypatch) as exchange:
        exchange.fails(kind, match={"method": "POST", "path": "/v2/orders"})
        assert repository.execute().code == 0
        assert exchange.orders == [("MU", "filled")]
    assert outcomes(repository.results[0]) == ["filled"]


def test_an_order_of_which_nobody_knows_is_left_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.founded(tmp_path / "repository", shipped(*IMPATIENT))
    repository.commit_plan(plan())
    with outside(monkeypatch) as exchange:
        exchange.fails("drop_before", match={"method": "POST", "path": "/v2/orders"}, times=0)
        answer = repository.execute()
        assert exchange.orders == []
    assert answer.code == 5
    assert "look for order ai-" in answer.out
    assert "then run `autoinvestor settle`" in answer.out
    assert outcomes(repository.results[0]) == ["unknown"]
    assert repository.archived[0]["status"] == "completed"


@pytest.mark.parametrize("argument", ["--sbumit", "--sub", "extra"])
def test_an_unknown_flag_is_usage(repository: Repository, argument: str) -> None:
    assert repository.run("execute", argument).code == 2


def test_each_verb_explains_itself(repository: Repository) -> None:
    check: Callable[..., Answer] = autoinvestor
    shown = check("execute", "--help")
    assert shown.code == 0
    assert "--submit" in shown.out


def test_what_was_validated_for_another_account_is_not_finished_in_this_one(
    repository: Repository,
) -> None:
    tree = interrupted(repository)
    message = repository.git("log", "-1", "--format=%B")
    repository.git("reset", "--quiet", "--hard", "main~1")
    tree["intent"]["account"] = "…9999"
    repository.commit({PLAN_PATH: write_document(tree)}, message=message)
    answer = repository.execute(now=LATER)
    assert_told(answer, 5, "was validated for sim account …9999", "finish it there")
    assert repository.results == []


def test_a_plan_that_was_merged_over_a_running_one_is_executed_after_it(
    repository: Repository,
) -> None:
    interrupted(repository)
    other = plan(line("BUY", "AMD"), reason="the next one")
    repository.commit_plan(other, "2026-01-14T15:01:00Z")
    answer = repository.execute(now=LATER)
    assert answer.code == 0, answer.text
    assert "another plan waits on main; executing it now" in answer.err
    assert len(repository.results) == 2
