"""Builders for the checks' tests: a plan, settings like the shipped ones, and facts of a calm day.

Every builder gives something that no check objects to; a test changes the one thing that it is
about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from executor.decisions.validate import Judgment
from executor.decisions.validate import judge as judge_plan
from executor.model.account import Mode
from executor.model.context import Context
from executor.model.facts import AccountFacts, Facts, Moment, PositionFacts, RecordFacts
from executor.model.ledger import Lot, LotKey
from executor.model.market import Asset, MarketClock, Quote, Session, SymbolPrices, Trade
from executor.model.order import OrderReport, OrderStatus
from executor.model.plan import TradingInstructionSet
from executor.model.position import Side
from executor.model.rule import Finding, Rule
from executor.model.settings import LIMITS_BY_CHECK, SETTINGS_PATH, Settings
from executor.model.state import TradingState, TradingStateRecord
from executor.model.verdict import Answer, Verdict
from executor.settings import parse_settings

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""A Wednesday, half an hour after the New York Stock Exchange opened."""

DIGEST = "a" * 64

SHIPPED = parse_settings((Path(__file__).parents[2] / SETTINGS_PATH).read_bytes())
"""The shipped settings; `sector_max` is acknowledged as off."""


def settings(
    *,
    limits: Mapping[str, Any] | None = None,
    off: tuple[str, ...] = ("sector_max",),
    **tables: Any,
) -> Settings:
    """The shipped settings; `limits` replaces single limits, `off` says which checks are off."""
    document = SHIPPED.model_dump(exclude_none=True)
    merged = {**document["limits"], **(limits or {})}
    for check in off:
        for name in LIMITS_BY_CHECK.get(check, ()):
            merged.pop(name, None)
    return Settings.model_validate(
        document | {"acknowledged_disabled": off, "limits": merged} | tables
    )


def line(action: str = "BUY", ticker: str = "MU", **keys: Any) -> dict[str, Any]:
    """One instruction: ten shares at the market unless told otherwise."""
    document: dict[str, Any] = {"action": action, "ticker": ticker, "reason": "a reason"}
    if action in ("BUY", "SELL") and not {"quantity", "notional"} & set(keys):
        document["quantity"] = "10"
    return document | keys


def plan(*instructions: dict[str, Any], **keys: Any) -> TradingInstructionSet:
    """A plan; without arguments it buys ten shares of MU."""
    document: dict[str, Any] = {
        "timestamp": "2026-01-14T14:45:00Z",
        "strategy_type": "test",
        "reason": "a reason",
        "instructions": list(instructions) or [line()],
    }
    return TradingInstructionSet.model_validate(document | keys)


def account(**changes: Any) -> AccountFacts:
    """An account of 100,000 USD in cash, multiplier 2, whose number ends with 1234."""
    base = AccountFacts(
        account_number="PA0001234",
        status="ACTIVE",
        cash=Decimal(100_000),
        equity=Decimal(100_000),
        last_equity=Decimal(100_000),
        buying_power=Decimal(200_000),
        non_marginable_buying_power=Decimal(100_000),
        multiplier=Decimal(2),
        trading_blocked=False,
        account_blocked=False,
        trade_suspended_by_user=False,
        as_of=NOW,
    )
    return replace(base, **changes)


def position(
    symbol: str = "MU", quantity: str = "100", price: str = "331.44", **changes: Any
) -> PositionFacts:
    """A holding, all of it available, at its entry price."""
    base = PositionFacts(
        symbol=symbol,
        quantity=Decimal(quantity),
        available=max(Decimal(quantity), Decimal(0)),
        average_entry_price=Decimal(price),
        market_value=Decimal(quantity) * Decimal(price),
    )
    return replace(base, **changes)


def holding(*positions: PositionFacts) -> dict[str, PositionFacts]:
    """Positions by symbol."""
    return {one.symbol: one for one in positions}


def quoted(
    bid: str = "331.40", ask: str = "331.44", *, age: timedelta = timedelta(seconds=5)
) -> SymbolPrices:
    """A fresh quote and a trade at the bid (at the ask where there is none)."""
    quote = Quote(Decimal(bid), Decimal(ask), NOW - age)
    return SymbolPrices(quote, Trade(quote.bid or quote.ask, NOW - age))


def traded(price: str = "331.44", *, age: timedelta = timedelta(minutes=1)) -> SymbolPrices:
    """A last trade without a quote."""
    return SymbolPrices(None, Trade(Decimal(price), NOW - age))


def asset(symbol: str = "MU", **changes: Any) -> Asset:
    """A tradable, fractionable US equity."""
    return replace(Asset(symbol, "active", True, True, "us_equity"), **changes)


def clock(now: datetime = NOW, *, days: int = 8) -> MarketClock:
    """The New York Stock Exchange in winter, without holidays: from the day before `now` on."""
    sessions = []
    for ahead in range(-1, days):
        day = (now + timedelta(days=ahead)).replace(hour=14, minute=30, second=0, microsecond=0)
        if day.weekday() < 5:
            sessions.append(Session(day, day + timedelta(hours=6, minutes=30)))
    is_open = any(one.opens <= now < one.closes for one in sessions)
    return MarketClock(now, is_open, tuple(sessions))


