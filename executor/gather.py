"""Facts, gathered first: what the broker and the record say, into one value for the checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from executor.decisions.record_facts import record_facts
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.main_state import MainState, PlanOnMain
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.evidence import Evidence
from executor.model.facts import AccountFacts, Facts, Moment, PositionFacts
from executor.model.fields import is_ticker
from executor.model.market import Asset, MarketClock, SymbolPrices
from executor.model.order import EquityPoint, OrderReport
from executor.model.order_id import home_of, parse_order_id
from executor.model.plan import TradingInstructionSet
from executor.model.settings import Settings
from executor.ports import Broker

YEAR: Final = timedelta(days=365)

LOOKS: Final = 5
"""How often an account that moves is read before it is left to the next run."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class AccountView:
    """The account as the broker tells it at one moment."""

    clock: MarketClock
    account: AccountFacts
    positions: Mapping[str, PositionFacts]
    open_orders: tuple[OrderReport, ...]


def view_account(broker: Broker, since: datetime) -> AccountView:
    """Ask for hours, account, positions and open orders, all of one moment.

    An order that fills between two answers is in one of them and not in the other, and would look
    like shares that nobody can explain. So the open orders are asked for before and after the rest,
    until they have not moved.

    Raises:
        BrokerUnavailable: one of them has no answer; nothing can be judged without it.
        BrokerRefused: the broker refuses to answer, for instance a wrong key.
    """
    open_orders = broker.open_orders()
    (account, held), clock = broker.at_once(
        lambda: _holdings(broker), lambda: broker.market_clock(since)
    )
    for _ in range(LOOKS):
        before, open_orders = open_orders, broker.open_orders() if open_orders else ()
        if _filled(before) == _filled(open_orders):
            return AccountView(clock, account, {one.symbol: one for one in held}, open_orders)
        account, held = _holdings(broker)
    raise BrokerUnavailable(
        f"the account: orders went on filling while it was read {LOOKS} times; run again"
    )


def _holdings(broker: Broker) -> tuple[AccountFacts, tuple[PositionFacts, ...]]:
    return broker.at_once(broker.account, broker.positions)


@dataclass(frozen=True, slots=True)
class Market:
    """What the market says about a plan's symbols; a part without an answer is None."""

    prices: Mapping[str, SymbolPrices] | None
    assets: Mapping[str, Asset | None] | None
    volumes: Mapping[str, Decimal] | None


def view_market(broker: Broker, plan: TradingInstructionSet) -> Market:
    """Ask for prices, assets and volumes; exits do not need them, so nothing is raised."""
    symbols = _symbols(plan)
    (prices, assets), volumes = broker.at_once(
        lambda: broker.at_once(
            lambda: _or_none(lambda: broker.prices(symbols)),
            lambda: _or_none(lambda: broker.assets(symbols)),
        ),
        lambda: _or_none(lambda: broker.average_volumes(_bought(plan))),
    )
    return Market(prices, assets, volumes)


def _filled(orders: Sequence[OrderReport]) -> dict[str, Decimal]:
    return {one.client_order_id: one.filled_quantity for one in orders}


