from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.errors import ExitCode, UsageError
from executor.model.account import Mode
from executor.model.reading import SIZE_LIMIT
from executor.model.settings import Limits
from executor.settings import parse_settings
from tests.examples.corpus import ROOT, Example, examples, name

SHIPPED = (ROOT / "autoinvestor.toml").read_text(encoding="utf-8")
SETTINGS_FILES = ROOT / "tests/examples/valid/settings"
FILES = [one for one in examples() if one.document == "settings"]


def problems(text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        parse_settings(text.encode())
    assert caught.value.exit_code is ExitCode.USAGE
    return str(caught.value).splitlines()


@pytest.mark.parametrize("example", FILES, ids=name)
def test_every_example_gets_its_verdict(example: Example) -> None:
    data = example.path.read_bytes()
    if example.refused_by is None:
        parse_settings(data)
        return
    assert example.refused_by == "settings"
    with pytest.raises(UsageError) as caught:
        parse_settings(data, "DIR/autoinvestor.toml")
    for line in str(caught.value).splitlines():
        assert re.fullmatch(r"DIR/autoinvestor\.toml: .+; .+", line)


def test_the_shipped_settings_are_the_controls_of_a_simulation() -> None:
    """The values that stand left of the slash in the list of controls."""
    settings = parse_settings(SHIPPED.encode())
    assert settings.mode is Mode.SIM
    assert settings.acknowledged_disabled == ("sector_max",)
    assert settings.margin.allowed
    assert settings.approval.policy == "merge"
    assert settings.approval_policy() == "none"
    limits = settings.limits
    assert limits.model_dump(exclude_none=True) == {
        "quote_age_max_seconds": 60,
        "trade_age_max_minutes": 15,
        "spread_max_pct": 2,
        "price_collar_pct": 5,
        "decision_drift_max_pct": 3,
        "order_quantity_max_shares": 100_000,
        "order_notional_max_pct": 35,
        "market_order_pad_pct": 1,
        "quantity_confusion_pct": 10,
        "margin_use_max_pct": 100,
        "position_max_pct": 35,
        "exposure_max_x": 2,
        "orders_a_plan_max": 200,
        "orders_a_day_max": 500,
        "entries_a_symbol_a_day_max": 3,
        "daily_loss_max_pct": 5,
        "drawdown_max_pct": 20,
        "stop_outs_max": 3,
        "stop_out_window_days": 5,
        "stop_distance_min_pct": Decimal("0.5"),
        "risk_a_trade_max_pct": 3,
        "volume_share_max_pct": 1,
        "price_floor_usd": 1,
        "session_edge_minutes": 5,
        "buys_max_pct": 200,
        "positions_closed_warning_pct": 50,
        "account_age_max_minutes": 5,
        "vix_age_max_days": 4,
    }


def set_limits() -> list[str]:
    return [one for one in Limits.model_fields if f"\n{one} = " in SHIPPED]


def test_only_the_limit_of_the_check_that_is_off_is_not_shipped() -> None:
    assert set(Limits.model_fields) - set(set_limits()) == {"sector_max_pct"}


@pytest.mark.parametrize("limit", set_limits())
def test_every_limit_that_is_removed_is_an_error_with_its_remedy(limit: str) -> None:
    (line,) = problems(re.sub(rf"\n{limit} = .*", "", SHIPPED))
    assert line.startswith(f"autoinvestor.toml: limits: `{limit}` is absent; set it")


@pytest.mark.parametrize("limit", set_limits())
def test_every_limit_that_is_misspelled_is_an_error_that_spells_it(limit: str) -> None:
    lines = problems(SHIPPED.replace(f"\n{limit} = ", f"\n{limit}x = "))
    assert lines == [
        f"autoinvestor.toml: limits.{limit}x: unknown key; did you mean `{limit}`?"
        " otherwise take it out"
    ]


@pytest.mark.parametrize("limit", set_limits())
@pytest.mark.parametrize("value", ["-1", "true", '"much"', "[]", "nan", "inf", "1e12"])
def test_no_limit_takes_a_value_that_is_none(limit: str, value: str) -> None:
    (line,) = problems(re.sub(rf"\n{limit} = .*", f"\n{limit} = {value}", SHIPPED))
    assert line.startswith(f"autoinvestor.toml: limits.{limit}: ")
    assert "; " in line


def test_a_check_cannot_be_off_and_have_a_limit() -> None:
    assert problems(SHIPPED.replace("[limits]", "[limits]\nsector_max_pct = 40")) == [
        "autoinvestor.toml: limits: `sector_max` is acknowledged as disabled but has a limit;"
        " take out the one or the other"
    ]


def test_every_problem_is_told_one_a_line() -> None:
    text = SHIPPED.replace('mode = "sim"', 'mode = "demo"').replace("policy =", "polcy =")
    assert problems(text) == [
        'autoinvestor.toml: mode: "demo": not one of the words that are allowed here;'
        " write 'sim', 'paper' or 'live'",
        "autoinvestor.toml: approval.polcy: unknown key; did you mean `policy`? otherwise take it"
        " out",
    ]


def test_what_github_adds_is_shipped_as_it_is_when_absent() -> None:
    settings = parse_settings(SHIPPED.encode())
    shortest = parse_settings((SETTINGS_FILES / "shortest.toml").read_bytes())
    assert settings.approval == shortest.approval
    assert settings.github == shortest.github
    assert settings.reviews == shortest.reviews
    assert settings.approval.approvers == ()
    assert settings.github.bot_id == 0
    assert settings.reviews.every_hours == 4


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"])
def test_the_owner_s_time_zone_is_one_that_there_is(zone: str) -> None:
    text = SHIPPED.replace("America/New_York", zone)
    assert parse_settings(text.encode()).github.zone == zone


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        ("Europe/Berlino", "no such time zone; write one such as Europe/Berlin"),
        ("Europe", "no such time zone; write one such as Europe/Berlin"),
        ("../etc/passwd", "the text is not of this form; write a time zone such as Europe/Berlin"),
        ("", "the text is not of this form; write a time zone such as Europe/Berlin"),
    ],
)
def test_a_time_zone_that_there_is_none_of_is_an_error(zone: str, problem: str) -> None:
    (line,) = problems(SHIPPED.replace("America/New_York", zone))
    assert line.startswith("autoinvestor.toml: github.zone: ")
    assert line.endswith(problem)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("approvers", "[0]"),
        ("approvers", '["ada"]'),
        ("approvers", "[true]"),
        ("bot_id", "-1"),
        ("bot_id", "1.5"),
        ("every_hours", "-1"),
        ("every_hours", "25"),
        ("acknowledged_unprotected", "true"),
    ],
)
def test_no_setting_of_github_takes_a_value_that_is_none(key: str, value: str) -> None:
    (line,) = problems(re.sub(rf"\n{key} = .*", f"\n{key} = {value}", SHIPPED))
    assert f".{key}" in line
    assert "; " in line


def test_numbers_never_pass_through_a_float() -> None:
    text = re.sub(r"\nspread_max_pct = .*", "\nspread_max_pct = 0.1", SHIPPED)
    assert parse_settings(text.encode()).limits.spread_max_pct == Decimal("0.1")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "autoinvestor.toml: not UTF-8; save the file as UTF-8"),
        (b"mode = ", "autoinvestor.toml: not TOML: Invalid value"),
        (b"a = 1e9999999999999999999", "autoinvestor.toml: a value cannot be read; write plain"),
        (b"a = 2026-02-30", "autoinvestor.toml: "),
        (b"a = " + b"[" * 100_000, "autoinvestor.toml: "),
        (b" " * (SIZE_LIMIT + 1), "autoinvestor.toml: more than 4,194,304 bytes; write"),
    ],
)
def test_what_is_no_settings_file(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings(data)
    assert str(caught.value).startswith(problem)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_settings_or_a_matter_of_usage(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse_settings(data)
