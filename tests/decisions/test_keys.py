from __future__ import annotations

import re

import pytest

from executor.decisions.keys import (
    APP_CLIENT,
    APP_KEY,
    live_drifts,
    secret_drifts,
    unprotected_live,
    variable_drifts,
)
from executor.model.hosting import (
    BROKER_SECRETS,
    ENVIRONMENT_VARIABLE,
    MODE_VARIABLE,
    TRADING_ENABLED,
    BranchPolicy,
    Call,
    Tier,
    Unread,
)
from executor.model.settings import Settings
from tests.decisions.hosting_builders import (
    LIVE,
    NAME,
    PAPER,
    ROOT,
    UNREAD,
    WITH_APP,
    environment,
    hosting,
    private_free,
    settings,
)

ACKNOWLEDGED = ('acknowledged_unprotected = ""', f'acknowledged_unprotected = "{NAME}"')
VARIABLES = ("actions", "variables")


def test_trading_is_never_enabled_by_setup() -> None:
    seen = hosting(variables={"AUTOINVESTOR_ENVIRONMENT": "sim"})
    (drift,) = variable_drifts(seen, settings())
    assert drift.calls == (Call("POST", VARIABLES, {"name": "TRADING_ENABLED", "value": "false"}),)
    off = hosting(variables={"TRADING_ENABLED": "false", "AUTOINVESTOR_ENVIRONMENT": "sim"})
    assert list(variable_drifts(off, settings())) == []


@pytest.mark.parametrize(("before", "method"), [(None, "POST"), ("sim", "PATCH")])
def test_the_environment_is_chosen_once_it_is_limited_to_main(
    before: str | None, method: str
) -> None:
    main = settings(*PAPER)
    told = {"TRADING_ENABLED": "true"} | ({"AUTOINVESTOR_ENVIRONMENT": before} if before else {})
    (drift,) = variable_drifts(hosting(main, variables=told), main)
    (call,) = drift.calls
    assert call.method == method
    assert call.body == {"name": "AUTOINVESTOR_ENVIRONMENT", "value": "paper"}
    assert drift.observed == (f"`{before}`" if before else "not set")


@pytest.mark.parametrize(
    "paper",
    [
        None,
        UNREAD,
        environment("paper", is_limited=False, policies=()),
        environment("paper", policies=(BranchPolicy(1, "main"), BranchPolicy(2, "*"))),
    ],
)
def test_an_open_environment_is_never_chosen(paper: Unread | None) -> None:
    main = settings(*PAPER)
    seen = hosting(
        main,
        variables={"TRADING_ENABLED": "true"},
        environments={"sim": None, "paper": paper, "live": None},
    )
    (drift,) = variable_drifts(seen, main)
    assert drift.calls == ()
    assert drift.remedy == "limit the environment paper to main first, then set it"


def test_on_private_free_no_environment_is_chosen() -> None:
    assert list(variable_drifts(private_free(), settings())) == []
    told = {"TRADING_ENABLED": "true", "AUTOINVESTOR_ENVIRONMENT": "sim"}
    (drift,) = variable_drifts(private_free(variables=told), settings())
    assert drift.remedy == "delete it, there are no environments on this plan"


def test_the_third_agreement_of_live_lies_in_the_environment_alone() -> None:
    told = {
        "TRADING_ENABLED": "true",
        "AUTOINVESTOR_ENVIRONMENT": "sim",
        "AUTOINVESTOR_MODE": "live",
    }
    (drift,) = variable_drifts(hosting(variables=told), settings())
    assert drift.where == "variable AUTOINVESTOR_MODE"


def test_the_app_is_named_in_both_places() -> None:
    main = settings(WITH_APP)
    told = {"TRADING_ENABLED": "true", "AUTOINVESTOR_ENVIRONMENT": "sim"}
    (drift,) = variable_drifts(hosting(main, variables=told), main)
    assert drift.observed == "APP_CLIENT_ID is not there, [github] bot_id is 2001"
    (drift,) = variable_drifts(hosting(variables=told | {"APP_CLIENT_ID": "Iv1"}), settings())
    assert drift.observed == "APP_CLIENT_ID is there, [github] bot_id is 0"


def test_without_settings_only_what_holds_for_all_is_judged() -> None:
    assert list(variable_drifts(hosting(variables={"TRADING_ENABLED": "true"}), None)) == []
    assert list(variable_drifts(hosting(variables=UNREAD), settings())) == []


@pytest.mark.parametrize("name", ["ALPACA_API_KEY", "ALPACA_SECRET_KEY", "APP_PRIVATE_KEY"])
@pytest.mark.parametrize("tier", [Tier.PUBLIC, Tier.PRIVATE_PAID, Tier.UNKNOWN])
def test_a_key_as_a_secret_of_the_repository_can_be_read_from_any_branch(
    name: str, tier: Tier
) -> None:
    seen = hosting(secrets=frozenset({name, "OTHER"}), tier=tier)
    (drift,) = secret_drifts(seen, settings())
    assert drift.observed == f"{name}: a workflow on any branch can read them"
    assert drift.calls == ()


