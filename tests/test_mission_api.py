"""The mission's own API: its code examples run as they stand, but for the import and mode `sim`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import executor
from executor import OrderExecutor, StrategyReviewLogger, TradingInstruction, TradingInstructionSet
from executor.errors import DocumentError, UsageError
from executor.exchange.engine import Exchange
from executor.exchange.opening import Opening
from executor.exchange.prices import PriceSource
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import sessions_named
from executor.model.digest import plan_digest
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.wiring import EXCHANGE_URL
from tests.commands.exchanges import nobody_there
from tests.scratch import Repository

SCHEMAS = Path(__file__).parents[1] / "schemas"

CREATE = """
from {instructions} import TradingInstruction, TradingInstructionSet

instructions = TradingInstructionSet(
    strategy_type="aggressive_momentum",
    reason="Deploy $200k with 15% profit targets",
    use_margin=True,
    instructions=[
        TradingInstruction(
            action="BUY",
            ticker="MU",
            quantity=84.48,
            order_type="market",
            reason="HIGH conviction",
            target_allocation=28000,
            profit_target_pct=15.0,
            stop_loss_pct=8.0
        )
    ]
)

instructions.save("trading_instructions.json")
"""

LOG = """
from {logger} import StrategyReviewLogger

logger = StrategyReviewLogger()
logger.log_review(
    trigger="scheduled_4hour",
    market_analysis={{"vix": 15.98, "regime": "BULLISH"}},
    portfolio_state={{"total_value": 99711.08}},
    decision="HOLD",
    reasoning="All positions strong, no action needed"
)
"""

EXECUTE = """
from {order} import OrderExecutor

executor = OrderExecutor(mode='sim')
result = executor.execute_instructions('trading_instructions.json')

if result["success"]:
    print("Execution successful")
else:
    print(f"Errors: {{result['errors']}}")
"""

PREFIXES = {
    "the package": dict.fromkeys(("instructions", "logger", "order"), "executor"),
    "its modules": {
        "instructions": "executor.trading_instructions",
        "logger": "executor.strategy_logger",
        "order": "executor.order_executor",
    },
}

DEPLOYMENT = """{
  "timestamp": "2026-01-14T13:45:00",
  "strategy_type": "aggressive_momentum",
  "reason": "Deploy $200k with 15% profit targets",
  "use_margin": true,
  "market_context": {
    "vix": 15.98,
    "regime": "BULLISH"
  },
  "instructions": [
    {
      "action": "BUY",
      "ticker": "MU",
      "quantity": 84.48,
      "order_type": "market",
      "reason": "HIGH conviction - explosive momentum",
      "target_allocation": 28000,
      "profit_target_pct": 15.0,
      "stop_loss_pct": 8.0
    }
  ],
  "status": "pending"
}
"""

PROFIT_TAKING = """{
  "strategy_type": "profit_taking",
  "reason": "MU hit +15% profit target - take profits on 50%",
  "instructions": [
    {
      "action": "SELL",
      "ticker": "MU",
      "quantity": 42.24,
      "order_type": "market",
      "reason": "Profit taking: +15% target hit, sell 50%"
    }
  ],
  "status": "pending"
}
"""


class Level(PriceSource):
    """One price for everything, whenever it is asked: the story's, on any day."""

    usd = Decimal("331.44")

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        return self.usd

    def daily_volume(self, symbol: str, day: datetime) -> int:
        return 25_000_000


class Story:
    """A scratch repository as the current folder, and an exchange at the story's price."""

    def __init__(self, repository: Repository, prices: Level, server: ThreadedServer) -> None:
        self.repository = repository
        self.prices = prices
        self._server = server

    @property
    def orders(self) -> int:
        """Orders that the exchange ever had, but for the stops behind them."""
        return self._server.call(
            lambda one: sum(order.ticket.side == "buy" for order in one.desk.orders.values())
        )


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    repository = Repository.founded(tmp_path / "repository")
    monkeypatch.chdir(repository.folder)
    prices = Level()
    exchange = Exchange(
        prices, sessions_named("always"), lambda: datetime.now(UTC), Opening(), rate_limit=0
    )
    with ThreadedServer(exchange) as server:
        monkeypatch.setenv(EXCHANGE_URL, server.url)
        yield Story(repository, prices, server)