def gather(
    broker: Broker,
    main: MainState,
    plan: PlanOnMain,
    *,
    moment: Moment,
    now: datetime,
    environment: Mapping[str, str],
    view: AccountView | None = None,
    market: Market | None = None,
    own_orders: frozenset[str] = frozenset(),
    already_sent: frozenset[int] = frozenset(),
    own_reports: Mapping[str, OrderReport] | None = None,
    orders_at_broker: tuple[str, ...] = (),
    protective: frozenset[str] = frozenset(),
    history: tuple[EquityPoint, ...] | None = None,
    evidence: Evidence | None = None,
    intent_in: str | None = None,
) -> Facts:
    """Ask everything that a check may want to know about a plan.

    The account must answer. Market data that does not is a missing fact: the checks that need it
    answer *not now*.
    """
    view = view or view_account(broker, earliest_order(plan))
    market = market or view_market(broker, plan.proposal)
    opened = view.clock.current.opens if view.clock.current else midnight(now)
    executed = main.executed(plan) if not own_orders else None
    return Facts(
        now=now,
        moment=moment,
        mode=main.settings.mode,
        plan_digest=plan.digest,
        added_at=_approved_at(plan, evidence),
        own_orders=own_orders,
        protective=protective | protective_orders(view, main),
        replaces=_replaces(main, evidence, moment),
        evidence=evidence,
        intent_in=intent_in,
        already_sent=already_sent,
        market_clock=view.clock,
        account=view.account,
        positions=view.positions,
        open_orders=view.open_orders,
        prices=_with_others(broker, market.prices, set(_symbols(plan.proposal)), view.open_orders),
        assets=market.assets,
        average_volumes=market.volumes,
        record=record_facts(
            main.ledger,
            executed=executed,
            orders_at_broker=orders_at_broker,
            session_opened=opened,
            day_started=view.clock.last_close,
            newer=_newest(
                broker, view, [*(own_reports or {}).values(), *_followed(broker, main, view)]
            ),
            history=equity_history(broker, main, now) if history is None else history,
        ),
        trading_state=main.trading_state,
        state_when_approved=main.state_at(plan.added.commit),
        settings_fault=main.in_force.fault and main.in_force.fault.splitlines()[0],
        live_agreements=missing_agreements(main.settings, environment, asked=intent_in is None),
    )


def _approved_at(plan: PlanOnMain, evidence: Evidence | None) -> datetime:
    """When the plan came to main: by GitHub's clock where it tells, as a commit may lie."""
    request = evidence.pull_request if evidence else None
    merged_at = request.merged_at if request else None
    return merged_at or plan.added.committed_at


def _replaces(main: MainState, evidence: Evidence | None, moment: Moment) -> str | None:
    """Digest of the waiting plan in whose place this one came, or would come by its merge."""
    if moment is Moment.PULL_REQUEST and evidence is not None:
        before = evidence.before
        return before.digest if before is not None and before.is_pending else None
    return main.replaced.digest if main.replaced else None


def protective_orders(view: AccountView, main: MainState) -> frozenset[str]:
    """Client order ids of the open orders that protect a holding, by their id or by the record."""
    home = home_of(main.settings.repository)
    found = set()
    for one in view.open_orders:
        own = parse_order_id(one.client_order_id)
        known = main.ledger.orders.get(one.client_order_id)
        is_leg = own is not None and own.home == home and own.leg != "entry"
        if is_leg or (known is not None and known.leg != "entry"):
            found.add(one.client_order_id)
    return frozenset(found)


def equity_history(broker: Broker, main: MainState, now: datetime) -> tuple[EquityPoint, ...]:
    """The broker's own equity since the peak was last rebased, a year at most.

    Without an answer the record's peak stands alone: it is ours and cannot be missing.
    """
    since = max(main.ledger.rebased_at or now - YEAR, now - YEAR)
    return _or_none(lambda: broker.equity_history(since)) or ()


def traded_prices(
    broker: Broker, symbols: Iterable[str], now: datetime, settings: Settings
) -> Mapping[str, Decimal]:
    """USD a share of the last trade, which is what triggers a stop.

    A symbol that has not traded lately has none: nothing is sold at the market on a stale price,
    and a quote alone proves nothing.
    """
    wanted = sorted({one for one in symbols if is_ticker(one)})
    found = (_or_none(lambda: broker.prices(wanted)) or {}) if wanted else {}
    age = settings.limits.trade_age_max_minutes
    assert age is not None, "settings are checked when they are read"
    oldest = now - timedelta(minutes=float(age))
    return {
        symbol: one.trade.price
        for symbol, one in found.items()
        if one.trade is not None and one.trade.price > 0 and one.trade.at >= oldest
    }


