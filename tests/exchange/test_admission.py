from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)


def test_an_id_is_refused_for_ever() -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(client_order_id="filled")
    rig.submit(client_order_id="canceled", type="limit", limit_price="50")
    rig.ask("DELETE", "/v2/orders")
    rig.wait(days=1000)
    for taken in ("filled", "canceled"):
        status, body = rig.refused(client_order_id=taken, qty="1000000")
        assert status == 422
        assert body == {"code": 40010001, "message": "client_order_id must be unique"}


def test_ids_of_the_opening_are_taken() -> None:
    past = {
        "id": "5a7b1c3e-0000-4000-8000-000000000001",
        "client_order_id": "first",
        "symbol": "MU",
        "side": "buy",
        "status": "canceled",
        "qty": "1",
        "submitted_at": "2025-01-14T15:00:00Z",
    }
    rig = Rig(opening=Opening(orders=(past,)))
    assert rig.refused()[1]["message"] == "client_order_id must be unique"
    shown = rig.get(f"/v2/orders/{past['id']}")
    assert (shown["status"], shown["client_order_id"]) == ("canceled", "first")


def test_a_refused_order_leaves_its_id_free() -> None:
    rig = Rig(flat("100"), at=START)
    rig.refused(qty="1000000")
    rig.submit()


def test_not_enough_buying_power() -> None:
    rig = Rig(flat("100"), at=START)
    status, body = rig.refused(qty="2000")
    assert status == 403
    assert body == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "200000",
        "cost_basis": "200020",
    }
    rig.submit(qty="1999")


def test_a_buy_is_checked_at_the_ask_in_session_and_at_the_last_trade_when_closed() -> None:
    for at, admitted in ((START, False), (START + timedelta(hours=12), True)):
        rig = Rig(flat("100"), NyseSessions(), Opening(Decimal(1000), multiplier=1), at=at)
        answer = rig.ask("POST", "/v2/orders", {**BODY, "qty": "10"})
        assert (answer.status == 200) is admitted


BODY = {"symbol": "MU", "side": "buy", "type": "market", "time_in_force": "day"}


def test_selling_more_than_is_available() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "800"), at=START)
    resting = rig.submit(side="sell", type="limit", limit_price="120", qty="7")
    status, body = rig.refused(side="sell", qty="4", client_order_id="second")
    assert status == 403
    assert body == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 4, available: 3)",
        "symbol": "MU",
        "existing_qty": "10",
        "held_for_orders": "7",
        "available": "3",
        "related_orders": [resting["id"]],
    }
    rig.submit(side="sell", qty="3", client_order_id="third")
    rig.ask("DELETE", f"/v2/orders/{resting['id']}")
    rig.submit(side="sell", qty="7", client_order_id="fourth")
    assert rig.get("/v2/positions") == []


def test_selling_notional_is_held_to_what_is_there() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "800"), at=START)
    assert rig.refused(side="sell", qty=None, notional="1000")[0] == 403
    rig.submit(side="sell", qty=None, notional="500")
    assert Decimal(rig.get("/v2/positions/MU")["qty"]) == 10 - Decimal("5.000500050")


def test_no_shorting() -> None:
    status, body = Rig().refused(side="sell")
    assert (status, body) == (
        403,
        {"code": 40310000, "message": "account is not allowed to short"},
    )


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"trading_blocked": True}, "trading is blocked for this account"),
        ({"account_blocked": True}, "account is not allowed to trade"),
        ({"trade_suspended_by_user": True}, "new orders are rejected by user request"),
        ({"status": "ACCOUNT_UPDATED"}, "account is not allowed to trade"),
    ],
)
def test_blocked_accounts(flags: dict[str, object], says: str) -> None:
    rig = Rig()
    assert rig.ask("PATCH", "/sim/account", flags).status == 200
    account = rig.get("/v2/account")
    assert {name: account[name] for name in flags} == flags
    assert rig.refused()[1] == {"code": 40310000, "message": says}
    rig.ask(
        "PATCH",
        "/sim/account",
        {"status": "ACTIVE", **dict.fromkeys(flags, False)} | {"status": "ACTIVE"},
    )
    rig.submit()


@pytest.mark.parametrize("body", [{"blocked": True}, {"trading_blocked": "yes"}, {"status": 1}])
def test_bad_flags_are_refused(body: dict[str, object]) -> None:
    rig = Rig()
    assert rig.ask("PATCH", "/sim/account", body).status == 422
    assert rig.get("/sim/account")["status"] == "ACTIVE"


def test_without_a_price_there_is_no_order() -> None:
    rig = Rig(steps(MU=[(START, "100")]), at=START - timedelta(days=1))
    assert rig.refused()[1]["message"] == 'no quote is available for "MU"'