def run_example(code: str, names: dict[str, str]) -> dict[str, Any]:
    """Run one of the mission's code examples and return its names."""
    found: dict[str, Any] = {}
    exec(code.format(**names), found)
    return found


@pytest.mark.parametrize("names", PREFIXES.values(), ids=PREFIXES)
def test_creating_instructions_saves_the_missions_document(
    story: Story, names: dict[str, str]
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    run_example(CREATE, names)
    tree = json.loads(Path(PLAN_PATH).read_bytes())
    written = datetime.fromisoformat(tree.pop("timestamp"))
    assert before <= written <= datetime.now(UTC)
    expected = json.loads(DEPLOYMENT)
    # The example in Python says less than the one in JSON.
    del expected["timestamp"], expected["market_context"]
    expected["instructions"][0]["reason"] = "HIGH conviction"
    assert tree == expected
    assert list(tree) == list(expected)


@pytest.mark.parametrize("names", PREFIXES.values(), ids=PREFIXES)
def test_logging_a_review_writes_a_document_that_the_schema_accepts(
    story: Story, names: dict[str, str]
) -> None:
    run_example(LOG, names)
    (path,) = Path("strategy_reviews").rglob("*.json")
    form = r"strategy_reviews/(\d{4}-\d{2})/review_\1-\d{2}T\d{2}-\d{2}-\d{2}\.json"
    assert re.fullmatch(form, path.as_posix())
    schema = json.loads((SCHEMAS / "strategy_review.schema.json").read_text())
    review = json.loads(path.read_text())
    Draft202012Validator(schema).validate(review)
    assert review["decision"] == "HOLD"
    assert review["portfolio_state"] == {"total_value": 99711.08}
    assert review["instructions_created"] is False


@pytest.mark.parametrize("names", PREFIXES.values(), ids=PREFIXES)
def test_the_whole_story_as_the_mission_tells_it(
    story: Story, names: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run_example(CREATE, names)
    result = run_example(EXECUTE, names)["result"]
    assert capsys.readouterr().out == "Execution successful\n"
    assert (result["success"], result["errors"]) == (True, [])
    story.prices.usd = Decimal("381.16")
    Path(PLAN_PATH).write_text(PROFIT_TAKING)
    taken = OrderExecutor(mode="sim").execute_instructions()
    assert (taken["success"], taken["errors"]) == (True, [])
    assert taken["execution_summary"]["successful"] == 1
    assert taken["final_portfolio"]["realized_pl"] > 2_000
    assert story.repository.results[-1]["final_portfolio"]["realized_pl"] > 2_000
    assert [one["status"] for one in story.repository.archived] == ["completed", "completed"]
    assert not story.repository.has_plan


def at_present() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def deployment() -> str:
    """The mission's first document, made now: its VIX of that January is too old by today."""
    return DEPLOYMENT.replace("2026-01-14T13:45:00", at_present())


def executed(path: str = PLAN_PATH) -> dict[str, Any]:
    return OrderExecutor(mode="sim").execute_instructions(path)


def test_the_missions_document_is_executed_as_it_stands(story: Story) -> None:
    text = deployment()
    Path(PLAN_PATH).write_text(text)
    assert executed()["success"] is True
    (archived,) = story.repository.archived
    assert plan_digest(archived) == plan_digest(read_document(text.encode()))


def test_a_second_run_says_already_executed_and_sends_nothing(story: Story) -> None:
    text = deployment()
    Path(PLAN_PATH).write_text(text)
    executed()
    head = story.repository.head
    assert not Path(PLAN_PATH).exists()
    gone = executed()
    Path(PLAN_PATH).write_text(text)
    again = executed()
    for answer in (gone, again):
        assert (answer["success"], answer["errors"]) == (True, [])
        assert answer["message"] == "already executed"
    assert story.orders == 1
    assert story.repository.head == head


def test_a_file_of_another_name_is_executed_as_the_plan(story: Story) -> None:
    Path("mine.json").write_text(deployment())
    assert executed("mine.json")["success"] is True
    assert executed("mine.json")["message"] == "already executed"
    assert story.orders == 1


def test_a_plan_that_is_refused_says_why(story: Story) -> None:
    Path(PLAN_PATH).write_text(deployment().replace("84.48", "844.8"))
    answer = executed()
    assert answer["success"] is False
    assert any(one.startswith("quantity_confusion: ") for one in answer["errors"])
    assert story.orders == 0
    assert executed()["success"] is False


def test_a_file_that_cannot_be_read_says_why_and_commits_nothing(story: Story) -> None:
    head = story.repository.head
    Path(PLAN_PATH).write_text(deployment()[:200])
    answer = executed()
    assert answer["success"] is False
    assert "the document ends in the middle" in answer["errors"][0]
    assert story.repository.head == head


def test_without_a_plan_nothing_is_pending(story: Story) -> None:
    answer = executed()
    assert (answer["success"], answer["message"]) == (True, "nothing pending")


def test_an_exchange_that_is_gone_is_told(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)
    Path(PLAN_PATH).write_text(deployment())
    answer = executed()
    assert answer["success"] is False
    assert "run the same command again" in answer["errors"][0]
    assert story.repository.has_plan


def test_a_plan_that_is_on_main_already_goes_first(story: Story) -> None:
    first = read_document(PROFIT_TAKING.encode()) | {"reason": "sells what is not held"}
    story.repository.commit_plan(first, at_present())
    text = deployment()
    Path("mine.json").write_text(text)
    answer = executed("mine.json")
    assert answer["success"] is True
    assert answer["plan_digest"] == plan_digest(read_document(text.encode()))
    assert [one["plan_status"] for one in story.repository.results] == ["rejected", "completed"]
    assert story.orders == 1


def test_behind_a_plan_that_waits_nothing_is_executed(story: Story) -> None:
    story.repository.commit({"autoinvestor.toml": b"broken"})
    story.repository.commit_plan(read_document(deployment().encode()), at_present())
    Path("mine.json").write_text(PROFIT_TAKING)
    answer = executed("mine.json")
    assert answer["success"] is False
    assert answer["errors"] == [
        "another plan waits on main; run again when it is done, or take it from main"
    ]
    assert story.orders == 0


@pytest.mark.parametrize("mode", ["demo", "SIM", ""])
def test_a_mode_that_is_none_is_refused(mode: str) -> None:
    with pytest.raises(UsageError, match="write sim, paper or live"):
        OrderExecutor(mode=mode)


def test_another_mode_than_the_settings_is_refused(story: Story) -> None:
    Path(PLAN_PATH).write_text(DEPLOYMENT)
    head = story.repository.head
    with pytest.raises(UsageError, match="mode live: the settings on main say sim"):
        OrderExecutor(mode="live").execute_instructions()
    assert story.repository.head == head


def test_no_repository_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="not usable as a git repository"):
        OrderExecutor().execute_instructions()


def test_a_plan_takes_its_timestamp_once() -> None:
    made = TradingInstructionSet(
        strategy_type="test",
        reason="a reason",
        instructions=(TradingInstruction(action="SELL", ticker="MU", quantity="1", reason="why"),),
    )
    assert made.timestamp is not None
    assert made.timestamp.tzinfo is UTC


def test_a_plan_saves_and_loads_as_the_same_document(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(PROFIT_TAKING)
    loaded = TradingInstructionSet.load(path)
    assert loaded.timestamp is None
    loaded.save(tmp_path / "copy.json")
    first, second = (read_document(one.read_bytes()) for one in (path, tmp_path / "copy.json"))
    assert plan_digest(first) == plan_digest(second)


def test_a_plan_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; name the plan to read"):
        TradingInstructionSet.load(tmp_path / "gone.json")
    (tmp_path / "wrong.json").write_text('{"strategy_type": "a", "reason": "b"}')
    with pytest.raises(DocumentError, match="instructions: missing; add it"):
        TradingInstructionSet.load(tmp_path / "wrong.json")


def test_reviews_of_one_second_do_not_overwrite_each_other(tmp_path: Path) -> None:
    logger = StrategyReviewLogger(tmp_path)
    at = datetime(2026, 1, 14, 14, 30, tzinfo=UTC)
    paths = [
        logger.log_review("manual", {}, {}, "HOLD", reasoning, timestamp=at)
        for reasoning in ("one", "two", "two")
    ]
    assert len(set(paths)) == 3
    assert paths[0] == tmp_path / "strategy_reviews/2026-01/review_2026-01-14T14-30-00.json"
    assert [json.loads(path.read_text())["reasoning"] for path in paths] == ["one", "two", "two"]


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'OrderExector'"):
        executor.OrderExector  # noqa: B018
