"""The adapter's contract, over the SDK and sockets as well as straight into the exchange's core."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from executor.errors import BrokerRefused, BrokerUnavailable
from executor.exchange.opening import Opening
from executor.model.market import Session
from executor.model.order import OrderRequest, OrderStatus
from executor.model.position import Position
from executor.ports import Broker
from tests.brokers.support import ACCOUNT, NOON, ORDER, Kind, Rig, answer, buy, rig, scripted


def test_it_is_a_broker(both: Rig) -> None:
    broker: Broker = both.broker
    assert broker.positions() == ()


def test_an_account_is_read_exactly(both: Rig) -> None:
    account = both.broker.account()
    assert account.account_number == "SIM000001"
    assert account.status == "ACTIVE"
    assert account.cash == account.equity == 100_000
    assert account.buying_power == 200_000
    assert account.multiplier == 2
    assert account.as_of == NOON
    assert not account.trading_blocked
    assert not account.account_blocked


def test_a_blocked_account_says_so(both: Rig) -> None:
    both.exchange.desk.flags.trading_blocked = True
    both.exchange.desk.flags.status = "ACCOUNT_CLOSED"
    account = both.broker.account()
    assert account.trading_blocked
    assert account.status == "ACCOUNT_CLOSED"


def test_an_order_is_sent_found_and_held(both: Rig) -> None:
    (submission,) = both.broker.submit_all([buy(quantity="2.5")])
    assert submission.report is not None
    assert submission.report.client_order_id == "ai-1"
    found = both.broker.order("ai-1")
    assert found is not None
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, Decimal("2.5"))
    (position,) = both.broker.positions()
    assert (position.symbol, position.quantity, position.available) == (
        "MU",
        Decimal("2.5"),
        Decimal("2.5"),
    )
    assert found.average_fill_price == Decimal("331.77")
    # The cost is booked to the cent: 829.43 USD for 2.5 shares.
    assert position.average_entry_price == Decimal("331.772")


def test_numbers_go_out_as_plain_decimal_texts(both: Rig) -> None:
    request = OrderRequest(
        "ai-1", "MU", "buy", "limit", "day", Decimal("1E+1"), limit_price=Decimal("300.10")
    )
    notional = OrderRequest(
        "ai-2", "MU", "buy", "market", "day", notional=Decimal("0.1") + Decimal("9.2")
    )
    both.broker.submit_all([request, notional])
    sent = [json.loads(one.body) for one in both.exchange.posts()]
    first, second = sorted(sent, key=lambda one: str(one["client_order_id"]))
    assert first == {
        "symbol": "MU",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "qty": "10",
        "limit_price": "300.1",
        "client_order_id": "ai-1",
    }
    assert second["notional"] == "9.3"
    assert "qty" not in second


def test_submissions_come_in_the_order_of_the_requests(both: Rig) -> None:
    requests = [buy("ai-3"), buy("ai-1", "NOPE"), buy("ai-2", "AAPL")]
    submissions = both.broker.submit_all(requests)
    assert [one.request for one in submissions] == requests
    assert [one.report is not None for one in submissions] == [True, False, True]
    assert len(both.exchange.posts()) == 3


def test_a_refusal_keeps_status_code_and_body(both: Rig) -> None:
    (submission,) = both.broker.submit_all([buy(quantity="100000")])
    assert submission.refusal is not None
    assert (submission.refusal.status, submission.refusal.code) == (403, 40310000)
    assert "buying power" in submission.refusal.body


def test_an_unknown_order_is_none(both: Rig) -> None:
    assert both.broker.order("never-sent") is None


def test_open_orders_are_those_that_may_trade(both: Rig) -> None:
    far = OrderRequest("ai-2", "MU", "buy", "limit", "gtc", Decimal(1), limit_price=Decimal(1))
    both.broker.submit_all([buy()])
    both.broker.submit_all([far])
    assert [one.client_order_id for one in both.broker.open_orders()] == ["ai-2"]
    since = both.broker.orders_since(NOON - timedelta(seconds=1))
    assert [one.client_order_id for one in since] == ["ai-1", "ai-2"]
    assert both.broker.orders_since(NOON) == ()


def test_more_orders_than_a_page_holds(kind: Kind) -> None:
    count = 1_203
    orders = tuple(
        {
            "client_order_id": f"old-{number:04}",
            "symbol": "MU",
            "side": "buy",
            "type": "limit",
            "time_in_force": "gtc",
            "qty": "1",
            "limit_price": "1",
            "status": "new",
            # Three a second: a page ends within a second.
            "submitted_at": (NOON - timedelta(seconds=5_000 - number // 3)).isoformat(),
        }
        for number in range(count)
    )
    with rig(kind, opening=Opening(orders=orders)) as made:
        for listed in (made.broker.open_orders(), made.broker.orders_since(NOON - timedelta(1))):
            ids = [one.client_order_id for one in listed]
            assert sorted(ids) == [f"old-{number:04}" for number in range(count)]


def test_always_open_means_the_utc_day(both: Rig) -> None:
    clock = both.broker.market_clock(NOON)
    day = datetime(2026, 1, 14, tzinfo=UTC)
    assert clock.is_open
    assert clock.current == Session(day, day + timedelta(days=1))
    assert clock.sessions[0] == clock.current
    assert all(
        a.closes == b.opens for a, b in zip(clock.sessions, clock.sessions[1:], strict=False)
    )


def test_new_york_hours_in_utc_with_half_days_and_both_offsets(kind: Kind) -> None:
    with rig(kind, calendar="nyse") as made:
        clock = made.broker.market_clock(NOON)
        assert clock.current == Session(
            datetime(2026, 1, 14, 14, 30, tzinfo=UTC), datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
        )
        made.clock.sleep((datetime(2026, 7, 1, 15, tzinfo=UTC) - NOON).total_seconds())
        summer = made.broker.market_clock(made.clock.now())
        assert summer.sessions[0].opens == datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
        made.clock.sleep(timedelta(days=149).total_seconds())
        half = made.broker.market_clock(made.clock.now())
        assert half.sessions[0].closes == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_sessions_reach_back_to_the_last_that_opened(kind: Kind) -> None:
    """A plan that came on Monday, a holiday, belongs to Friday's session."""
    with rig(kind, calendar="nyse") as made:
        made.clock.sleep(timedelta(days=7).total_seconds())
        clock = made.broker.market_clock(datetime(2026, 1, 19, 16, tzinfo=UTC))
        opens = [one.opens.date().isoformat() for one in clock.sessions[:3]]
        assert opens == ["2026-01-16", "2026-01-20", "2026-01-21"]
        assert clock.current == clock.sessions[2]
        assert clock.sessions[-1].opens > clock.as_of + timedelta(days=10)


