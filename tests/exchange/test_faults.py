"""What each fault does to the account and to the answer. Over a socket: `test_server`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executor.exchange.faults import KINDS, Fault
from executor.exchange.messages import Request, Response
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import HEADERS, Rig, flat, order, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)


@pytest.fixture
def rig() -> Rig:
    return Rig(flat("100", "MU", "AMD"), at=START)


def inject(rig: Rig, *faults: dict[str, Any]) -> None:
    answer = rig.ask("POST", "/sim/faults", list(faults))
    assert answer.status == 200, answer.body


def send(rig: Rig, **changes: object) -> Response:
    return rig.ask("POST", "/v2/orders", order(**changes))


def exists(rig: Rig, client_order_id: str = "first") -> bool:
    query = {"client_order_id": client_order_id}
    return rig.ask("GET", "/v2/orders:by_client_order_id", query=query).status == 200


TRANSPORT: list[tuple[dict[str, Any], bool, int, bool, float]] = [
    # The fault; then whether the order exists, the status, dropped, the delay.
    ({"kind": "accept_then_504"}, True, 504, False, 0),
    ({"kind": "accept_then_drop"}, True, 200, True, 0),
    ({"kind": "drop_before"}, False, 503, True, 0),
    ({"kind": "stall"}, True, 200, False, 30),
    ({"kind": "stall", "seconds": 2, "accepted": False}, False, 504, False, 2),
    ({"kind": "latency", "ms": 40}, True, 200, False, 0.04),
    ({"kind": "latency", "ms": 0.5}, True, 200, False, 0.0005),
    ({"kind": "rate_limit_429"}, False, 429, False, 0),
    ({"kind": "html_502"}, False, 502, False, 0),
    ({"kind": "html_502", "accepted": True}, True, 502, False, 0),
    ({"kind": "not_json_200"}, True, 200, False, 0),
    ({"kind": "not_json_200", "accepted": False}, False, 200, False, 0),
    ({"kind": "rejection"}, False, 403, False, 0),
    ({"kind": "rejection", "status": 422, "code": 42210000}, False, 422, False, 0),
]


@pytest.mark.parametrize(("fault", "there", "status", "dropped", "delay"), TRANSPORT)
def test_what_reaches_the_client_and_what_is_there(
    rig: Rig, fault: dict[str, Any], there: bool, status: int, dropped: bool, delay: float
) -> None:
    inject(rig, fault)
    answer = send(rig)
    assert (answer.status, answer.dropped, answer.delay_seconds) == (status, dropped, delay)
    assert answer.fault == fault["kind"]
    assert exists(rig) is there
    again = send(rig)
    assert (again.fault, again.status) == ("", 422 if there else 200)


def test_bodies_that_are_not_json(rig: Rig) -> None:
    for kind in ("accept_then_504", "html_502", "not_json_200"):
        inject(rig, {"kind": kind})
        answer = send(rig, client_order_id=kind)
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()


def test_a_429_says_when_to_come_again() -> None:
    rig = Rig(flat("100"), at=START, rate_limit=200)
    inject(rig, {"kind": "rate_limit_429", "reset_seconds": 7})
    answer = send(rig)
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"] == str(int(START.timestamp()) + 7)
    assert answer.json() == {"code": 42910000, "message": "rate limit exceeded"}


def test_a_rejection_says_what_it_is_told_to_say(rig: Rig) -> None:
    inject(rig, {"kind": "rejection", "status": 422, "code": 1, "message": "no"})
    answer = send(rig)
    assert (answer.status, answer.json()) == (422, {"code": 1, "message": "no"})
    assert rig.account()["cash"] == 100_000


def test_an_order_can_be_accepted_and_then_rejected(rig: Rig) -> None:
    inject(rig, {"kind": "order_rejected"})
    answer = send(rig)
    assert (answer.status, answer.json()["status"]) == (200, "pending_new")
    rejected = rig.order()
    assert (rejected["status"], rejected["filled_qty"]) == ("rejected", "0")
    assert rejected["failed_at"] == "2026-01-14T15:00:00Z"
    assert rig.account()["buying_power"] == 200_000


def test_an_unknown_status_is_only_shown(rig: Rig) -> None:
    inject(rig, {"kind": "unknown_status", "times": 3, "status": "odd"})
    assert send(rig).json()["status"] == "odd"
    assert rig.order()["status"] == "odd"
    assert [one["status"] for one in rig.get("/v2/orders", status="all")] == ["odd"]
    assert rig.order()["status"] == "filled"
    inject(rig, {"kind": "unknown_status"})
    assert send(rig, qty="0").status == 422
    resting = rig.submit(client_order_id="rests", type="limit", limit_price="1")
    inject(rig, {"kind": "unknown_status"})
    assert rig.ask("DELETE", f"/v2/orders/{resting['id']}").body == b""


@pytest.mark.parametrize(
    ("quantity", "fraction", "filled"),
    [("10", 0.25, "2"), ("10", "0.01", "1"), ("1.5", "0.5", "0.75"), ("1", "0.5", "0.5")],
)
def test_a_partial_fill_whose_rest_never_comes(
    rig: Rig, quantity: str, fraction: object, filled: str
) -> None:
    inject(rig, {"kind": "partial_fill", "fraction": fraction})
    send(rig, qty=quantity)
    rig.wait(hours=5)
    partial = rig.order()
    assert (partial["status"], partial["filled_qty"]) == ("partially_filled", filled)
    assert rig.get("/v2/positions/MU")["qty"] == filled
    rig.wait(hours=5)
    ended = rig.order()
    assert (ended["status"], ended["filled_qty"]) == ("expired", filled)


def test_a_partial_fill_whose_rest_comes_later(rig: Rig) -> None:
    inject(
        rig,
        {"kind": "partial_fill", "rest_seconds": 90},
        {"kind": "partial_fill", "fraction": "0.3", "rest_polls": 3},
    )
    send(rig, qty="10")
    send(rig, qty="10", client_order_id="polled")
    assert (rig.order()["status"], rig.order()["filled_qty"]) == ("partially_filled", "5")
    rig.wait(seconds=89)
    assert rig.order()["status"] == "partially_filled"
    rig.wait(seconds=1)
    assert (rig.order()["status"], rig.order()["filled_qty"]) == ("filled", "10")
    looks = [rig.order("polled")["filled_qty"] for _ in range(3)]
    assert looks == ["3", "3", "10"]
    assert [str(fill.quantity) for fill in rig.exchange.fills()] == ["5", "3", "5", "7"]


def test_fills_happen_in_the_order_of_time() -> None:
    night, opens = START + timedelta(hours=12), START + timedelta(hours=23, minutes=30)
    prices = steps(MU=[(START, "100"), (opens + timedelta(minutes=1), "90")])
    rig = Rig(prices, NyseSessions(), at=night)
    rest = (opens - night).total_seconds() + 30
    inject(rig, {"kind": "partial_fill", "rest_seconds": rest})
    rig.submit(client_order_id="parts", qty="10")
    rig.submit(client_order_id="rests", type="limit", limit_price="95")
    rig.now = opens + timedelta(minutes=5)
    fills = [(fill.client_order_id, str(fill.price)) for fill in rig.exchange.fills()]
    assert fills == [("parts", "100.01"), ("parts", "100.01"), ("rests", "90.01")]
    seconds = [(fill.at - opens).total_seconds() for fill in rig.exchange.fills()]
    assert seconds == [0, 30, 60]


def test_a_late_fill(rig: Rig) -> None:
    inject(
        rig,
        {"kind": "late_fill", "seconds": 30},
        {"kind": "late_fill", "polls": 2},
        {"kind": "late_fill"},
    )
    for name in ("timed", "polled", "never"):
        send(rig, client_order_id=name)
    assert rig.order("timed")["status"] == "new"
    rig.wait(seconds=30)
    timed = rig.order("timed")
    assert (timed["status"], timed["filled_at"]) == ("filled", "2026-01-14T15:00:30Z")
    assert rig.order("polled")["status"] == "new"
    assert rig.get("/v2/orders")[0]["client_order_id"] == "never"
    assert rig.order("polled")["status"] == "filled"
    assert rig.order("never")["status"] == "new"
    assert rig.account()["buying_power"] < 200_000 - 100


def test_the_list_counts_as_a_look(rig: Rig) -> None:
    inject(rig, {"kind": "late_fill", "polls": 2})
    send(rig)
    assert [one["status"] for one in rig.get("/v2/orders")] == ["new"]
    assert [one["status"] for one in rig.get("/v2/orders", status="all")] == ["filled"]


def test_which_request_is_struck(rig: Rig) -> None:
    inject(
        rig,
        {
            "kind": "html_502",
            "match": {"method": "POST", "path": "/v2/orders", "symbol": "A*", "side": "buy"},
            "nth": 2,
            "times": 2,
        },
    )
    struck = [
        send(rig, symbol=symbol, client_order_id=f"{index}{symbol}").fault
        for index in range(4)
        for symbol in ("MU", "AMD")
    ]
    assert struck == ["", "", "", "html_502", "", "html_502", "", ""]
    (left,) = rig.get("/sim/faults")
    assert (left["seen"], left["fired"]) == (4, 2)


def test_a_look_up_is_matched_by_its_query(rig: Rig) -> None:
    rig.submit()
    inject(rig, {"kind": "drop_before", "match": {"client_order_id": "fir*"}, "times": 0})
    query = {"client_order_id": "first"}
    for _ in range(3):
        answer = rig.ask("GET", "/v2/orders:by_client_order_id", query=query)
        assert answer.dropped
    assert rig.ask("GET", "/v2/account").status == 200
    assert rig.ask("DELETE", "/sim/faults").status == 204
    assert rig.get("/sim/faults") == []
    assert rig.order()["status"] == "filled"


def test_a_body_that_is_not_json_has_no_symbol_to_match(rig: Rig) -> None:
    inject(rig, {"kind": "drop_before", "match": {"symbol": "MU"}})
    broken = Request("POST", "/v2/orders", {}, HEADERS, b"{")
    assert rig.exchange.handle(broken).status == 400
    assert rig.ask("POST", "/v2/orders", [1]).status == 400
    inject(rig, {"kind": "html_502", "match": {"path": "/v2/clock"}})
    assert rig.ask("GET", "/v2/account").status == 200


def test_one_fault_a_request_in_the_order_given(rig: Rig) -> None:
    inject(rig, {"kind": "html_502"}, {"kind": "drop_before"})
    assert [send(rig).fault for _ in range(3)] == ["html_502", "drop_before", ""]


def test_a_fault_can_be_given_in_the_process(rig: Rig) -> None:
    fault = Fault("partial_fill", {"symbol": "MU"}, parameters={"fraction": "0.5"})
    rig.exchange.faults.add(fault)
    (shown,) = rig.get("/sim/faults")
    assert shown == {
        "kind": "partial_fill",
        "match": {"symbol": "MU"},
        "nth": 1,
        "times": 1,
        "fraction": "0.5",
        "seen": 0,
        "fired": 0,
    }
    rig.exchange.faults.clear()
    assert rig.get("/sim/faults") == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "earthquake"}, f"known are {', '.join(KINDS)}"),
        ({}, "a fault is an object with a kind"),
        ("drop_before", "a fault is an object with a kind"),
        ({"kind": "stall", "minutes": 1}, "unknown key 'minutes'; known are seconds, accepted"),
        ({"kind": "drop_before", "seconds": 1}, "unknown key 'seconds'; known are none"),
        ({"kind": "stall", "match": {"verb": "GET"}}, "unknown key 'verb'; known are method"),
        ({"kind": "stall", "match": {"method": 1}}, "an object of strings"),
        ({"kind": "stall", "match": []}, "an object of strings"),
        ({"kind": "stall", "nth": 0}, "nth is at least 1"),
        ({"kind": "stall", "times": -1}, "times at least 0"),
        ({"kind": "stall", "times": "2"}, "whole numbers"),
        ({"kind": "stall", "seconds": "long"}, "seconds 'long' is no number"),
        ({"kind": "partial_fill", "fraction": 1}, "fraction 1, limit between 0 and 1"),
        ({"kind": "partial_fill", "fraction": "half"}, "fraction 'half' is no number"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(rig: Rig, fault: Any, says: str) -> None:
    answer = rig.ask("POST", "/sim/faults", [{"kind": "stall"}, fault])
    assert answer.status == 422
    body = answer.json()
    assert isinstance(body, dict)
    assert says in body["message"]
    assert rig.get("/sim/faults") == []
