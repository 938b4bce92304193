from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from executor.exchange.messages import Request, Response
from tests.exchange.rig import HEADERS, Rig, flat

START = datetime(2026, 1, 14, 15, 0, 20, tzinfo=UTC)


def ask(rig: Rig, path: str, headers: dict[str, str]) -> Response:
    return rig.exchange.handle(Request("GET", path, {}, headers))


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "any_pair", "that_pair"),
    [
        ({}, 401, 401),
        ({"APCA-API-KEY-ID": "k"}, 401, 401),
        ({"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": ""}, 401, 401),
        ({"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}, 200, 200),
        ({"apca-api-key-id": "k", "apca-api-secret-key": "s"}, 200, 200),
        ({"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "wrong"}, 200, 401),
        ({"APCA-API-KEY-ID": "ks", "APCA-API-SECRET-KEY": "\udcff"}, 200, 401),
        (basic("k:s"), 200, 200),
        (basic("k:t"), 200, 401),
        ({"Authorization": "Basic ###"}, 401, 401),
    ],
)
def test_keys(headers: dict[str, str], any_pair: int, that_pair: int) -> None:
    for keys, expected in ((None, any_pair), (("k", "s"), that_pair)):
        answer = ask(Rig(keys=keys), "/v2/account", headers)
        assert answer.status == expected
        if expected == 401:
            assert answer.json() == {"message": "unauthorized."}


def test_the_controls_need_keys_only_where_some_are_set() -> None:
    assert ask(Rig(), "/sim/clock", {}).status == 200
    assert ask(Rig(keys=("k", "s")), "/sim/clock", {}).status == 401


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/watchlists", "/v2/account/", "/sim/nothing"])
def test_unknown_endpoints(path: str) -> None:
    answer = Rig().ask("GET", path)
    assert (answer.status, answer.json()) == (404, {"message": "endpoint not found"})
    assert Rig().ask("POST", "/v2/clock").status == 404


def test_the_rate_limit_counts_by_the_minute_and_by_key() -> None:
    rig = Rig(at=START, rate_limit=3)
    left = [rig.ask("GET", "/v2/clock").headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    limited = rig.ask("GET", "/v2/clock")
    assert (limited.status, limited.json()) == (
        429,
        {"code": 42910000, "message": "rate limit exceeded"},
    )
    assert limited.headers["X-RateLimit-Limit"] == "3"
    reset = int(limited.headers["X-RateLimit-Reset"])
    assert reset == START.replace(second=0).timestamp() + 60
    assert ask(rig, "/v2/clock", {**HEADERS, "APCA-API-KEY-ID": "other"}).status == 200
    assert rig.ask("GET", "/v2/stocks/MU/trades/latest").status == 200
    assert rig.ask("GET", "/sim/clock").status == 200
    rig.now = datetime.fromtimestamp(reset, UTC)
    assert rig.ask("GET", "/v2/clock").status == 200


def test_the_rate_limit_can_count_by_another_time() -> None:
    seconds = [59.0]
    rig = Rig(at=START, rate_limit=1, pace=lambda: seconds[0])
    answer = rig.ask("GET", "/v2/clock")
    assert answer.headers["X-RateLimit-Reset"] == "60"
    assert answer.headers["Date"] == "Thu, 01 Jan 1970 00:00:59 GMT", "by the same clock"
    assert rig.ask("GET", "/v2/clock").status == 429
    seconds[0] = 60.0
    assert rig.ask("GET", "/v2/clock").status == 200


def test_the_usual_limit_is_two_hundred() -> None:
    rig = Rig(rate_limit=200)
    statuses = [rig.ask("GET", "/v2/clock").status for _ in range(201)]
    assert statuses == [200] * 200 + [429]
    assert "X-RateLimit-Limit" not in Rig(rate_limit=0).ask("GET", "/v2/clock").headers


def test_setting_the_time() -> None:
    rig = Rig(flat("100"), at=START)
    assert rig.get("/sim/clock") == {"now": "2026-01-14T15:00:20Z", "stands_still": False}
    rig.submit(type="limit", limit_price="90")
    to = {"now": "2026-01-14T20:00:00Z"}
    assert rig.ask("PUT", "/sim/clock", to).json() == {**to, "stands_still": True}
    rig.wait(days=3)
    assert rig.order()["status"] == "new"
    moved = rig.ask("PUT", "/sim/clock", {"advance_seconds": 4 * 3600})
    assert moved.json() == {"now": "2026-01-15T00:00:00Z", "stands_still": True}
    assert rig.order()["status"] == "expired"


@pytest.mark.parametrize(
    "body",
    [
        {"now": "2026-01-14T14:00:00Z"},
        {"now": "soon"},
        {"now": 5},
        {"advance_seconds": -1},
        {"advance_seconds": "many"},
        {"advance_seconds": "nan"},
        {"advance_seconds": 1e300},
        {"advance_seconds": 1, "now": "2026-01-15"},
        {},
    ],
)
def test_times_that_cannot_be_set(body: dict[str, object]) -> None:
    rig = Rig(at=START)
    assert rig.ask("PUT", "/sim/clock", body).status == 422
    assert rig.get("/sim/clock")["stands_still"] is False


def test_the_time_can_be_set_in_the_process() -> None:
    rig = Rig(at=START)
    rig.exchange.clock.advance(10)
    assert rig.get("/v2/clock")["timestamp"] == "2026-01-14T10:00:30-05:00"


def test_time_never_runs_backwards() -> None:
    rig = Rig(at=START)
    rig.get("/v2/clock")
    rig.now -= timedelta(hours=1)
    assert rig.get("/sim/clock")["now"] == "2026-01-14T15:00:20Z"


def test_the_same_requests_give_the_same_bytes() -> None:
    def play() -> list[bytes]:
        rig = Rig()
        answers = [rig.ask("POST", "/v2/orders", {**BODY, "qty": str(i)}) for i in range(4)]
        rig.wait(days=2)
        paths = ("/v2/account", "/v2/positions", "/v2/orders", "/v2/assets", "/v2/clock")
        answers += [rig.ask("GET", path, query={"status": "all"}) for path in paths]
        answers.append(rig.ask("GET", "/v2/stocks/MU/bars", query={"timeframe": "1Hour"}))
        return [answer.body for answer in answers]

    assert play() == play()


BODY = {"symbol": "MU", "side": "buy", "type": "market", "time_in_force": "day"}
