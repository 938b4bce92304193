"""Where keys and switches lie: variables and secrets of the repository and its environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from executor.decisions.enforcing import BY_SETUP, is_ready
from executor.model.account import Mode
from executor.model.hosting import (
    BROKER_SECRETS,
    ENVIRONMENT_VARIABLE,
    MODE_VARIABLE,
    TRADING_ENABLED,
    Call,
    Drift,
    Environment,
    Hosting,
    Tier,
    Unread,
)
from executor.model.settings import Settings

NEEDED = "the keys that the settings' mode needs"

APP_CLIENT, APP_KEY = "APP_CLIENT_ID", "APP_PRIVATE_KEY"
"""The App's id, a variable, and its key, a secret."""


def unprotected_live(name: str, tier: Tier, acknowledged: str) -> str | None:
    """Why live may not trade here: keys that nothing protects. None where it may.

    Args:
        name: the repository, `owner/name`.
        tier: what GitHub enforces there.
        acknowledged: `[github] acknowledged_unprotected` of the settings.
    """
    if tier in (Tier.PUBLIC, Tier.PRIVATE_PAID) or acknowledged == name:
        return None
    if tier is Tier.UNKNOWN:
        return (
            "GitHub did not say whether it protects the environment `live` here; run again, or"
            f' set [github] acknowledged_unprotected = "{name}" in the settings'
        )
    return (
        "a private repository on GitHub Free has no environments, so whoever can push can read"
        " the keys; make it public, take GitHub Pro or Team, or set"
        f' [github] acknowledged_unprotected = "{name}" in the settings'
    )


def variable_drifts(hosting: Hosting, settings: Settings | None) -> Iterator[Drift]:
    """The switches: that they are there, and that each lies where only it should."""
    if isinstance(hosting.variables, Unread):
        return
    parts = ("actions", "variables")
    if TRADING_ENABLED not in hosting.variables:
        made = Call("POST", parts, {"name": TRADING_ENABLED, "value": "false"})
        yield Drift(
            f"variable {TRADING_ENABLED}",
            "not there",
            "there, `false` until a person says `true`",
            BY_SETUP,
            (made,),
        )
    has_environments = hosting.tier is not Tier.PRIVATE_FREE
    if has_environments and MODE_VARIABLE in hosting.variables:
        yield Drift(
            f"variable {MODE_VARIABLE}",
            "a variable of the repository",
            "one of the environment `live` alone",
            "delete it, GitHub → Settings → Secrets and variables → Actions → Variables",
        )
    if settings is not None:
        yield from _chosen(hosting, hosting.variables, settings, parts)
        has_client = APP_CLIENT in hosting.variables
        if has_client != (settings.github.bot_id != 0):
            yield Drift(
                "the App",
                f"{APP_CLIENT} is {'' if has_client else 'not '}there, [github] bot_id is"
                f" {settings.github.bot_id}",
                "both, or neither",
                f"set the variable {APP_CLIENT} and [github] bot_id together",
            )


def _chosen(
    hosting: Hosting, variables: Mapping[str, str], settings: Settings, parts: tuple[str, ...]
) -> Iterator[Drift]:
    """Which environment the workflows name: set only when nothing but main can use it.

    A job that names an environment which is not there makes it, open to every branch.
    """
    where, told = f"variable {ENVIRONMENT_VARIABLE}", variables.get(ENVIRONMENT_VARIABLE, "")
    observed = f"`{told}`" if told else "not set"
    if hosting.tier is Tier.PRIVATE_FREE:
        if told:
            remedy = "delete it, there are no environments on this plan"
            yield Drift(where, observed, "not set", remedy)
        return
    wanted = settings.mode.value
    if told == wanted:
        return
    calls: tuple[Call, ...] = ()
    if is_ready(hosting.environments[wanted]):
        body = {"name": ENVIRONMENT_VARIABLE, "value": wanted}
        known = ENVIRONMENT_VARIABLE in variables
        calls = (
            Call("PATCH", (*parts, ENVIRONMENT_VARIABLE), body)
            if known
            else Call("POST", parts, body),
        )
    remedy = BY_SETUP if calls else f"limit the environment {wanted} to main first, then set it"
    yield Drift(where, observed, f"`{wanted}`, the mode of the settings", remedy, calls)


def secret_drifts(hosting: Hosting, settings: Settings) -> Iterator[Drift]:
    """The keys by name: there for the mode of the settings, and out of reach of other branches."""
    wanted = list(BROKER_SECRETS) if settings.mode is not Mode.SIM else []
    wanted += [APP_KEY] if settings.github.bot_id else []
    open_to_all = frozenset() if isinstance(hosting.secrets, Unread) else hosting.secrets
    if hosting.tier is Tier.PRIVATE_FREE:
        missing = [one for one in wanted if one not in open_to_all]
        if missing and not isinstance(hosting.secrets, Unread):
            remedy = "add them, GitHub → Settings → Secrets and variables → Actions"
            yield Drift("repository secrets", f"without {', '.join(missing)}", NEEDED, remedy)
        return
    found = [one for one in (*BROKER_SECRETS, APP_KEY) if one in open_to_all]
    if found:
        yield Drift(
            "repository secrets",
            f"{', '.join(found)}: a workflow on any branch can read them",
            "secrets of an environment that only main may use",
            "make new keys, put them into the environment, delete these",
        )
    mode = settings.mode.value
    environment = hosting.environments[mode]
    if not isinstance(environment, Environment) or isinstance(environment.secrets, Unread):
        return
    missing = [one for one in wanted if one not in environment.secrets]
    if missing:
        remedy = f"add them, GitHub → Settings → Environments → {mode} → Environment secrets"
        yield Drift(
            f"environment {mode}: secrets", f"without {', '.join(missing)}", "there", remedy
        )


def live_drifts(hosting: Hosting, settings: Settings) -> Iterator[Drift]:
    """The agreements of live that GitHub holds."""
    if settings.mode is not Mode.LIVE:
        return
    refusal = unprotected_live(hosting.name, hosting.tier, settings.github.acknowledged_unprotected)
    if refusal is not None:
        observed, _, remedy = refusal.partition("; ")
        yield Drift("live", observed, "keys that only main can read", remedy)
    live = hosting.environments["live"]
    variables: Mapping[str, str] | Unread | None
    if hosting.tier is Tier.PRIVATE_FREE:
        where, variables = "the repository", hosting.variables
    else:
        where = "the environment live"
        variables = live.variables if isinstance(live, Environment) else None
    if variables is None or isinstance(variables, Unread):
        return
    told = variables.get(MODE_VARIABLE)
    if told != "live":
        yield Drift(
            f"variable {MODE_VARIABLE} of {where}",
            "not set" if told is None else f"`{told}`",
            "`live`, the third agreement of live",
            "set it by hand when money is meant to move",
        )