@pytest.mark.parametrize("changes", [PAPER, LIVE])
def test_the_keys_of_the_mode_have_to_be_there(changes: tuple[tuple[str, str], ...]) -> None:
    main = settings(*changes)
    mode = main.mode.value
    bare = {name: environment(name, secrets=frozenset()) for name in ("sim", "paper", "live")}
    (drift,) = secret_drifts(hosting(main, environments=bare), main)
    assert drift.where == f"environment {mode}: secrets"
    assert drift.observed == "without ALPACA_API_KEY, ALPACA_SECRET_KEY"
    assert list(secret_drifts(hosting(environments=bare), settings())) == []


def test_the_apps_key_has_to_be_there_in_every_mode() -> None:
    main = settings(WITH_APP)
    bare = environment("sim", secrets=frozenset())
    seen = hosting(main, environments={"sim": bare, "paper": None, "live": None})
    (drift,) = secret_drifts(seen, main)
    assert drift.observed == "without APP_PRIVATE_KEY"


@pytest.mark.parametrize("paper", [None, UNREAD, environment("paper", secrets=UNREAD)])
def test_secrets_that_were_not_read_are_no_drift(paper: Unread | None) -> None:
    main = settings(*PAPER)
    seen = hosting(main, environments={"sim": None, "paper": paper, "live": None})
    assert list(secret_drifts(seen, main)) == []


def test_on_private_free_the_repositorys_secrets_serve() -> None:
    main = settings(*PAPER)
    both = frozenset({"ALPACA_API_KEY", "ALPACA_SECRET_KEY"})
    assert list(secret_drifts(private_free(main, secrets=both), main)) == []
    (drift,) = secret_drifts(private_free(main), main)
    assert drift.observed == "without ALPACA_API_KEY, ALPACA_SECRET_KEY"
    assert list(secret_drifts(private_free(main, secrets=UNREAD), main)) == []


@pytest.mark.parametrize("tier", [Tier.PUBLIC, Tier.PRIVATE_PAID])
def test_live_is_protected_where_there_are_environments(tier: Tier) -> None:
    assert unprotected_live(NAME, tier, "") is None


@pytest.mark.parametrize("tier", [Tier.PRIVATE_FREE, Tier.UNKNOWN])
def test_live_is_refused_elsewhere_until_the_name_is_typed_out(tier: Tier) -> None:
    for acknowledged in ("", "yes", "octo/other", NAME.upper()):
        refusal = unprotected_live(NAME, tier, acknowledged)
        assert refusal is not None
        assert f'acknowledged_unprotected = "{NAME}"' in refusal
    assert unprotected_live(NAME, tier, NAME) is None


def test_the_agreements_of_live_that_github_holds() -> None:
    main = settings(*LIVE)
    assert list(live_drifts(hosting(main), main)) == []
    assert list(live_drifts(private_free(), settings())) == []
    bare = hosting(main, environments={"live": environment("live", variables={})})
    (drift,) = live_drifts(bare, main)
    assert drift.where == "variable AUTOINVESTOR_MODE of the environment live"
    assert (drift.observed, drift.calls) == ("not set", ())
    other = environment("live", variables={"AUTOINVESTOR_MODE": "paper"})
    (drift,) = live_drifts(hosting(main, environments={"live": other}), main)
    assert drift.observed == "`paper`"


@pytest.mark.parametrize("live", [None, UNREAD, environment("live", variables=UNREAD)])
def test_agreements_that_were_not_read_are_no_drift(live: Unread | None) -> None:
    main = settings(*LIVE)
    assert list(live_drifts(hosting(main, environments={"live": live}), main)) == []


def test_live_on_private_free() -> None:
    main = settings(*LIVE)
    refused, missing = live_drifts(private_free(main), main)
    assert (refused.where, refused.wanted) == ("live", "keys that only main can read")
    assert missing.where == "variable AUTOINVESTOR_MODE of the repository"
    known: Settings = settings(*LIVE, ACKNOWLEDGED)
    told = {"TRADING_ENABLED": "true", "AUTOINVESTOR_MODE": "live"}
    assert list(live_drifts(private_free(known, variables=told), known)) == []
    assert list(live_drifts(private_free(known, variables=UNREAD), known)) == []


def test_every_name_that_the_workflows_take_is_looked_after() -> None:
    """A key or switch under a name that nobody checks would be one that nobody misses."""
    folder = ROOT / ".github" / "workflows"
    text = "\n".join(path.read_text() for path in folder.glob("*.yml"))
    assert set(re.findall(r"\bsecrets\.(\w+)", text)) == {*BROKER_SECRETS, APP_KEY}
    assert set(re.findall(r"\bvars\.(\w+)", text)) == {
        TRADING_ENABLED,
        ENVIRONMENT_VARIABLE,
        MODE_VARIABLE,
        APP_CLIENT,
    }