def fill_pieces(broker: Broker, reports: Sequence[OrderReport]) -> Mapping[str, Sequence[Activity]]:
    """FILL activities of orders, by the broker's order id, the oldest first.

    Nothing where the broker does not answer: the order's sum and average do as well, but for cents.
    """
    wanted = {one.broker_order_id for one in reports}
    starts = [one.submitted_at for one in reports if one.submitted_at is not None]
    if not wanted or not starts:
        return {}
    told = _or_none(lambda: broker.activities(min(starts) - timedelta(seconds=1))) or ()
    found: dict[str, list[Activity]] = {}
    for one in told:
        if one.is_fill and one.order_id in wanted:
            found.setdefault(one.order_id, []).append(one)
    return found


def _followed(broker: Broker, main: MainState, view: AccountView) -> list[OrderReport]:
    """What became of orders that the record left open: their fills are explained already.

    Those still open are taken from the view, whose positions fit them; the others have ended.
    """
    still_open = {one.client_order_id: one for one in view.open_orders}
    keys = [one.told.client_order_id for one in main.ledger.open_orders]
    found = [still_open.get(key) or broker.order(key) for key in keys if key is not None]
    return [one for one in found if one is not None]


def _newest(
    broker: Broker, view: AccountView, reports: Sequence[OrderReport]
) -> Collection[OrderReport]:
    """Each order once, as it fits the view's positions: the record and the run may both tell it.

    One that is still open is taken from the view, whose positions fit it; the others have ended.
    """
    still_open = {one.client_order_id: one for one in view.open_orders}
    found = {one.client_order_id: one for one in reports}
    for key, one in found.items():
        if not one.status.is_terminal:
            found[key] = still_open.get(key) or broker.order(key) or one
    return found.values()


def _with_others(
    broker: Broker,
    own: Mapping[str, SymbolPrices] | None,
    symbols: Collection[str],
    open_orders: Sequence[OrderReport],
) -> Mapping[str, SymbolPrices] | None:
    """Prices of the plan's symbols, and of what open orders may still cost.

    Other symbols are asked for apart: one that the feed does not know must cost the plan nothing.
    """
    others = sorted({one.symbol for one in open_orders if is_ticker(one.symbol)} - {*symbols})
    if own is None or not others:
        return own
    return {**(_or_none(lambda: broker.prices(others)) or {}), **own}


def _or_none(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except (BrokerUnavailable, BrokerRefused):
        # A refusal of market data is no word about the account: exits do not need it.
        return None


def _symbols(plan: TradingInstructionSet) -> Sequence[str]:
    return sorted({one.ticker for one in plan.instructions if one.action != "CANCEL"})


def _bought(plan: TradingInstructionSet) -> Sequence[str]:
    return sorted({one.ticker for one in plan.instructions if one.action == "BUY"})


def midnight(now: datetime) -> datetime:
    """The start of a UTC day: where no session runs, that is when today began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def earliest_order(plan: PlanOnMain) -> datetime:
    """The instant before which no order of the plan can have been sent, with a day to spare.

    A timestamp of long ago is a slip; a year back is as far as sessions and orders are asked for.
    """
    added = plan.added.committed_at
    return max(min(plan.made_at, added) - timedelta(days=1), added - timedelta(days=366))


def missing_agreements(
    settings: Settings, environment: Mapping[str, str], *, asked: bool
) -> tuple[str, ...]:
    """Which of live's agreements are missing; none outside live, where none is asked.

    Args:
        settings: main's.
        environment: this machine's.
        asked: whether GitHub is asked what protects the keys; not in the middle of a plan.

    Raises:
        ForgeUnavailable: GitHub does not say what it protects.
    """
    if settings.mode is not Mode.LIVE:
        return ()
    missing = []
    if environment.get("AUTOINVESTOR_MODE") != "live":
        missing.append("the environment's AUTOINVESTOR_MODE is not `live`")
    if not settings.account.number_ends_with:
        missing.append("account.number_ends_with is empty in the settings")
    if asked:
        from executor.hosting import live_refusal

        refusal = live_refusal(settings, environment)
        missing += [refusal] if refusal is not None else []
    return tuple(missing)
