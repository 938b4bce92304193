from __future__ import annotations

from typing import Any

import pytest

from executor.model.account import Mode
from executor.model.settings import (
    ALWAYS_SET,
    LIMITS_BY_CHECK,
    Limits,
    Settings,
    is_known_book,
    limit_problems,
)

FULL: dict[str, Any] = dict.fromkeys(Limits.model_fields, 1)
OFF = sorted(LIMITS_BY_CHECK.keys() - ALWAYS_SET)


def settings(limits: dict[str, Any] = FULL, **keys: Any) -> Settings:
    return Settings.model_validate(
        {"mode": "sim", "margin": {"allowed": True}, "limits": limits} | keys
    )


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


def test_every_limit_belongs_to_exactly_one_check() -> None:
    named = [name for names in LIMITS_BY_CHECK.values() for name in names]
    assert sorted(named) == sorted(Limits.model_fields)


def test_all_limits_set_is_no_problem() -> None:
    assert limit_problems(settings()) == []


@pytest.mark.parametrize("name", sorted(Limits.model_fields))
def test_every_absent_limit_is_named_with_its_remedy(name: str) -> None:
    (check,) = [one for one, names in LIMITS_BY_CHECK.items() if name in names]
    remedy = "" if check in ALWAYS_SET else f", or name `{check}` in acknowledged_disabled"
    assert limit_problems(settings(without(name))) == [
        f"limits: `{name}` is absent; set it{remedy}"
    ]


@pytest.mark.parametrize("check", OFF)
def test_a_check_may_be_off_without_its_limits(check: str) -> None:
    chosen = settings(without(*LIMITS_BY_CHECK[check]), acknowledged_disabled=[check])
    assert limit_problems(chosen) == []
    assert chosen.is_off(check)


@pytest.mark.parametrize("check", OFF)
def test_a_check_that_is_off_has_none_of_its_limits(check: str) -> None:
    problem = (
        f"limits: `{check}` is acknowledged as disabled but has a limit;"
        " take out the one or the other"
    )
    assert limit_problems(settings(acknowledged_disabled=[check])) == [problem]
    *rest, _ = LIMITS_BY_CHECK[check]
    assert limit_problems(settings(without(*rest), acknowledged_disabled=[check])) == [problem]


@pytest.mark.parametrize("check", sorted(ALWAYS_SET))
def test_a_check_that_others_lean_on_stays_on(check: str) -> None:
    chosen = settings(without(*LIMITS_BY_CHECK[check]), acknowledged_disabled=[check])
    assert limit_problems(chosen) == [
        f"acknowledged_disabled: `{check}` cannot be turned off, others lean on it;"
        " take it out of the list"
    ]


def test_what_is_no_check_is_spelled() -> None:
    assert limit_problems(settings(acknowledged_disabled=["sesion"])) == [
        "acknowledged_disabled: `sesion` is no check that can be turned off;"
        " did you mean `session`?"
    ]
    assert limit_problems(settings(acknowledged_disabled=["zzz"])) == [
        "acknowledged_disabled: `zzz` is no check that can be turned off; take it out of the list"
    ]


def test_all_problems_are_told() -> None:
    assert len(limit_problems(settings({}))) == len(Limits.model_fields)


@pytest.mark.parametrize(
    ("mode", "none_in_paper", "policy"),
    [
        ("sim", False, "none"),
        ("sim", True, "none"),
        ("paper", False, "review"),
        ("paper", True, "none"),
        ("live", False, "review"),
        ("live", True, "review"),
    ],
)
def test_live_is_never_without_an_approval(mode: str, none_in_paper: bool, policy: str) -> None:
    approval = {"policy": "review", "none_in_paper": none_in_paper}
    assert settings(mode=mode, approval=approval).approval_policy() == policy


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("chosen", ["stop", "resend_same_id"])
def test_in_sim_an_unknown_order_is_sent_again(mode: Mode, chosen: str) -> None:
    found = settings(mode=mode.value, execution={"on_unknown": chosen}).unknown_policy()
    assert found == ("resend_same_id" if mode is Mode.SIM else chosen)


def test_books() -> None:
    books = {"core": {"enabled": True}, "old": {"enabled": False}}
    chosen = settings(strategies={"default": "manual", "books": books})
    assert [is_known_book(one, chosen) for one in ("core", "old", "manual", "new")] == [
        True,
        False,
        True,
        False,
    ]
    assert chosen.book_of(None) == "manual"
    assert chosen.book_of("core") == "core"
