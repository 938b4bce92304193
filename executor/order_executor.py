"""The mission's API for executing: `OrderExecutor`, a thin layer over the verb `execute`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from executor.commands.execute import execute
from executor.errors import AutoInvestorError, BookUnavailable, ExitCode, SwapLost, UsageError
from executor.history import timestamp_of
from executor.main_state import MainState
from executor.model.account import Mode
from executor.model.digest import plan_digest
from executor.model.plan import PLAN_PATH
from executor.model.reading import SIZE_LIMIT, read_document
from executor.model.result import ExecutionResult
from executor.ports import Change
from executor.reports.reply import Reply
from executor.wiring import World, open_world

__all__ = ["OrderExecutor"]

SWAP_TRIES = 8


class OrderExecutor:
    """Executes the plan of a file, once.

    The file is committed as the plan on main and executed as `autoinvestor execute --submit` would.
    Where the mode asks for an approval, that commit has none and the plan waits or is refused.
    """

    def __init__(self, mode: str = "sim", repo: str | Path = ".") -> None:
        """Execute in a repository.

        Args:
            mode: `sim`, `paper` or `live`; must be the mode of the repository's settings.
            repo: the repository; by default the current folder.

        Raises:
            UsageError: no such mode.
        """
        if mode not in tuple(Mode):
            raise UsageError(f"mode {mode!r}: not a mode; write sim, paper or live")
        self._mode = Mode(mode)
        self._repo = Path(repo)

    def execute_instructions(self, path: str | Path = PLAN_PATH) -> dict[str, Any]:
        """Execute the plan of a file; a document that was executed before is not sent again.

        Args:
            path: the file, relative to the repository. Where it is gone, the last plan that was
                executed counts as the one that is meant.

        Returns:
            `success` (True where nothing failed), `errors` (sentences), `message`, and with a
            result the result's own keys, such as `execution_summary`.

        Raises:
            UsageError: the repository, the settings or the mode are not usable.
        """
        notes = _Notes()
        with open_world(self._repo) as world:
            try:
                reply = self._execute(world, Path(path), notes)
            except UsageError:
                raise
            except AutoInvestorError as error:
                return _answer(False, [str(error)], "not executed")
        return _of_reply(reply)

    def _execute(self, world: World, path: Path, notes: _Notes) -> Reply:
        main = MainState(world.book, world.book.head())
        if main.settings.mode is not self._mode:
            raise UsageError(
                f"mode {self._mode.value}: the settings on main say {main.settings.mode.value};"
                " change the one or the other"
            )
        data = _read(self._repo / path)
        if data is None:
            if path != Path(PLAN_PATH):
                raise UsageError(f"{path}: no such file; name the plan to execute")
            return _last_executed(main) or execute(world, notes, submit=True)
        digest = plan_digest(read_document(data))
        self._make_way(main, data, digest)
        for _ in range(SWAP_TRIES):
            found = _executed(MainState(world.book, world.book.head()), data, digest)
            if found is not None:
                return _already(found)
            _commit_plan(world, data, digest)
            reply = execute(world, notes, submit=True)
            if reply.data.get("plan_digest") == digest:
                return reply
            # Another plan, or one that an earlier run left behind, went first.
            if reply.data.get("state") == "waiting":
                return _not_its_turn()
        raise BookUnavailable("other plans kept going first; run again")

    def _make_way(self, main: MainState, data: bytes, digest: str) -> None:
        """Where an earlier run left a plan half executed, the file must not stand in its way."""
        half_done = main.unfinished
        file = self._repo / PLAN_PATH
        if half_done is None or _read(file) in (None, half_done.data):
            return
        if _read(file) == data and half_done.digest == digest:
            # The same plan, saved again: main holds it further on in its life.
            file.write_bytes(half_done.data)
            return
        raise UsageError(
            f"{PLAN_PATH}: an earlier plan is half executed, and this file is in its way; put the"
            " file elsewhere, run `autoinvestor execute --submit`, then execute the file"
        )


@dataclasses.dataclass
class _Notes:
    """Keeps progress to itself: a library does not print."""

    lines: list[str] = dataclasses.field(default_factory=list)

    def say(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)


def _read(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)


def _commit_plan(world: World, data: bytes, digest: str) -> None:
    """Put the file on main as the plan, unless a plan is there already."""
    for _ in range(SWAP_TRIES):
        head = world.book.head()
        if world.book.read(PLAN_PATH, head) is not None:
            # The same plan, perhaps further on in its life, is executed; another one goes first.
            return
        change = Change(
            subject=f"Add plan {digest[:8]} from a file",
            writes={PLAN_PATH: data},
        )
        try:
            world.book.commit(change, head)
        except SwapLost:
            continue
        return
    raise BookUnavailable("main kept moving while the plan was added; run again")


def _last_executed(main: MainState) -> Reply | None:
    if main.plan is not None or main.unfinished is not None:
        return None
    for told in main.history.executions():
        if told[1].instructions_file == PLAN_PATH:
            found = main.history.counting(told)
            if found is not None:
                return _already(found[1])
            state = {"state": told[1].plan_status, "errors": told[1].errors, "result": None}
            return Reply(ExitCode.REFUSED, state)
    return None


def _executed(main: MainState, data: bytes, digest: str) -> ExecutionResult | None:
    """The result of the execution of a plan; None where it was not executed."""
    found = main.history.execution_of(digest, timestamp_of(data))
    return found[1] if found else None


def _already(result: ExecutionResult) -> Reply:
    return Reply(ExitCode.DONE, {"state": "duplicate", "result": result.model_dump()})


def _not_its_turn() -> Reply:
    error = "another plan waits on main; run again when it is done, or take it from main"
    return Reply(ExitCode.REFUSED, {"state": "not executed", "errors": [error]})


def _of_reply(reply: Reply) -> dict[str, Any]:
    state = str(reply.data.get("state"))
    errors = [str(one) for one in reply.data.get("errors", [])]
    if state == "waiting":
        reasons = [one for one in reply.data.get("verdicts", []) if one["answer"] == "not_now"]
        sentences = [f"{one['check']}: {one['observed']}; {one['remedy']}" for one in reasons]
        return _answer(False, sentences, "not now; the plan waits on main")
    if state in ("duplicate", "nothing_pending"):
        message = "already executed" if state == "duplicate" else "nothing pending"
        return {**(reply.data.get("result") or {}), **_answer(True, [], message)}
    result = reply.data.get("result") or {}
    success = not reply.exit_code and not errors
    return {**result, **_answer(success, errors, state)}


def _answer(success: bool, errors: list[str], message: str) -> dict[str, Any]:
    return {"success": success, "errors": errors, "message": message}
