"""A record in memory, written as the executor writes it: results, archives, checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.checkpointing import with_checkpoint
from executor.decisions.results import archive_name, result_name
from executor.history import PLAN_DIGEST, RESULT, SETTLES, STEP
from executor.main_state import MainState
from executor.model.digest import plan_digest
from executor.model.order_result import InstructionResult
from executor.model.reading import read_document
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from executor.ports import Change
from tests.decisions.record_builders import fill, line_result, result
from tests.fakes.clock import SimulatedClock
from tests.fakes.memory_book import MemoryBook, Origin
from tests.scratch import TEMPLATE

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
PAPER = TEMPLATE.replace('mode = "sim"', 'mode = "paper"').encode()


class CountingBook(MemoryBook):
    """Counts what is asked of it."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self.asked: list[str] = []

    def read(self, path: str, at: str) -> bytes | None:
        self.asked.append(f"read {path}")
        return super().read(path, at)

    def read_folder(self, folder: str, at: str) -> Any:
        self.asked.append(f"folder {folder}")
        return super().read_folder(folder, at)


@dataclass
class Record:
    """Main with the shipped settings, and a hand that writes results to it."""

    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START))
    number: int = 0

    def __post_init__(self) -> None:
        """Begin with the settings."""
        self.origin = Origin(self.clock)
        self.book = CountingBook(self.origin)
        self.origin.push({SETTINGS_PATH: TEMPLATE.encode()}, "Settings")

    @property
    def main(self) -> MainState:
        return MainState(self.book, self.book.head())

    def plan(self, **keys: Any) -> dict[str, Any]:
        """The next plan, an hour after the one before it."""
        self.number += 1
        self.clock.move_to(START + timedelta(hours=self.number))
        line = {"action": "BUY", "ticker": "MU", "quantity": 10, "reason": "a reason"}
        document = {
            "timestamp": self.clock.now().isoformat(),
            "strategy_type": "test",
            "reason": f"plan {self.number}",
            "instructions": [line],
        }
        return document | keys

    def execute(
        self,
        plan: dict[str, Any] | None = None,
        *lines: InstructionResult,
        status: str = "completed",
        checkpoint: bool = True,
        seen: bool = True,
        **keys: Any,
    ) -> str:
        """Write a plan's end as the executor does; the path of its result."""
        tree = plan or self.plan()
        told = lines or (self.filled(),)
        at = self.clock.now()
        stamp = tree.get("timestamp")
        base = archive_name(datetime.fromisoformat(stamp) if stamp else at)
        digest = plan_digest(read_document(write_document(tree)))
        archive = self._free(base, digest)
        path = self._free(result_name(at), f"{self.number:08}")
        tip = self.main.tip
        cash = Decimal(100_000)
        document = result(
            *told,
            timestamp=at,
            plan_digest=digest,
            plan_status=status,
            archived_as=archive,
            previous_result_digest=tip.digest if tip else None,
            final_portfolio={
                "total_value": cash,
                "cash": cash,
                "realized_pl": Decimal(0),
                "as_of": at if seen else None,
                "buying_power": cash if seen else None,
                "margin_used": Decimal(0) if seen else None,
            },
            **keys,
        )
        change = Change(
            f"End plan {self.number}",
            {archive: write_document({**tree, "status": status}), path: write_document(document)},
            trailers={PLAN_DIGEST: digest, STEP: status, RESULT: path},
        )
        if checkpoint:
            change = with_checkpoint(self.main, change, path)
        self.book.commit(change, self.book.head())
        return path

    def settle(self, first: str, *lines: InstructionResult) -> str:
        """Write what became of an execution's orders."""
        self.number += 1
        self.clock.move_to(START + timedelta(hours=self.number))
        main = self.main
        earlier, tip = main.result(first), main.tip
        assert tip is not None, "there is an execution"
        path = result_name(self.clock.now())
        settled = result(
            *lines,
            kind="settlement",
            timestamp=self.clock.now(),
            first_result=first,
            plan_digest=earlier.plan_digest,
            archived_as=earlier.archived_as,
            previous_result_digest=tip.digest,
        )
        trailers = {SETTLES: earlier.plan_digest or "", RESULT: path}
        change = Change("Settle", {path: write_document(settled)}, trailers=trailers)
        self.book.commit(with_checkpoint(main, change, path), main.head)
        return path

    def _free(self, path: str, digest: str) -> str:
        head, stem = self.book.head(), path.removesuffix(".json")
        taken, number = path, 1
        while self.book.read(taken, head) is not None:
            taken = f"{stem}-{digest[:8]}{f'-{number}' if number > 1 else ''}.json"
            number += 1
        return taken

    def filled(self, **keys: Any) -> InstructionResult:
        """An order of the newest plan that filled."""
        base: dict[str, Any] = {
            "fills": (fill("10", "100", self.clock.now()),),
            "client_order_id": f"ai-00000000-{self.number:032x}-0",
        }
        return line_result(**(base | keys))
