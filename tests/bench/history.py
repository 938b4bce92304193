"""One order, sent and recorded, in a repository of 100,000 results and in one of 100."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from executor.decisions.checkpoint import account_in, checkpoint_of, ledger_of, prune
from executor.decisions.ledger import fold
from executor.decisions.results import archive_name, result_name
from executor.exchange.engine import Exchange
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from executor.model.account import ACCOUNT_PATH, Mode
from executor.model.checkpoint import Checkpoint
from executor.model.digest import canonical
from executor.model.fields import timestamp_text
from executor.model.ledger import Ledger
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.model.writing import write_document
from tests.bench.material import SETTINGS, SHARES, SYMBOL
from tests.bench.measure import Figure, Run, Size, in_turn, process, program

LONG, SHORT = 100_000, 100
APART = timedelta(hours=1)
"""A result an hour: eleven years of them."""

BATCH: Final = 50
"""Results that are written by one commit: a folder of thousands is slow to write again and again.
Only the newest one, which a run looks at, has to come with its own."""

PRICE, CASH = Decimal("331.44"), Decimal(100_000)
OTHERS: Final = (
    *("AMD", "TSM", "NVDA", "AVGO", "INTC", "AAPL", "MSFT"),
    *("GOOGL", "AMZN", "META", "NFLX", "JPM", "BAC", "KO"),
)
"""What is bought while the clock runs: each once, as an entry is not to be repeated."""
MARK: Final = datetime(1999, 9, 9, 9, 9, 9, tzinfo=UTC)
"""A time that stands for another one."""
MARKED_PATH: Final = "trading_instructions_history/marked.json"
NAMED: Final = rb'"previous_result_digest": ?"0{64}",\s*'


def measure(size: Size) -> Iterator[Figure]:
    """Both as whole processes, each in a repository that grows by one result a run."""
    prices = SeededPrices()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        long = Repository(Path(scratch) / "long", max(SHORT + 1, size.of(LONG)))
        short = Repository(Path(scratch) / "short", SHORT)

        def run(repository: Repository) -> Run:
            repository.propose()
            with repository.exchange(prices) as url:
                there = {"AUTOINVESTOR_EXCHANGE_URL": url}
                command = [*program("autoinvestor"), "execute", "--submit"]
                return process(command, repository.folder, there)

        pair = in_turn(lambda: run(long), lambda: run(short), size)
    yield Figure(
        "history",
        f"1 order after {long.count:,} results / after {short.count:,}",
        pair.wall,
        "x",
        target=1.2,
        detail=pair.detail(),
    )


class Repository:
    """A repository with a record of buys and sells in turn, as the executor would have left it."""

    def __init__(self, folder: Path, count: int) -> None:
        """Write it in one go: a commit for each result, the last one with the checkpoint."""
        self.folder = folder
        self.count = count
        self._plans = 0
        self._started = datetime.now(UTC).replace(microsecond=0)
        init = ["git", "init", "--quiet", "--initial-branch=main", "--template=", str(folder)]
        subprocess.run(init, check=True)
        importer = ["git", "-c", "core.compression=1", "fast-import", "--quiet", "--depth=0"]
        with subprocess.Popen(importer, cwd=folder, stdin=subprocess.PIPE) as importing:
            assert importing.stdin is not None, "it was opened as a pipe"
            for piece in self._stream():
                importing.stdin.write(piece)
        assert importing.returncode == 0, "git fast-import took the record"
        process(["git", "reset", "--quiet", "--hard"], folder)

    def _stream(self) -> Iterator[bytes]:
        first = self._started - timedelta(days=1) - APART * self.count
        yield _commit(first, "Begin", {SETTINGS.name: SETTINGS.read_bytes()})
        record, files = Record(), dict[str, bytes]()
        for number in range(self.count):
            at = first + APART * number
            is_last = number == self.count - 1
            if is_last or number % BATCH == 0:
                files.clear()
            plan, path, result = record.add(number, at)
            files |= {archive_name(at): plan, path: result}
            if is_last:
                files[ACCOUNT_PATH] = record.checkpoint()
            trailers = f"Plan-Digest: {record.plan_digest}\nStep: completed\nResult: {path}\n"
            is_due = is_last or (number + 1) % BATCH == 0 or number == self.count - 2
            yield _commit(at, f"Complete plan {number}\n\n{trailers}", files if is_due else {})

    def propose(self) -> None:
        """Commit the next plan, as a person would."""
        self._plans += 1
        at = self._started + timedelta(seconds=self._plans)
        plan = _plan(at, "BUY", "pending", OTHERS[self._plans % len(OTHERS)])
        (self.folder / "trading_instructions.json").write_bytes(write_document(plan))
        person = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"]
        process(["git", "add", "trading_instructions.json"], self.folder)
        process(["git", *person, "commit", "--quiet", "-m", "Propose one order"], self.folder)

    @contextmanager
    def exchange(self, prices: SeededPrices) -> Iterator[str]:
        """An exchange whose account is the record's; afterwards it has filled one order more."""
        checkpoint = Checkpoint.model_validate(
            read_document((self.folder / ACCOUNT_PATH).read_bytes(), of_record=True)
        )
        ledger = ledger_of(checkpoint)
        opening = Opening(
            cash=CASH + ledger.cash_change, positions=tuple(ledger.positions.values())
        )
        there = Exchange(prices, AlwaysOpen(), lambda: datetime.now(UTC), opening, rate_limit=0)
        with ThreadedServer(there) as server:
            yield server.url
        fills = there.fills()
        assert len(fills) == 1, f"one order was to be filled, not {len(fills)}"