def test_prices_of_what_is_listed(both: Rig) -> None:
    prices = both.broker.prices(["MU", "AAPL", "ZZZZ", "MU"])
    assert sorted(prices) == ["AAPL", "MU"]
    quote, trade = prices["MU"].quote, prices["MU"].trade
    assert quote is not None
    assert trade is not None
    assert 0 < quote.bid < trade.price < quote.ask
    asked = [one.query for one in both.exchange.requests]
    assert [one["feed"] for one in asked] == ["iex", "iex"]


def test_no_symbols_is_no_request(both: Rig) -> None:
    assert both.broker.prices([]) == {}
    assert both.broker.assets([]) == {}
    assert both.broker.average_volumes([]) == {}
    assert both.exchange.requests == []


def test_assets_one_by_one_and_from_the_list(both: Rig) -> None:
    few = both.broker.assets(["MU", "ZZZZ"])
    assert few["ZZZZ"] is None
    many = both.broker.assets(["MU", *(f"Q{chr(65 + number)}Z" for number in range(25))])
    assert many["MU"] == few["MU"]
    assert many["MU"] is not None
    assert (many["MU"].status, many["MU"].tradable) == ("active", True)
    assert many["QAZ"] is None
    assert len(both.exchange.requests) == 3


def test_average_volumes_of_complete_days(both: Rig) -> None:
    volumes = both.broker.average_volumes(["MU", "ZZZZ"])
    assert sorted(volumes) == ["MU"]
    assert volumes["MU"] > 0


def test_both_ways_give_the_same() -> None:
    told = []
    for way in ("http", "engine"):
        with rig("http" if way == "http" else "engine") as made:
            requests = [buy(), buy("ai-2", "AAPL", "0.123456789")]
            submissions = [made.broker.submit_all([one]) for one in requests]
            told.append(
                (
                    submissions,
                    made.broker.account(),
                    made.broker.positions(),
                    made.broker.orders_since(NOON - timedelta(1)),
                    made.broker.prices(["MU"]),
                    made.broker.average_volumes(["MU"]),
                    [json.loads(one.body) for one in made.exchange.posts()],
                )
            )
    assert told[0] == told[1]


def test_a_holding_of_the_opening(kind: Kind) -> None:
    opening = Opening(positions=(Position("MU", Decimal("84.48"), Decimal("28000.05")),))
    with rig(kind, opening=opening) as made:
        made.broker.submit_all(
            [OrderRequest("s", "MU", "sell", "limit", "gtc", Decimal(80), limit_price=Decimal(999))]
        )
        (position,) = made.broker.positions()
        assert (position.quantity, position.available) == (Decimal("84.48"), Decimal("4.48"))


