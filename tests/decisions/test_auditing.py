from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.auditing import Audit, Breach, FileChange, audit
from executor.decisions.chain import Link
from executor.decisions.checkpoint import checkpoint_of
from executor.decisions.ledger import fold
from executor.decisions.results import account_record
from executor.model.account import ACCOUNT_PATH, Mode
from executor.model.activity import Activity
from executor.model.checkpoint import Checkpoint
from executor.model.digest import digest, plan_digest, raw_digest
from executor.model.order_result import LegResult, Outcome
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, Observed, OpeningRecord
from executor.model.state import STATE_PATH, TradingState, TradingStateRecord
from executor.model.writing import write_document
from tests.checks.builders import account, line
from tests.decisions.record_builders import NOW, chained, fill, line_result, result

PLANS = "trading_instructions_history/2026-01"


@dataclass(frozen=True)
class History:
    """What a clone holds."""

    changes: tuple[FileChange, ...]
    results: dict[str, bytes]
    plans: dict[str, bytes]

    def audited(self) -> Audit:
        return audit(self.changes, self.results, self.plans)

    def rules(self) -> list[str]:
        return [one.rule for one in self.audited().breaches]


def checkpoint(link: Link, of_account: str | None = None) -> Checkpoint:
    """What the record holds up to its first result."""
    found = checkpoint_of(
        fold([(link.path, link.result)], Mode.SIM, of_account),
        account_record(account(), (), (), Mode.SIM),
        of_account=of_account,
        tip_path=link.path,
        tip_digest=link.digest,
    )
    assert found is not None
    return found


def history(count: int = 3) -> History:
    """A clean one: plans, each archived with its result, and a settlement of the last."""
    plans = {}
    documents = []
    for at in range(count):
        tree = {
            "timestamp": f"2026-01-14T14:{at:02}:00Z",
            "strategy_type": "test",
            "reason": "a reason",
            "instructions": [line()],
        }
        path = f"{PLANS}/instructions_{at}.json"
        plans[path] = write_document({**tree, "status": "completed"})
        documents.append(
            result(
                line_result(fills=[fill(4)], client_order_id=f"order-{at}", filled_quantity="4"),
                plan_digest=plan_digest(tree),
                archived_as=path,
                timestamp=NOW + timedelta(minutes=at),
            )
        )
    if documents:
        rest = documents[-1].instructions[0]
        settled = rest.model_copy(update={"fills": (fill(6),), "filled_quantity": Decimal(10)})
        update = {"kind": "settlement", "instructions": (settled,)}
        documents.append(documents[-1].model_copy(update=update))
    links = chained(documents)
    results = {link.path: write_document(link.result) for link in links}
    if links:
        results[ACCOUNT_PATH] = write_document(checkpoint(links[0]))
    results["execution_results/README.md"] = b"# Results"
    added = [FileChange(f"{at:040x}", "A", path) for at, path in enumerate((*plans, *results))]
    return History(tuple(added), results, {**plans, f"{PLANS}/README.md": b"# Plans"})


CLEAN = history()
RESULTS = [path for path in CLEAN.results if "result_" in path]
ARCHIVED = [path for path in CLEAN.plans if path.endswith(".json")]


@given(st.integers(0, 5))
def test_nothing_is_found_in_a_clean_history(count: int) -> None:
    found = history(count).audited()
    assert found.breaches == ()
    assert (found.results, found.plans) == (count + bool(count), count)


def test_the_newest_digest_is_that_of_the_last_link() -> None:
    assert CLEAN.audited().newest_digest == digest(read_document(CLEAN.results[RESULTS[-1]]))
    assert history(0).audited().newest_digest is None


def touched(kind: str, path: str) -> History:
    change = FileChange("f" * 40, kind, path)
    return replace(CLEAN, changes=(change, *CLEAN.changes))


