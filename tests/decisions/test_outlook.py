from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.outlook import Outlook, only_exits, outlook
from executor.model.context import Context
from executor.model.facts import RecordFacts
from tests.checks.builders import account, context, holding, line, lot, plan, position, quoted


def ahead(subject: Context) -> Outlook:
    return outlook(subject, range(len(subject.plan.instructions)))


def test_a_buy_with_a_stop() -> None:
    found = ahead(context(plan(line(quantity="100", stop_loss_pct="8"))))
    (mu,) = found.holdings
    assert (str(mu.before), str(mu.after), str(mu.price)) == ("0", "100", "331.40")
    assert found.cash_before == 100_000
    assert found.cash_after == Decimal(100_000) - Decimal("331.44") * 100 * Decimal("1.01")
    assert found.gross_before == found.stops_before == 0
    assert found.gross_after == 33_140
    assert found.stops_after == Decimal("331.40") * 8
    assert found.naked_after == ()
    assert found.gap_loss == 3_314
    assert found.share(found.gap_loss) == Decimal("3.314")
    assert found.traded == 100_000 - found.cash_after
    assert found.unpriced == ()


def test_a_buy_without_a_stop_is_named() -> None:
    found = ahead(context(plan(line(quantity="100"))))
    assert found.naked_after == ("MU",)
    assert found.stops_after == 0


def test_a_bracket_without_a_distance_counts_as_without_a_stop() -> None:
    assert ahead(context(plan(line(protect="stop")))).naked_after == ("MU",)


def test_a_limit_entry_has_its_stop_under_the_limit() -> None:
    subject = plan(line(quantity="10", order_type="limit", limit_price="300", stop_loss_pct="10"))
    assert ahead(context(subject)).stops_after == 300


def test_a_sale_leaves_the_nearest_stops() -> None:
    lots = (lot(stop_price="300"), lot(stop_price="320"))
    subject = context(
        plan(line("SELL", quantity="10")),
        positions=holding(position(quantity="20")),
        record=RecordFacts(lots=lots),
    )
    found = ahead(subject)
    assert found.stops_before == Decimal("31.40") * 10 + Decimal("11.40") * 10
    assert found.stops_after == Decimal("11.40") * 10
    assert found.cash_after == 100_000 + Decimal("331.40") * 10


def test_a_sale_of_everything_leaves_nothing() -> None:
    subject = context(
        plan(line("SELL", quantity="all")), positions=holding(position(quantity="20"))
    )
    found = ahead(subject)
    assert found.gross_after == 0
    assert found.naked_after == ()


def test_a_stop_that_was_passed_costs_nothing_more() -> None:
    found = ahead(
        context(
            plan(line(ticker="AMD", stop_loss_pct="5")),
            positions=holding(position(quantity="10")),
            record=RecordFacts(lots=(lot(stop_price="340"),)),
        )
    )
    assert found.stops_before == 0


def test_a_trailing_stop_lies_by_its_distance() -> None:
    found = ahead(
        context(
            plan(line(ticker="AMD", stop_loss_pct="5")),
            positions=holding(position(quantity="10")),
            record=RecordFacts(lots=(lot(stop_price=None, trail_percent=Decimal(5)),)),
        )
    )
    assert found.stops_before == Decimal("331.40") * 10 * 5 / 100


def protecting(**keys: Any) -> Outlook:
    return ahead(
        context(
            plan(line("PROTECT", **keys), line(ticker="AMD", quantity="1", stop_loss_pct="5")),
            positions=holding(position(quantity="10")),
            record=RecordFacts(lots=(lot(stop_price="300"),)),
        )
    )


def test_a_protect_line_moves_the_stop() -> None:
    own = Decimal("221.08") * 5 / 100
    assert protecting(stop_price="321.40").stops_after == 100 + own
    assert protecting(trail_percent="10").stops_after == Decimal("331.40") + own
    assert protecting(ticker="AMD", stop_price="200").stops_after == Decimal("314.00") + own
    bare = protecting(protect="none", loosen=True)
    assert bare.stops_after == own
    assert bare.naked_after == ("MU",)


def test_a_short_holding_has_no_stop_of_ours() -> None:
    found = ahead(context(plan(line(ticker="AMD", stop_loss_pct="5")),
                          positions=holding(position(quantity="-10"))))  # fmt: skip
    assert found.naked_after == ("MU",)
    assert found.gross_before == 3_314