def test_a_wrong_key_is_a_refusal_that_names_the_variables(kind: Kind) -> None:
    with rig(kind, keys=("other", "pair")) as made:
        with pytest.raises(BrokerRefused, match="ALPACA_API_KEY and ALPACA_SECRET_KEY") as caught:
            made.broker.account()
        assert "401" in str(caught.value)
        (submission,) = made.broker.submit_all([buy()])
        assert submission.refusal is not None
        assert (submission.refusal.status, submission.refusal.code) == (401, None)


def test_account_keys_that_left_alpaca_are_not_required() -> None:
    told = {key: value for key, value in ACCOUNT.items() if "marginable" not in key}
    broker, _, _ = scripted(answer({**told, "multiplier": None}))
    account = broker.account()
    assert account.non_marginable_buying_power == Decimal("-100.25")
    assert account.multiplier == 1


@pytest.mark.parametrize(
    "key",
    [
        *("account_number", "status", "cash", "equity", "last_equity", "buying_power"),
        *("trading_blocked", "account_blocked", "trade_suspended_by_user"),
    ],
)
@pytest.mark.parametrize("value", [None, "", [], {}, "\u202e"])
def test_an_account_without_what_matters_is_no_answer(key: str, value: object) -> None:
    broker, _, _ = scripted(answer({**ACCOUNT, key: value}))
    with pytest.raises(BrokerUnavailable, match=f"`{key}` of the account"):
        broker.account()


def test_a_session_of_the_broker_that_is_out_of_order_is_sorted() -> None:
    days = [
        {"date": "2026-01-15", "open": "09:30", "close": "16:00"},
        {"date": "2026-01-14", "open": "09:30", "close": "13:00"},
    ]
    broker, _, _ = scripted(
        answer({"timestamp": "2026-01-14T12:00:00.123456789-05:00", "is_open": True}), answer(days)
    )
    clock = broker.market_clock(NOON)
    assert clock.as_of == NOON + timedelta(microseconds=123456)
    assert [one.closes.hour for one in clock.sessions] == [18, 21]


def test_an_active_asset_wins_over_an_old_one_of_its_name() -> None:
    def told(status: str, **more: object) -> dict[str, object]:
        asset = {"symbol": "MU", "status": status, "tradable": True, "fractionable": True}
        return {**asset, "class": "us_equity", **more}

    listed = [told("active"), told("inactive"), {"symbol": "OTHER"}, 7]
    broker, transport, _ = scripted(answer(listed))
    assets = broker.assets(["MU", *(f"X{chr(65 + number)}" for number in range(20))])
    assert assets["MU"] is not None
    assert assets["MU"].status == "active"
    assert transport.asked[0][2:] == ("/v2/assets", {"asset_class": "us_equity"})


def test_symbols_are_asked_for_in_chunks() -> None:
    broker, transport, _ = scripted(answer({"quotes": {}, "trades": {}}))
    symbols = [f"{chr(65 + one // 26)}{chr(65 + one % 26)}" for one in range(250)]
    assert broker.prices(symbols) == {}
    assert [len(one[3]["symbols"].split(",")) for one in transport.asked] == [100, 100, 50] * 2


def test_a_quote_without_a_side_is_kept_as_it_is() -> None:
    quotes = {"MU": {"ap": 0, "bp": None, "t": "2026-01-14T16:59:59.5Z"}, "AAPL": None}
    trades = {"MU": {"p": 331.44, "t": "2026-01-14T16:59:59.5Z"}}
    broker, _, _ = scripted(answer({"quotes": quotes}), answer({"trades": trades}))
    prices = broker.prices(["MU", "AAPL"])
    assert sorted(prices) == ["MU"]
    assert prices["MU"].quote is not None
    assert prices["MU"].quote.bid == prices["MU"].quote.ask == 0
    assert prices["MU"].trade is not None
    assert prices["MU"].trade.price == Decimal("331.44")


def test_an_order_is_found_by_its_own_id() -> None:
    broker, transport, _ = scripted(answer(ORDER))
    assert broker.order("ai-1") is not None
    assert transport.asked == [
        ("trading", "GET", "/v2/orders:by_client_order_id", {"client_order_id": "ai-1"})
    ]


def test_importing_the_adapter_imports_neither_the_sdk_nor_pandas() -> None:
    code = "import executor.brokers.alpaca, executor.brokers.sdk, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"alpaca", "pandas", "numpy", "requests", "aiohttp", "websockets"}