@pytest.mark.parametrize(
    ("kind", "word"),
    [("M", "changed"), ("D", "removed"), ("T", "changed in kind"), ("X", "touched (X)")],
)
@pytest.mark.parametrize("path", [RESULTS[0], ARCHIVED[0], "strategy_reviews/2026-01/review.json"])
def test_what_was_added_is_never_touched_again(kind: str, word: str, path: str) -> None:
    assert touched(kind, path).audited().breaches == (
        Breach(
            "append_only",
            path,
            "f" * 40,
            f"{path}: {word} after it was added, by commit ffffffffffff",
        ),
    )


@pytest.mark.parametrize(
    "path",
    [
        ACCOUNT_PATH,
        "execution_results/README.md",
    ],
)
def test_what_is_rewritten_by_design_may_be(path: str) -> None:
    assert touched("M", path).audited().breaches == ()


def without_result(at: int) -> History:
    rest = {path: data for path, data in CLEAN.results.items() if path != RESULTS[at]}
    return replace(CLEAN, results=rest)


def with_result(path: str, data: bytes) -> History:
    return replace(CLEAN, results={**CLEAN.results, path: data})


def edited_result() -> History:
    tree = read_document(CLEAN.results[RESULTS[0]])
    tree["final_portfolio"]["cash"] = 1_000_000
    return with_result(RESULTS[0], write_document(tree))


def edited_plan() -> History:
    tree = read_document(CLEAN.plans[ARCHIVED[1]])
    tree["instructions"][0]["quantity"] = "11"
    return replace(CLEAN, plans={**CLEAN.plans, ARCHIVED[1]: write_document(tree)})


def plan_gone() -> History:
    return replace(
        CLEAN, plans={path: data for path, data in CLEAN.plans.items() if path != ARCHIVED[0]}
    )


def plan_unnamed() -> History:
    tree = read_document(CLEAN.results[RESULTS[-1]])
    del tree["archived_as"]
    return with_result(RESULTS[-1], write_document(tree))


def plan_without_result() -> History:
    plans = {**CLEAN.plans, f"{PLANS}/instructions_stray.json": b'{"instructions": []}'}
    return replace(CLEAN, plans=plans)


def with_checkpoint(**changes: object) -> History:
    tree = read_document(CLEAN.results[ACCOUNT_PATH]) | changes
    return with_result(ACCOUNT_PATH, write_document(tree))


