"""Plans that a command writes into the work tree; a person commits them like any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from executor.decisions.gates import judge_tree
from executor.errors import PersonNeeded, UsageError
from executor.main_state import MainState, PlanOnMain
from executor.model.plan import PLAN_PATH, PlanStatus, TradingInstructionSet
from executor.model.reading import SIZE_LIMIT, read_document
from executor.model.writing import write_document
from executor.repo.schema_files import load_schema


def waiting_plan(main: MainState) -> PlanOnMain | None:
    """The plan that waits on main; None where there is none.

    Raises:
        PersonNeeded: a plan is under way: orders of it may be at the broker.
    """
    under_way = main.unfinished
    if under_way is None and main.plan is not None and main.plan.status is PlanStatus.VALIDATED:
        under_way = main.plan
    if under_way is not None:
        raise PersonNeeded(
            f"plan {under_way.digest[:8]} is validated, orders of it may be at the broker;"
            " finish it first: `autoinvestor execute --submit`"
        )
    return main.plan


def make_way(main: MainState, top: Path, *, replaces: bool) -> PlanOnMain | None:
    """Say which waiting plan a new one in the work tree takes the place of; None: of none.

    Args:
        main: main as it is.
        top: the work tree.
        replaces: whether it may take the place of one at all.

    Raises:
        UsageError: a plan waits and may not be replaced, or somebody's own file is in the way.
        PersonNeeded: a plan is under way.
    """
    waits = waiting_plan(main)
    file = top / PLAN_PATH
    lying = _read(file) if file.is_file() else None
    if waits is not None and not replaces:
        raise UsageError(
            f"plan {waits.digest[:8]} waits on main; execute it (`autoinvestor execute --submit`)"
            " or take it away (`autoinvestor withdraw --reason TEXT`) first"
        )
    if lying is not None and (waits is None or lying != waits.data):
        raise UsageError(
            f"{PLAN_PATH}: the file that lies here is not the one on main; put it away first"
        )
    return waits


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(SIZE_LIMIT + 1)


def write_plan(top: Path, tree: Mapping[str, Any]) -> TradingInstructionSet:
    """Write a plan of ours into the work tree; nothing is committed.

    Raises:
        OSError: the file cannot be written.
    """
    data = write_document(dict(tree))
    plan, problems = judge_tree(
        read_document(data), load_schema("trading_instructions"), TradingInstructionSet
    )
    assert plan is not None, f"our own plan has no flaw: {problems[:1]}"
    (top / PLAN_PATH).write_bytes(data)
    return plan