def always_open(now: datetime = NOW, *, days: int = 8) -> MarketClock:
    """The always-open sim: a session is the UTC day; from the day before `now` on."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight + timedelta(days=ahead) for ahead in range(-1, days)]
    return MarketClock(now, True, tuple(Session(at, at + timedelta(days=1)) for at in starts))


def order(
    symbol: str = "MU",
    side: Side = "sell",
    quantity: str = "10",
    client_order_id: str = "other-1",
    **changes: Any,
) -> OrderReport:
    """An open limit order of somebody."""
    base = OrderReport(
        client_order_id=client_order_id,
        broker_order_id=f"broker-{client_order_id}",
        symbol=symbol,
        side=side,
        order_type="limit",
        time_in_force="day",
        status=OrderStatus.OPEN,
        broker_status="new",
        quantity=Decimal(quantity),
        notional=None,
        limit_price=Decimal("400"),
        submitted_at=NOW - timedelta(hours=1),
    )
    return replace(base, **changes)


def protective(
    symbol: str = "MU", quantity: str = "10", client_order_id: str = "stop-1", **changes: Any
) -> OrderReport:
    """An open stop at 300 USD that protects a holding, if the facts say so."""
    kind: dict[str, Any] = {
        "order_type": "stop",
        "limit_price": None,
        "stop_price": Decimal(300),
        "time_in_force": "gtc",
    }
    return order(symbol, "sell", quantity, client_order_id, **(kind | changes))


def lot(symbol: str = "MU", stop_price: str | None = "300", **changes: Any) -> Lot:
    """Ten shares that are to be protected at 300 USD."""
    base = Lot(
        key=LotKey("c" * 64, 0),
        symbol=symbol,
        quantity=Decimal(10),
        stop_price=Decimal(stop_price) if stop_price is not None else None,
    )
    return replace(base, **changes)


def state(value: TradingState = TradingState.ACTIVE, **changes: Any) -> TradingStateRecord:
    """The trading state; active unless told otherwise."""
    record = TradingStateRecord(
        state=value, since=NOW - timedelta(days=1), by="alice", reason="a reason"
    )
    return record.model_copy(update=changes)


def facts(moment: Moment = Moment.EXECUTION, **changes: Any) -> Facts:
    """Every fact that there is, on a calm day: MU, AMD and TSM have quotes, nothing is held."""
    prices = {
        "MU": quoted(),
        "AMD": quoted("221.08", "221.10"),
        "TSM": quoted("331.18", "331.20"),
    }
    base = Facts(
        now=NOW,
        moment=moment,
        mode=Mode.SIM,
        plan_digest=DIGEST,
        added_at=NOW - timedelta(minutes=10),
        market_clock=clock(),
        account=account(),
        positions={},
        open_orders=(),
        prices=prices,
        assets={symbol: asset(symbol) for symbol in prices},
        average_volumes=dict.fromkeys(prices, Decimal(25_000_000)),
        record=RecordFacts(positions={}),
        trading_state=state(),
    )
    return replace(base, **changes)


def bare_file(**changes: Any) -> Facts:
    """What is known of a bare file: the time, and nothing else."""
    base = Facts(now=NOW, moment=Moment.FILE, mode=Mode.SIM, plan_digest=DIGEST)
    return replace(base, **changes)


def context(
    the_plan: TradingInstructionSet | None = None,
    *,
    facts: Facts | None = None,
    settings: Settings | None = None,
    **changes: Any,
) -> Context:
    """A context that no check objects to; `changes` replace single facts.

    `context(plan(line("SELL")), positions=holding(position()))` sells from a holding.
    """
    found = facts if facts is not None else _facts()
    return Context(
        plan=the_plan if the_plan is not None else plan(),
        settings=settings if settings is not None else _settings(),
        facts=replace(found, **changes),
    )


# `context` shadows both names with its parameters.
_facts = facts
_settings = settings


def findings(rule: Rule, subject: Context) -> list[Finding]:
    """What the rule itself says; its needs must be there."""
    missing = [need for need in rule.needs if getattr(subject.facts, need) is None]
    assert not missing, f"the test's facts lack {missing}"
    return list(rule.judge(subject))


def judged(rule: Rule, subject: Context) -> Judgment:
    """Ask one rule the way `validate` does: moments, needs and the promise about exits are held."""
    return judge_plan(subject, [rule])


def verdicts(rule: Rule, subject: Context) -> tuple[Verdict, ...]:
    """The verdicts of one rule, as `validate` collects them."""
    return judged(rule, subject).verdicts


def answers(rule: Rule, subject: Context) -> list[Answer]:
    """The answers of one rule, as `validate` collects them."""
    return [verdict.answer for verdict in verdicts(rule, subject)]


def only(rule: Rule, subject: Context) -> Verdict:
    """The single verdict of one rule."""
    found = verdicts(rule, subject)
    assert len(found) == 1, f"one verdict expected, not {[one.sentence() for one in found]}"
    return found[0]


def readme_example(rule: Rule) -> str:
    """The example in the check's section of the README, where backticks are left out."""
    page = (Path(__file__).parents[2] / "executor" / "checks" / "README.md").read_text("utf-8")
    section = page.split(f"\n## {rule.id}\n", 1)[1].split("\n## ", 1)[0]
    example = section.split("**Example.** `", 1)[1].split("`", 1)[0]
    return " ".join(example.split())


def sentence(verdict: Verdict) -> str:
    """The verdict as the README shows it."""
    return verdict.sentence().replace("`", "")


def told(text: str | None, unit: str) -> str:
    """The first number of that unit in a text for people: `shares`, `USD` or `%`."""
    found = re.search(rf"([\d,]+(?:\.\d+)?) {unit.removesuffix('s')}", text or "")
    assert found is not None, f"no {unit} in {text!r}"
    return found[1].replace(",", "")