class Record:
    """Results one after the other, each naming the one before it."""

    def __init__(self) -> None:
        """Prepare one text for all buys and one for all sells."""
        self._forms = [_Form(_result(side)) for side in ("buy", "sell")]
        self._plans = [_Form(_plan(MARK, action, "completed")) for action in ("BUY", "SELL")]
        self._previous: str | None = None
        self._waiting: list[tuple[str, ExecutionResult]] = []
        self._ledger = Ledger()
        self.plan_digest = ""
        self._newest: tuple[str, ExecutionResult] | None = None

    def add(self, number: int, at: datetime) -> tuple[bytes, str, bytes]:
        """The next plan, the path of its result, and that."""
        turn, moment = number % 2, timestamp_text(at)
        plan, canonical_plan = self._plans[turn].filled({timestamp_text(MARK): moment})
        self.plan_digest = sha256(canonical_plan.replace(b',"status":"completed"', b"")).hexdigest()
        path = result_name(at)
        told = {
            timestamp_text(MARK): moment,
            "0" * 64: self._previous or "0" * 64,
            "1" * 64: self.plan_digest,
            "1" * 32: self.plan_digest[:32],
            MARKED_PATH: archive_name(at),
            "broker-0": f"broker-{number}",
        }
        data, canonical_form = self._forms[turn].filled(told)
        if self._previous is None:
            data, canonical_form = (re.sub(NAMED, b"", one) for one in (data, canonical_form))
        self._previous = sha256(canonical_form).hexdigest()
        self._newest = (path, ExecutionResult.model_validate(read_document(data)))
        self._waiting.append(self._newest)
        if len(self._waiting) > 500:
            self._fold()
        return plan, path, data

    def _fold(self) -> None:
        self._ledger = prune(fold(self._waiting, Mode.SIM, start=self._ledger))
        self._waiting.clear()

    def checkpoint(self) -> bytes:
        """The checkpoint up to the newest result."""
        self._fold()
        assert self._newest is not None, "there is a result"
        path, result = self._newest
        seen = account_in(result)
        assert seen is not None, "each result tells the account"
        assert self._previous is not None, "there is a result"
        found = checkpoint_of(
            self._ledger, seen, of_account=None, tip_path=path, tip_digest=self._previous
        )
        assert found is not None, "its numbers are small"
        return write_document(found)


class _Form:
    """A document as text and in its canonical spelling, with marks to be filled in."""

    def __init__(self, document: object) -> None:
        self._text = write_document(document)
        self._canonical = canonical(read_document(self._text)).encode()

    def filled(self, marks: Mapping[str, str]) -> tuple[bytes, bytes]:
        text, spelled = self._text, self._canonical
        for mark, value in marks.items():
            text = text.replace(mark.encode(), value.encode())
            spelled = spelled.replace(mark.encode(), value.encode())
        return text, spelled


def _plan(at: datetime, action: str, status: str, symbol: str = SYMBOL) -> dict[str, Any]:
    line = {"action": action, "ticker": symbol, "quantity": int(SHARES), "reason": "a benchmark"}
    return {
        "timestamp": timestamp_text(at),
        "strategy_type": "aggressive_momentum",
        "reason": "Deploy capital with a 15% profit target",
        "instructions": [{**line, "order_type": "market"}],
        "status": status,
    }


def _result(side: str) -> ExecutionResult:
    shares, spent = Decimal(SHARES), Decimal(SHARES) * PRICE
    held = side == "buy"
    cash = CASH - spent if held else CASH
    account = {
        "as_of": MARK,
        "cash": cash,
        "buying_power": CASH,
        "margin_used": 0,
        "positions": ({"symbol": SYMBOL, "quantity": shares, "average_entry_price": PRICE},)
        if held
        else (),
    }
    line = {
        "index": 0,
        "ticker": SYMBOL,
        "side": side,
        "quantity": shares,
        "order_type": "market",
        "time_in_force": "day",
        "client_order_id": f"ai-25bf8e1a-{'1' * 32}-0",
        "broker_order_id": "broker-0",
        "submitted_at": MARK,
        "outcome": "filled",
        "filled_quantity": shares,
        "average_fill_price": PRICE,
        "fills": ({"quantity": shares, "price": PRICE, "at": MARK},),
    }
    before = {**account, "mode": "sim", "account": "…0001", "equity": CASH, "positions": ()}
    return ExecutionResult.model_validate(
        {
            "timestamp": MARK,
            "instructions_file": "trading_instructions.json",
            "archived_as": MARKED_PATH,
            "plan_digest": "1" * 64,
            "plan_status": "completed",
            "strategy": "manual",
            "previous_result_digest": "0" * 64,
            "mode": "sim",
            "account": "…0001",
            "execution_summary": {"total_instructions": 1, "successful": 1, "failed": 0},
            "instructions": (line,),
            "account_before": before | {"cash": CASH if held else CASH - spent},
            "final_portfolio": {**account, "total_value": CASH, "realized_pl": 0},
        }
    )


def _commit(at: datetime, message: str, files: Mapping[str, bytes]) -> bytes:
    said = message.encode()
    pieces = [
        b"commit refs/heads/main\n",
        b"committer AutoInvestor <autoinvestor@localhost> %d +0000\n" % int(at.timestamp()),
        b"data %d\n%s\n" % (len(said), said),
    ]
    for path, data in files.items():
        pieces.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    return b"".join(pieces)
