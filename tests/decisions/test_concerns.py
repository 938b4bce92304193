from __future__ import annotations

from decimal import Decimal
from typing import Any

from executor.decisions.concerns import (
    ON_SALE,
    Concern,
    Notice,
    Steps,
    concerns,
    lacking,
    marked,
    resting,
    steps,
    without_stop,
)
from executor.model.fields import parse_timestamp
from executor.model.ledger import Ledger, Order
from executor.model.order_result import InstructionResult, Outcome, Protection
from executor.model.result import Observed

NOW = parse_timestamp("2026-01-14T15:00:00Z")


def order(outcome: Outcome) -> Order:
    told = InstructionResult(index=0, ticker="MU", outcome=outcome)
    return Order(told, "ab" * 32, "manual", "", NOW)


def concern(cause: str = "unknown", *lines: str) -> Concern:
    return Concern(cause, "title", lines or ("a line",), "remedy")


def test_a_calm_record_is_nobodys_concern() -> None:
    assert concerns("settle", Ledger(), unprotected=()) == {
        "unknown": None,
        "foreign": None,
        "unprotected": None,
        "stopped-settle": None,
    }


def test_what_could_not_be_judged_is_left_as_it_is() -> None:
    assert concerns("execute", None, unprotected=None) == {"stopped-execute": None}


def test_each_cause_is_named_with_what_it_is_about() -> None:
    seen = Observed(
        kind="order", key="theirs", side="buy", quantity=Decimal(5), symbol="AMD", status="filled"
    )
    cash = Observed(kind="cash", key="CASH", status="held")
    ledger = Ledger(
        orders={"b": order(Outcome.UNKNOWN), "a": order(Outcome.UNKNOWN), "c": order(Outcome.OPEN)},
        observed={"theirs": seen, "CASH": cash},
    )
    found = concerns("settle", ledger, unprotected=["5 MU"], stopped=["a broken chain"])
    told = {cause: one.lines if one else None for cause, one in found.items()}
    assert told == {
        "unknown": ("MU: a", "MU: b"),
        "foreign": ("order theirs buy 5 AMD", "cash CASH"),
        "unprotected": ("5 MU",),
        "stopped-settle": ("a broken chain",),
    }


def test_the_marker_tells_cause_and_state() -> None:
    one = concern()
    assert marked(f"words\n\n{one.marker}\n") == ("unknown", one.digest)
    assert marked("words") is None
    assert concern("unknown", "other").digest != one.digest
    # Words of others stand before ours, and an imitation of the marker in them says nothing.
    assert marked(f"`{concern('foreign').marker}`\n{one.marker}") == ("unknown", one.digest)
    assert marked(f"{one.marker}\nwords") is None


def told(number: int, one: Concern, **keys: Any) -> Notice:
    return Notice(number, one.cause, keys.get("told", one.digest))


def test_one_issue_a_cause() -> None:
    one = concern()
    assert steps({"unknown": one}, []) == Steps(opens=(one,))
    assert steps({"unknown": one}, [told(4, one)]) == Steps()
    assert steps({"unknown": one}, [told(4, one, told="old")]) == Steps(updates=((4, one),))
    assert steps({"unknown": None}, [told(4, one)]) == Steps(closes=(4,))
    assert steps({"unknown": None}, []) == Steps()
    assert steps({}, [told(4, one)]) == Steps()


def test_of_two_about_one_cause_the_first_stays() -> None:
    one = concern()
    assert steps({"unknown": one}, [told(9, one), told(4, one)]) == Steps(closes=(9,))


def stands(reason: str = ON_SALE, stop: str | None = "568.88", state: Any = "unprotected") -> Any:
    price = None if stop is None else Decimal(stop)
    return Protection(
        symbol="MU", state=state, quantity=Decimal("8.09"), stop_price=price, reason=reason
    )


RESTS = (
    "MU (8.09 shares) is without its stop at 568.88 while the SELL rests; if it does not fill,"
    " settle puts the stop back"
)


def test_what_a_sell_leaves_without_its_stop_is_said_in_words() -> None:
    assert without_stop(stands()) == RESTS
    assert without_stop(stands(stop=None)) == RESTS.replace(" at 568.88", "")
    assert resting([stands(), stands("why"), stands(), stands("", state="stop")]) == (RESTS,)


def test_what_has_no_stop_is_judged_by_how_things_stand() -> None:
    alarm = "MU: 8.09 shares without their stop at 568.88 USD: why"
    found = lacking((alarm, "another"), (stands("why"), stands(), stands("", state="stop")))
    assert found == (alarm, "another", RESTS)
    assert lacking((), (stands("why", None),)) == ("MU: 8.09 shares without their stop: why",)