PLANTED: dict[str, tuple[Callable[[], History], list[str], str]] = {
    "a result is gone": (
        lambda: without_result(1),
        ["chain", "plan_has_result"],
        f"{RESULTS[2]}: names result",
    ),
    "a result was edited": (edited_result, ["chain"], f"{RESULTS[1]}: names result"),
    "a result is no JSON": (
        lambda: with_result(RESULTS[-1], b"{"),
        ["readable"],
        f"{RESULTS[-1]}: cannot be read as a result",
    ),
    "a result is no result": (
        lambda: with_result("execution_results/other.json", b'{"kind": "execution"}'),
        ["readable"],
        "execution_results/other.json: cannot be read as a result",
    ),
    "an archived plan was edited": (
        edited_plan,
        ["result_has_plan"],
        f"{RESULTS[1]}: {ARCHIVED[1]} is not the plan that was executed",
    ),
    "an archived plan is no JSON": (
        lambda: replace(CLEAN, plans={**CLEAN.plans, ARCHIVED[0]: b"{"}),
        ["result_has_plan"],
        f"{RESULTS[0]}: {ARCHIVED[0]} is not the plan that was executed",
    ),
    "an archived plan is gone": (
        plan_gone,
        ["result_has_plan"],
        f"{RESULTS[0]}: its plan is not in the history ({ARCHIVED[0]})",
    ),
    "a result names no plan": (
        plan_unnamed,
        ["result_has_plan"],
        f"{RESULTS[-1]}: its plan is not in the history (no path)",
    ),
    "a checkpoint is none": (
        lambda: with_result(ACCOUNT_PATH, b"{}"),
        ["checkpoint"],
        f"{ACCOUNT_PATH}: cannot be read",
    ),
    "a checkpoint goes up to what is not there": (
        lambda: with_checkpoint(through=RESULTS[1]),
        ["checkpoint"],
        f"{ACCOUNT_PATH}: goes up to {RESULTS[1]}, which is not in the chain",
    ),
    "a checkpoint says otherwise than the results": (
        lambda: with_checkpoint(ledger={"cash_change": 5}),
        ["checkpoint"],
        f"{ACCOUNT_PATH}: `cash_change` is not what the results up to {RESULTS[0]} say",
    ),
    "a plan has no result": (
        plan_without_result,
        ["plan_has_result"],
        f"{PLANS}/instructions_stray.json: no result tells how it ended",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_breach_is_found_and_named(name: str) -> None:
    planted, rules, sentence = PLANTED[name]
    found = planted().audited()
    assert [one.rule for one in found.breaches] == rules
    assert found.breaches[0].sentence.startswith(sentence)


def test_a_plan_that_could_not_be_read_is_known_by_its_bytes() -> None:
    path = f"{PLANS}/instructions_broken.json"
    (link,) = chained([result(plan_digest=raw_digest(b"{"), archived_as=path)])
    found = History((), {link.path: write_document(link.result)}, {path: b"{"})
    assert found.audited().breaches == ()


def test_a_result_that_is_about_no_plan_needs_none() -> None:
    assert audited([note("opening")]) == []


def test_breaches_are_all_told_never_the_first_only() -> None:
    broken = replace(touched("D", RESULTS[0]), results=edited_result().results)
    assert replace(broken, plans=plan_gone().plans).rules() == [
        "append_only",
        "chain",
        "result_has_plan",
    ]


def broken(at: int, **changes: object) -> list[str]:
    """The rules that a chain breaks whose result at a place says something else."""
    documents = [
        result(
            line_result(fills=[fill(4)], client_order_id="order-0", filled_quantity="4"),
            archived_as=ARCHIVED[0],
            plan_digest=plan_digest(read_document(CLEAN.plans[ARCHIVED[0]])),
        ),
        result(
            line_result(fills=[fill(6)], client_order_id="order-0", filled_quantity="10"),
            kind="settlement",
            archived_as=ARCHIVED[0],
            plan_digest=plan_digest(read_document(CLEAN.plans[ARCHIVED[0]])),
        ),
    ]
    line_changes = {key: value for key, value in changes.items() if key != "execution_summary"}
    changed = documents[at].instructions[0].model_copy(update=line_changes)
    update: dict[str, object] = {"instructions": (changed,)}
    if "execution_summary" in changes:
        update["execution_summary"] = changes["execution_summary"]
    documents[at] = documents[at].model_copy(update=update)
    results = {link.path: write_document(link.result) for link in chained(documents)}
    plans = {ARCHIVED[0]: CLEAN.plans[ARCHIVED[0]]}
    return [one.rule for one in audit((), results, plans).breaches]


def test_numbers_that_do_not_add_up_are_found() -> None:
    assert broken(0) == []
    total = result().execution_summary.model_copy(update={"total_instructions": 7})
    assert broken(0, execution_summary=total) == ["adds_up"]
    assert broken(0, side=None) == ["adds_up"]
    assert broken(0, fills=(fill(5),)) == ["adds_up", "written_once"]
    assert broken(1, filled_quantity=Decimal(11)) == ["written_once"]


def test_an_order_that_is_executed_twice_is_found() -> None:
    once = result(
        line_result(fills=[fill(4)], client_order_id="order-0", filled_quantity="4"),
        line_result(1, outcome=Outcome.DENIED, client_order_id=None),
        archived_as=ARCHIVED[0],
        plan_digest=plan_digest(read_document(CLEAN.plans[ARCHIVED[0]])),
    )
    results = {link.path: write_document(link.result) for link in chained([once, once])}
    plans = {ARCHIVED[0]: CLEAN.plans[ARCHIVED[0]]}
    assert [one.rule for one in audit((), results, plans).breaches] == ["written_once"]


# Results that are no execution.

STATE = TradingStateRecord(state=TradingState.REDUCE_ONLY, since=NOW, by="alice", reason="a drill")
CONTENT: dict[str, dict[str, object]] = {
    "state": {"state": STATE},
    "opening": {"opening": OpeningRecord(cash=Decimal(1), by="alice")},
    "observed": {"observed": (Observed(kind="cash", key="CASH", status="held"),)},
    "activity": {"activities": (Activity(id="1", kind="DIV", at=NOW),)},
}
ABOUT_NO_PLAN = {"archived_as": None, "plan_digest": None, "plan_status": None}


def note(kind: str, **changes: object) -> ExecutionResult:
    return result(kind=kind, **{**ABOUT_NO_PLAN, **CONTENT[kind], **changes})


def audited(
    results: Sequence[ExecutionResult],
    *,
    state: bytes | None = None,
    changes: Sequence[FileChange] = (),
    plans: dict[str, bytes] | None = None,
) -> list[str]:
    """The rules that a history of these results breaks."""
    written = {link.path: write_document(link.result) for link in chained(results)}
    if state is not None:
        written[STATE_PATH] = state
    return [one.rule for one in audit(changes, written, plans or {}).breaches]


@pytest.mark.parametrize("kind", CONTENT)
def test_a_result_of_a_kind_holds_what_the_kind_is_about(kind: str) -> None:
    state = write_document(STATE) if kind == "state" else None
    assert audited([note(kind)], state=state) == []
    (key,) = CONTENT[kind]
    empty: object = () if key in ("observed", "activities") else None
    assert audited([note(kind, **{key: empty})]) == ["adds_up"]


def test_an_opening_stands_in_no_other_result() -> None:
    assert "adds_up" in audited([note("activity", **CONTENT["opening"])])


def test_an_acknowledged_order_with_fills_names_what_it_traded() -> None:
    order = Observed(
        kind="order",
        key="theirs",
        symbol="MU",
        side="buy",
        filled_quantity=Decimal(1),
        status="filled",
        fills=(fill(1),),
        acknowledged_by="alice",
        book="manual",
    )
    assert audited([note("observed", observed=(order,))]) == []
    for missing in ("symbol", "side"):
        broken_one = order.model_copy(update={missing: None})
        assert audited([note("observed", observed=(broken_one,))]) == ["adds_up"]


def test_an_activity_is_booked_once_in_its_ledger() -> None:
    assert audited([note("activity"), note("activity")]) == ["booked_once"]
    elsewhere = note("activity", account="…9999")
    assert audited([note("activity"), elsewhere]) == []
    twice = CONTENT["activity"]["activities"]
    assert isinstance(twice, tuple)
    assert audited([note("activity", activities=twice * 2)]) == ["booked_once"]


def test_an_opening_is_where_its_ledger_begins() -> None:
    assert audited([note("observed"), note("opening"), note("activity")]) == []
    assert audited([note("activity"), note("opening")]) == ["opening_first"]
    assert audited([note("opening"), note("opening")]) == ["opening_first"]
    assert audited([note("activity", account="…9999"), note("opening")]) == []


HALTED = STATE.model_copy(update={"state": TradingState.HALTED})


@pytest.mark.parametrize(
    ("told", "lies", "breaches"),
    [
        ([], None, []),
        ([STATE], write_document(STATE), []),
        ([STATE, HALTED], write_document(HALTED), []),
        ([STATE, HALTED], write_document(STATE), ["state_has_result"]),
        ([], write_document(STATE), ["state_has_result"]),
        ([STATE], None, ["state_has_result"]),
        ([STATE], b"{", ["state_has_result"]),
        ([STATE], b"{}", ["state_has_result"]),
    ],
)
def test_the_state_in_force_is_what_the_newest_result_says(
    told: list[TradingStateRecord], lies: bytes | None, breaches: list[str]
) -> None:
    results = [note("state", state=one) for one in told]
    assert audited(results, state=lies) == breaches


def test_a_resume_is_told_by_its_execution() -> None:
    resumed = result(**ABOUT_NO_PLAN, kind="state", state=HALTED)
    assert audited([note("state"), resumed], state=write_document(HALTED)) == []


def test_where_the_chain_is_broken_nobody_knows_which_state_is_the_newest() -> None:
    links = chained([note("state"), note("state", state=HALTED)])
    second = {links[1].path: write_document(links[1].result), STATE_PATH: write_document(STATE)}
    assert [one.rule for one in audit((), second, {}).breaches] == ["chain"]


def test_each_change_of_the_state_comes_with_its_result() -> None:
    (path,) = (link.path for link in chained([note("state")]))
    with_it = [FileChange("a" * 40, "A", path), FileChange("a" * 40, "A", STATE_PATH)]
    by_hand = [FileChange("b" * 40, "M", STATE_PATH), FileChange("b" * 40, "A", "other.json")]
    lies = write_document(STATE)
    assert audited([note("state")], state=lies, changes=with_it) == []
    there = [*with_it, *by_hand]
    assert audited([note("state")], state=lies, changes=there) == ["state_has_result"]


# Legs.


def leg(filled: str, *fills: str, **changes: object) -> LegResult:
    document = {
        "index": 0,
        "ticker": "MU",
        "side": "sell",
        "leg": "stop",
        "plan_digest": "ab" * 32,
        "client_order_id": "the-stop",
        "outcome": "open",
        "filled_quantity": filled,
        "fills": tuple(fill(one) for one in fills),
    }
    return LegResult.model_validate({**document, **changes})


def test_a_leg_may_be_told_by_executions_and_settlements_and_its_fills_count_once() -> None:
    def told(*legs: LegResult) -> ExecutionResult:
        return note("activity", legs=legs, activities=(next(activities),))

    activities = (Activity(id=str(number), kind="DIV", at=NOW) for number in range(100))
    assert audited([told(leg("0")), told(leg("4", "4")), told(leg("10", "6"))]) == []
    assert audited([told(leg("4", "4")), told(leg("4"))]) == []
    assert audited([told(leg("4", "4")), told(leg("4", "4"))]) == ["written_once"]
    assert audited([told(leg("4")), told(leg("4"))]) == ["written_once"]
    assert audited([told(leg("4", "5"))]) == ["adds_up", "written_once"]
    assert audited([told(leg("4", "4", side=None))]) == ["adds_up"]


def test_a_leg_of_an_execution_is_no_second_execution_of_its_order() -> None:
    first = result(
        line_result(outcome=Outcome.OPEN, client_order_id="order-0"), archived_as=ARCHIVED[0]
    )
    ended = leg("0", leg="entry", side="buy", client_order_id="order-0", outcome="canceled")
    second = result(legs=(ended,), archived_as=ARCHIVED[0])
    tree = read_document(CLEAN.plans[ARCHIVED[0]])
    both = [one.model_copy(update={"plan_digest": plan_digest(tree)}) for one in (first, second)]
    assert audited(both, plans={ARCHIVED[0]: CLEAN.plans[ARCHIVED[0]]}) == []


# Plans that were set aside.

STRAY = f"{PLANS}/instructions_stray.json"
WHO_AND_WHY = {"Withdrawn-By": "alice", "Reason": "second thoughts"}


@pytest.mark.parametrize(
    ("trailers", "explained"),
    [
        ({"Step": "withdrawn", **WHO_AND_WHY}, True),
        ({"Step": "superseded", **WHO_AND_WHY}, True),
        ({"Step": "validated", "Supersedes": STRAY}, True),
        ({"Step": "validated", "Supersedes": f"{STRAY}.other"}, False),
        ({"Step": "validated", **WHO_AND_WHY}, False),
        ({"Step": "withdrawn", "Withdrawn-By": "alice"}, False),
        ({"Step": "withdrawn", "Reason": "second thoughts"}, False),
        ({"Step": "withdrawn", **WHO_AND_WHY, "Reason": ""}, False),
        ({}, False),
    ],
)
def test_a_plan_without_a_result_was_set_aside_by_somebody(
    trailers: dict[str, str], explained: bool
) -> None:
    added = FileChange("a" * 40, "A", STRAY, trailers)
    wanted = [] if explained else ["plan_has_result"]
    assert audited([], changes=[added], plans={STRAY: b"{}"}) == wanted
    changed = FileChange("a" * 40, "M", STRAY, trailers)
    assert audited([], changes=[changed], plans={STRAY: b"{}"}) == [
        "append_only",
        "plan_has_result",
    ]
