"""`/v2/account/configurations`: what the account's owner sets, and what it does to orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from executor.exchange.opening import Opening
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
PATH = "/v2/account/configurations"
DEFAULTS = {
    "disable_overnight_trading": False,
    "dtbp_check": "entry",
    "fractional_trading": True,
    "max_margin_multiplier": "4",
    "max_options_trading_level": 0,
    "no_shorting": False,
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "trade_confirm_email": "all",
}


def patch(rig: Rig, **changes: object) -> Any:
    answer = rig.ask("PATCH", PATH, changes)
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_defaults() -> None:
    assert Rig().get(PATH) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disable_overnight_trading", True),
        ("dtbp_check", "both"),
        ("fractional_trading", False),
        ("max_margin_multiplier", "1"),
        ("max_options_trading_level", 3),
        ("no_shorting", True),
        ("ptp_no_exception_entry", True),
        ("suspend_trade", True),
        ("trade_confirm_email", "none"),
    ],
)
def test_a_change_is_kept(name: str, value: object) -> None:
    rig = Rig()
    assert patch(rig, **{name: value}) == {**DEFAULTS, name: value} == rig.get(PATH)


def test_null_and_unknown_keys_change_nothing() -> None:
    rig = Rig()
    assert patch(rig, pdt_check="both", dtbp_check=None, suspend_trade=None) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dtbp_check", "never"),
        ("max_margin_multiplier", "3"),
        ("max_margin_multiplier", 4),
        ("max_options_trading_level", 4),
        ("max_options_trading_level", True),
        ("no_shorting", 1),
        ("suspend_trade", "yes"),
        ("trade_confirm_email", "some"),
        ("fractional_trading", ["true"]),
    ],
)
def test_a_bad_value_changes_nothing(name: str, value: object) -> None:
    rig = Rig()
    answer = rig.ask("PATCH", PATH, {"no_shorting": True, "fractional_trading": False, name: value})
    assert (answer.status, answer.json()["code"]) == (422, 40010001)
    assert answer.json()["message"].startswith(f"invalid {name}: ")
    assert rig.get(PATH) == DEFAULTS


def test_a_suspended_account_takes_no_orders_but_cancels() -> None:
    rig = Rig(flat("100"), at=START)
    resting = rig.submit(type="limit", limit_price="95")
    patch(rig, suspend_trade=True)
    assert rig.get("/v2/account")["trade_suspended_by_user"] is True
    assert rig.get("/sim/account")["trade_suspended_by_user"] is True
    status, body = rig.refused(client_order_id="second")
    assert (status, body["message"]) == (403, "new orders are rejected by user request")
    changed = rig.ask("PATCH", f"/v2/orders/{resting['id']}", {"limit_price": "96"})
    assert changed.status == 403
    assert rig.ask("DELETE", f"/v2/orders/{resting['id']}").status == 204
    patch(rig, suspend_trade=False)
    rig.submit(client_order_id="second")


@pytest.mark.parametrize("changes", [{"qty": "1.5"}, {"qty": None, "notional": "50"}])
def test_without_fractional_trading_orders_are_for_whole_shares(changes: dict[str, Any]) -> None:
    rig = Rig(flat("100"), at=START)
    patch(rig, fractional_trading=False)
    status, body = rig.refused(**changes)
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "account is not allowed to trade fractional shares"
    rig.submit(client_order_id="second")


@pytest.mark.parametrize(
    ("account", "wanted", "effective"), [(4, "1", 1), (4, "2", 2), (2, "4", 2), (1, "2", 1)]
)
def test_the_lower_multiplier_makes_buying_power(account: int, wanted: str, effective: int) -> None:
    rig = Rig(flat("100"), opening=Opening(multiplier=account), at=START)
    patch(rig, max_margin_multiplier=wanted)
    assert rig.get("/v2/account")["multiplier"] == str(effective)
    assert rig.account()["buying_power"] == effective * 100_000
    qty = str(effective * 1000)
    assert rig.refused(qty=qty, type="limit", limit_price="100.01")[0] == 403
    rig.submit(qty=qty, type="limit", limit_price="99")


def test_there_is_no_shorting_whatever_is_wanted() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "1", "100"), at=START)
    for wanted in (False, True):
        patch(rig, no_shorting=wanted)
        assert rig.refused(side="sell")[0] == 403
        assert rig.get("/v2/account")["shorting_enabled"] is False
