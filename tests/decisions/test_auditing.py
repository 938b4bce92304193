from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.auditing import Audit, Breach, FileChange, audit
from executor.model.digest import digest, plan_digest, raw_digest
from executor.model.reading import read_document
from executor.model.result import Outcome
from executor.model.writing import write_document
from tests.checks.builders import line
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
    results = {link.path: write_document(link.result) for link in chained(documents)}
    results["execution_results/account.json"] = b"{}"
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
        "execution_results/account.json",
        "execution_results/trading_state.json",
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
    (link,) = chained([result(kind="opening", archived_as=None, plan_digest=None)])
    assert History((), {link.path: write_document(link.result)}, {}).audited().breaches == ()


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