def test_what_has_no_price_is_named() -> None:
    found = ahead(context(plan(line(ticker="NVDA"))))
    assert found.unpriced == ("NVDA",)
    assert found.gross_after == 0
    sold = ahead(
        context(
            plan(line("SELL", ticker="MU", quantity="1")),
            positions=holding(position("M U?", quantity="10", price="5")),
        )
    )
    assert [one.symbol for one in sold.holdings] == ["M U?", "MU"]
    assert sold.gross_before == 50


def test_without_a_record_no_stop_is_known() -> None:
    found = ahead(
        context(
            plan(line("SELL", quantity="1")),
            positions=holding(position(quantity="10")),
            record=None,
        )
    )
    assert found.naked_after == ("MU",)


def test_lines_that_do_not_go_change_nothing() -> None:
    found = outlook(context(plan(line(quantity="100"))), ())
    assert found.holdings == ()
    assert found.cash_after == found.cash_before


@given(st.integers(1, 300), st.integers(1, 99), st.integers(1, 300))
def test_what_the_stops_lose_lies_between_nothing_and_all(
    quantity: int, stop_loss_pct: int, held: int
) -> None:
    subject = context(
        plan(line(quantity=str(quantity), stop_loss_pct=str(stop_loss_pct))),
        positions=holding(position(quantity=str(held))),
        record=RecordFacts(lots=(lot(quantity=Decimal(held)),)),
        prices={"MU": quoted()},
    )
    found = ahead(subject)
    assert 0 <= found.stops_before <= found.gross_before
    assert 0 <= found.stops_after <= found.gross_after
    assert found.naked_after == ()


def test_only_exits() -> None:
    held = holding(position(quantity="10"))
    assert only_exits(context(plan(line("SELL")), positions=held))
    assert only_exits(context(plan(line("PROTECT", stop_price="320")), positions=held))
    assert only_exits(
        context(plan(line("CANCEL", client_order_id="x"), line("SELL")), positions=held)
    )
    assert not only_exits(context(plan(line("SELL"), line("BUY", "AMD")), positions=held))
    assert not only_exits(context(plan(line("PROTECT", protect="none", loosen=True))))
    assert only_exits(
        context(plan(line("BUY", quantity="5")), positions=holding(position(quantity="-10")))
    )
    resume = plan(trading_state={"state": "ACTIVE", "reason": "calm"}).model_copy(
        update={"instructions": ()}
    )
    assert not only_exits(context(resume))


def test_equity_of_nothing_is_without_bound() -> None:
    found = ahead(context(plan(line(stop_loss_pct="5")), account=account(equity=Decimal(0))))
    assert not found.share(found.gross_after).is_finite()


def resting(**keys: Any) -> Outlook:
    """A SELL of half a holding that has its stop."""
    return ahead(
        context(
            plan(line("SELL", quantity="10", **keys)),
            positions=holding(position(quantity="20")),
            record=RecordFacts(lots=(lot(quantity=Decimal(20), stop_price="300"),)),
        )
    )


def test_a_sale_that_rests_is_not_counted_as_filled_and_takes_the_stop_away() -> None:
    for keys in (
        {"order_type": "limit", "limit_price": "340"},
        {"order_type": "stop", "stop_price": "310"},
        {"order_type": "stop_limit", "stop_price": "310", "limit_price": "309"},
        {"order_type": "trailing_stop", "trail_percent": "5"},
    ):
        found = resting(**keys)
        assert found.gross_after == found.gross_before
        assert found.stops_after == found.stops_before == Decimal("31.40") * 20
        assert found.cash_after == found.cash_before
        assert found.traded > 0
        assert found.naked_after == ("MU",)
        (one,) = found.withdrawn
        assert [told.stop_price for told in one.withdrawn] == [300]


def test_a_sale_at_the_market_is_counted_as_filled() -> None:
    for keys in ({}, {"order_type": "limit", "limit_price": "331"}):
        found = resting(**keys)
        assert found.gross_after == found.gross_before / 2
        assert found.withdrawn == ()
        assert found.naked_after == ()


def test_without_a_price_or_a_stop_a_resting_sale_withdraws_nothing_that_is_known() -> None:
    sell = line("SELL", "NVDA", quantity="1", order_type="limit", limit_price="9")
    found = ahead(context(plan(sell), positions=holding(position("NVDA", "10", "180"))))
    assert found.cash_after == found.cash_before
    assert found.withdrawn == ()
    assert found.naked_after == ("NVDA",)
    short = ahead(context(plan(sell), positions=holding(position("NVDA", "-10", "180"))))
    assert short.withdrawn == ()
