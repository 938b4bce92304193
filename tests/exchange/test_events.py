"""What may be scheduled, and what is refused in a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import executor.exchange.events
from executor.exchange.events import KINDS
from executor.exchange.messages import Refusal
from executor.exchange.opening import Opening
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, 20, tzinfo=UTC)

EXAMPLES: dict[str, dict[str, Any]] = {
    "dividend": {"symbol": "MU", "per_share": "0.25"},
    "interest": {"amount": "-1.23"},
    "fee": {"amount": "-0.02", "sub_type": "TAF"},
    "transfer": {"amount": "500", "journal": True},
    "split": {"symbol": "MU", "new_rate": "4", "old_rate": "1", "price_factor": "0.25"},
    "spin_off": {"symbol": "MU", "new_symbol": "MUX", "rate": "0.5", "price": "20"},
    "merger": {"symbol": "MU", "cash": "30", "new_symbol": "AMD", "rate": "0.5"},
    "symbol_change": {"symbol": "MU", "new_symbol": "MUX"},
}


def rig() -> Rig:
    return Rig(flat("100", "MU", "AMD"), opening=holding("MU", "10", "900"), at=START)


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(KINDS)
    for kind, (required, optional) in KINDS.items():
        assert set(EXAMPLES[kind]) == {*required, *optional}, kind


def test_every_event_has_its_row_in_the_readme() -> None:
    readme = Path(executor.exchange.events.__file__).with_name("README.md")
    table = readme.read_text(encoding="utf-8").split("| event | has to bring |")[1]
    rows = [row.split("|") for row in table.split("\n\n")[0].splitlines()[2:]]
    keys = {row[1].strip(" `"): (names(row[2]), names(row[3])) for row in rows}
    assert keys == {kind: ({*must}, {*may}) for kind, (must, may) in KINDS.items()}


def names(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_event_waits_for_its_minute_and_is_shown_as_it_was_posted(kind: str) -> None:
    one = rig()
    posted = {"kind": kind, "at": "2026-01-14T15:05:00Z", "description": "a test", **EXAMPLES[kind]}
    before = one.account()
    answer = one.ask("POST", "/sim/events", posted)
    assert answer.json() == [{**posted, "status": "scheduled"}] == one.get("/sim/events")
    assert one.account() == before
    one.now = datetime(2026, 1, 14, 15, 4, 59, tzinfo=UTC)
    assert one.get("/v2/account/activities") == []
    one.now = datetime(2026, 1, 14, 15, 5, tzinfo=UTC)
    assert one.get("/sim/events") == [{**posted, "status": "effective"}]
    lines = one.get("/v2/account/activities")
    assert lines
    assert {line["created_at"] for line in lines} == {"2026-01-14T15:05:00Z"}


@pytest.mark.parametrize("at", [None, "2026-01-01T00:00:00Z", "2026-01-14T15:00:50Z"])
def test_what_is_due_in_this_minute_happens_at_once(at: str | None) -> None:
    one = rig()
    posted = {"kind": "transfer", "amount": "500", **({"at": at} if at else {})}
    (shown,) = one.ask("POST", "/sim/events", posted).json()
    assert (shown["at"], shown["status"]) == ("2026-01-14T15:00:20Z", "effective")
    assert one.account()["cash"] == 100_500


def test_forgetting_leaves_what_happened() -> None:
    one = rig()
    one.ask("POST", "/sim/events", {"kind": "transfer", "amount": 500})
    one.ask("POST", "/sim/events", {"kind": "transfer", "amount": 7, "at": "2026-01-15"})
    assert one.ask("DELETE", "/sim/events").status == 204
    assert [shown["amount"] for shown in one.get("/sim/events")] == ["500"]
    one.wait(days=2)
    assert one.account()["cash"] == 100_500


def test_events_happen_in_the_order_of_time_and_their_symbols_may_follow_each_other() -> None:
    one = rig()
    events = [
        {"kind": "dividend", "symbol": "MUX", "per_share": 1, "at": "2026-01-16"},
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "MUX", "at": "2026-01-15"},
    ]
    refused = one.ask("POST", "/sim/events", events)
    assert (refused.status, one.get("/sim/events")) == (422, [])
    assert one.ask("POST", "/sim/events", events[::-1]).status == 200
    earlier = {"kind": "dividend", "symbol": "MU", "per_share": 2, "at": "2026-01-14T20:00:00Z"}
    one.ask("POST", "/sim/events", earlier)
    one.wait(days=3)
    told = one.get("/v2/account/activities", direction="asc")
    kinds = [(line["activity_type"], line["symbol"], line["net_amount"]) for line in told]
    assert kinds == [
        ("DIV", "MU", "20"),
        ("NC", "MU", "0"),
        ("NC", "MUX", "0"),
        ("DIV", "MUX", "10"),
    ]


REFUSED: list[tuple[Any, str]] = [
    ({"kind": "bonus"}, "an event has a kind, not 'bonus'; known are dividend, interest"),
    ({}, "an event has a kind, not None"),
    ([7], "an event has a kind, not no object"),
    ({"kind": "fee", "amount": -1, "x": 1}, "unknown key 'x'; known are amount, sub_type, kind"),
    ({"kind": "dividend", "symbol": "MU"}, "event dividend: per_share is missing"),
    ({"kind": "dividend", "symbol": "mu", "per_share": 1}, "symbol 'mu' is no symbol"),
    ({"kind": "dividend", "symbol": "NOPE", "per_share": 1}, 'symbol "NOPE" is not listed'),
    ({"kind": "dividend", "symbol": "MU", "per_share": 0}, "per_share 0, limit above 0"),
    ({"kind": "dividend", "symbol": "MU", "per_share": "x"}, "per_share 'x' is no number"),
    ({"kind": "dividend", "symbol": "MU", "per_share": True}, "per_share True is no number"),
    ({"kind": "dividend", "symbol": "MU", "per_share": "NaN"}, "per_share 'NaN' is no number"),
    ({"kind": "interest", "amount": "0.001"}, "amount 0.001 is not in cents, or is 0"),
    ({"kind": "interest", "amount": 0}, "amount 0 is not in cents, or is 0"),
    ({"kind": "interest", "amount": 1, "at": 5}, "event interest: at is a time, not 5"),
    ({"kind": "interest", "amount": 1, "at": "soon"}, "invalid at: soon"),
    ({"kind": "interest", "amount": 1, "description": 5}, "a description is a text"),
    ({"kind": "fee", "amount": 1}, "amount is the change of cash, so below 0"),
    ({"kind": "fee", "amount": -1, "sub_type": "TIP"}, "sub_type 'TIP'; known are REG"),
    ({"kind": "transfer", "amount": 1, "journal": 1}, "journal is true or false, not 1"),
    ({"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 2}, "nothing would change"),
    ({"kind": "merger", "symbol": "MU"}, "give cash, or new_symbol and rate, or all three"),
    ({"kind": "merger", "symbol": "MU", "rate": 2}, "new_symbol and rate are given together"),
    (
        {"kind": "merger", "symbol": "MU", "new_symbol": "NOPE", "rate": 2},
        'new_symbol "NOPE" is not listed',
    ),
    (
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "AMD"},
        'new_symbol "AMD" is listed already',
    ),
    (
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "MU"},
        "new_symbol is the symbol itself",
    ),
    (
        {"kind": "spin_off", "symbol": "MU", "new_symbol": "MUX", "rate": 2, "price": 50},
        "rate times price 100, limit below the last price 100 of MU",
    ),
]


@pytest.mark.parametrize(("posted", "message"), REFUSED, ids=[one[1][:40] for one in REFUSED])
def test_nonsense_is_refused_in_a_sentence(posted: Any, message: str) -> None:
    one = rig()
    good = {"kind": "transfer", "amount": "500"}
    answer = one.ask("POST", "/sim/events", [good, *posted] if posted == [7] else [good, posted])
    assert answer.status == 422
    assert message in answer.json()["message"]
    assert one.account()["cash"] == 100_000
    assert one.get("/sim/events") == []


def test_an_event_of_an_opening_says_when() -> None:
    opening = Opening(events=({"kind": "transfer", "amount": 5},))
    with pytest.raises(Refusal, match="event transfer: at is missing"):
        Rig(flat("100"), opening=opening, at=START)


def test_a_position_may_change_without_any_order() -> None:
    one = rig()
    body = {"symbol": "AMD", "qty": "3.5", "average_entry_price": "80"}
    (shown,) = one.ask("POST", "/sim/positions", body).json()
    assert (shown["qty"], shown["cost_basis"], shown["avg_entry_price"]) == ("3.5", "280", "80")
    (shown,) = one.ask("POST", "/sim/positions", {"symbol": "MU", "qty": 4}).json()
    assert (shown["qty"], shown["avg_entry_price"]) == ("4", "90")
    assert one.ask("POST", "/sim/positions", {"symbol": "MU", "qty": 0}).json() == []
    (shown,) = one.ask("POST", "/sim/positions", {"symbol": "MU", "qty": 1}).json()
    assert shown["avg_entry_price"] == "100"
    assert one.get("/v2/account/activities") == []
    assert one.account()["cash"] == 100_000
    assert one.account()["equity"] == 100_000 + 350 + 100
    assert one.account()["last_equity"] == 101_000
    one.submit(symbol="AMD", side="sell", qty="3.5")
    assert {shown["symbol"] for shown in one.get("/v2/positions")} == {"MU"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"symbol": "NOPE", "qty": 1}, "symbol 'NOPE' is not listed"),
        ({"symbol": "MU"}, "qty is missing"),
        ({"symbol": "MU", "qty": "x"}, "qty: 'x' is no number"),
        ({"symbol": "MU", "qty": -1}, "qty: -1, limit from 0"),
        ({"symbol": "MU", "qty": 1, "x": 2}, "unknown key 'x'"),
        ({"symbol": "MU", "qty": 5}, "open orders sell more than 5 MU"),
    ],
)
def test_a_position_that_cannot_be_had(body: dict[str, object], message: str) -> None:
    one = rig()
    one.submit(side="sell", qty="6", type="limit", limit_price="200")
    answer = one.ask("POST", "/sim/positions", body)
    assert answer.status == 422
    assert message in answer.json()["message"]
    assert one.get("/v2/positions/MU")["qty"] == "10"


def test_an_event_is_not_moved_by_when_somebody_looks() -> None:
    """The same events and orders, looked at each hour or once at the end."""
    seen: list[list[Any]] = []
    for hours in (1, 48):
        one = rig()
        one.submit(qty="3", type="limit", limit_price="100.5", time_in_force="gtc")
        for at, event in enumerate(EXAMPLES.values(), start=1):
            kind = list(EXAMPLES)[at - 1]
            if kind in ("merger", "symbol_change"):
                continue
            time = (START + timedelta(hours=5 * at)).isoformat()
            one.ask("POST", "/sim/events", {"kind": kind, "at": time, **event})
        for _ in range(48 // hours):
            one.wait(hours=hours)
            one.get("/v2/account")
        seen.append([one.get("/v2/account/activities"), one.get("/v2/positions"), one.account()])
    assert seen[0] == seen[1]
    assert len(seen[0][0]) >= 7
