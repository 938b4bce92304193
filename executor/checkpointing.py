"""Writes the checkpoint into the commit of each result, so that no later run reads them all."""

from __future__ import annotations

from dataclasses import replace

from executor.decisions.checkpoint import account_in, checkpoint_of
from executor.decisions.ledger import fold
from executor.errors import PersonNeeded, UsageError
from executor.main_state import MainState
from executor.model.account import ACCOUNT_PATH
from executor.model.digest import digest
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.model.writing import write_document
from executor.ports import Change


def with_checkpoint(main: MainState, change: Change, path: str) -> Change:
    """Add the checkpoint that goes up to the result which a change writes.

    The change stays as it is where there is none: no broker has ever told of the account, or the
    record or the settings are damaged. The checkpoint on main then goes on to hold up to where it
    does, and what came later is read.

    Args:
        main: main as it was read, without the new result.
        change: the commit; it holds the result.
        path: the result.
    """
    tree = read_document(change.writes[path], of_record=True)
    result = ExecutionResult.model_validate(tree)
    try:
        mode, of_account = main.settings.mode, main.account
        seen = account_in(result) or main.history.account_told(mode, of_account)
        if seen is None or seen.mode is not mode:
            return change
        ledger = fold([(path, result)], mode, of_account, start=main.ledger)
    except (PersonNeeded, UsageError):
        return change
    found = checkpoint_of(
        ledger, seen, of_account=of_account, tip_path=path, tip_digest=digest(tree)
    )
    if found is None:
        return change
    return replace(change, writes={**change.writes, ACCOUNT_PATH: write_document(found)})
