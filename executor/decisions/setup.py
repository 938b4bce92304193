"""What the set-up on GitHub should be, held against what it is: each drift, and what mends it.

`setup` carries out the calls, `doctor` names the drifts. Nothing here turns trading on, handles a
key or loosens anything: that is left to a person, with the words for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from executor.decisions.commands_in_comments import HALT_LABEL
from executor.decisions.concerns import LABEL as PERSON_LABEL
from executor.decisions.enforcing import BY_SETUP, environment_drifts, ruleset_drifts
from executor.decisions.keys import live_drifts, secret_drifts, variable_drifts
from executor.model.forge import EXITS_LABEL, PLAN_LABEL
from executor.model.hosting import (
    ENVIRONMENTS,
    Call,
    Drift,
    Environment,
    Hosting,
    Tier,
    Unread,
)
from executor.model.settings import SETTINGS_PATH, Settings

CODEOWNERS_PATH: Final = ".github/CODEOWNERS"

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    PLAN_LABEL: ("0e8a16", "A plan: merging it is the approval to trade"),
    EXITS_LABEL: ("c2e0c6", "A plan that opens nothing"),
    HALT_LABEL: ("b60205", "Set on an issue: exits only from now on"),
    PERSON_LABEL: ("d93f0b", "Something that only a person can say"),
}
"""Color and meaning of each label that the workflows know."""

MERGING: Final[Mapping[str, bool | str]] = {
    "allow_merge_commit": True,
    "allow_squash_merge": False,
    "allow_rebase_merge": False,
    "allow_auto_merge": False,
    "merge_commit_title": "MERGE_MESSAGE",
    "merge_commit_message": "PR_TITLE",
}
"""Merge commits only, by a person and at once: so git alone shows what was approved.

The message is the title, which is of our template: a body may hold what an agent wrote.
"""


@dataclass(frozen=True, slots=True)
class OnMain:
    """What main says about its own set-up."""

    settings: Settings | None
    """None where they cannot be read."""
    fault: str | None = None
    """Why not, in a sentence."""
    settings_text: str = ""
    """The settings file as it is."""
    codeowners: str | None = None
    """The file that names who is asked for reviews; None where there is none."""
    rulesets: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """The rulesets as main's own files have them; None for one that is missing or no JSON."""


def drifts(hosting: Hosting, main: OnMain) -> tuple[Drift, ...]:
    """Every difference, in the order in which they are mended."""
    return tuple(_drifts(hosting, main))


def unread(hosting: Hosting) -> tuple[tuple[str, str], ...]:
    """What the token could not read, each with GitHub's answer."""
    found: dict[str, object] = {
        "merge settings": hosting.merging,
        "rulesets": hosting.rulesets,
        "labels": hosting.labels,
        "variables": hosting.variables,
        "repository secrets": hosting.secrets,
        "Actions permissions": hosting.actions_enabled,
        "rights of a workflow's token": hosting.rights,
        "who has access": hosting.members,
        "Pages": hosting.pages,
        "the App of bot_id": hosting.app,
    }
    found |= {f"account {number}": one for number, one in hosting.accounts.items()}
    for name, one in hosting.environments.items():
        found[f"environment {name}"] = one
        if isinstance(one, Environment):
            found[f"environment {name}: branches"] = one.policies
            found[f"environment {name}: secrets"] = one.secrets
            found[f"environment {name}: variables"] = one.variables
    if hosting.tier is Tier.PRIVATE_FREE:
        # There are none on this plan, whatever GitHub answers.
        found = {key: one for key, one in found.items() if not key.startswith("environment")}
        del found["rulesets"]
    told = [(key, one.why) for key, one in found.items() if isinstance(one, Unread)]
    if hosting.owner.kind == "Organization":
        told.append(("secrets and variables of the organization", "not asked for; look there"))
    if not isinstance(hosting.rulesets, Unread):
        hidden = [one.name for one in hosting.rulesets if "bypass_actors" not in one.document]
        told += [(f"ruleset {one}: who may bypass it", "not shown to this token") for one in hidden]
    return tuple(told)


def _drifts(hosting: Hosting, main: OnMain) -> Iterator[Drift]:
    settings = main.settings
    if settings is None:
        yield Drift(
            SETTINGS_PATH, main.fault or "not there", "settings that can be read", "repair it"
        )
    if hosting.default_branch != "main":
        remedy = "rename it, GitHub → Settings → General → Default branch"
        yield Drift("default branch", f"`{hosting.default_branch}`", "`main`", remedy)
    yield from _merging(hosting)
    yield from _actions(hosting, settings)
    yield from _labels(hosting)
    for name in ENVIRONMENTS:
        yield from environment_drifts(hosting, name)
    yield from ruleset_drifts(hosting, main.rulesets, settings)
    yield from variable_drifts(hosting, settings)
    if settings is not None:
        yield from _repository(hosting, settings, main.settings_text)
        yield from _accounts(hosting, settings)
        yield from _codeowners(hosting, settings, main.codeowners)
        yield from secret_drifts(hosting, settings)
        yield from live_drifts(hosting, settings)


def _merging(hosting: Hosting) -> Iterator[Drift]:
    if isinstance(hosting.merging, Unread):
        return
    seen = hosting.merging
    wrong = {key: value for key, value in MERGING.items() if seen.get(key) != value}
    if wrong.keys() & {"merge_commit_title", "merge_commit_message"}:
        # GitHub takes these two together only.
        wrong |= {key: value for key, value in MERGING.items() if key.startswith("merge_commit")}
    if wrong:
        observed = ", ".join(
            f"{key} is {_shown(seen.get(key))}"
            for key, value in wrong.items()
            if seen.get(key) != value
        )
        yield Drift(
            "merge settings",
            observed,
            "merge commits only, no auto-merge",
            BY_SETUP,
            (Call("PATCH", (), wrong),),
        )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _actions(hosting: Hosting, settings: Settings | None) -> Iterator[Drift]:
    if hosting.actions_enabled is False:
        remedy = "turn them on, GitHub → Settings → Actions → General"
        yield Drift("Actions", "off", "on", remedy)
    if isinstance(hosting.rights, Unread):
        return
    has_app = settings is not None and settings.github.bot_id != 0
    may_open = hosting.rights.may_open_pull_requests or not has_app
    wrong = []
    if hosting.rights.default != "read":
        wrong.append(f"a workflow's token may {hosting.rights.default} by default")
    if may_open != hosting.rights.may_open_pull_requests:
        wrong.append("Actions may not open pull requests")
    if wrong:
        body = {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": may_open,
        }
        yield Drift(
            "rights of a workflow's token",
            ", ".join(wrong),
            "read by default" + ("" if has_app else ", and Actions may open pull requests"),
            BY_SETUP,
            (Call("PUT", ("actions", "permissions", "workflow"), body),),
        )


def _labels(hosting: Hosting) -> Iterator[Drift]:
    if isinstance(hosting.labels, Unread):
        return
    missing = {key: one for key, one in LABELS.items() if key not in hosting.labels}
    if missing:
        calls = tuple(
            Call(
                "POST",
                ("labels",),
                {"name": name, "color": color, "description": meaning},
            )
            for name, (color, meaning) in missing.items()
        )
        named = ", ".join(f"`{name}`" for name in missing)
        yield Drift("labels", f"without {named}", "those the workflows know", BY_SETUP, calls)


def _repository(hosting: Hosting, settings: Settings, text: str) -> Iterator[Drift]:
    if settings.repository == hosting.name:
        return
    line = f'repository = "{hosting.name}"'
    mended, found = re.subn(r'(?m)^repository = "local"$', line, text)
    remedy = "`autoinvestor setup --apply` writes it, you commit it" if found else f"write `{line}`"
    writes = {SETTINGS_PATH: mended} if found else {}
    yield Drift(
        f"{SETTINGS_PATH}: repository",
        f"`{settings.repository}`",
        f"`{hosting.name}`",
        remedy,
        writes=writes,
    )


def _accounts(hosting: Hosting, settings: Settings) -> Iterator[Drift]:
    writers = {one.actor.id for one in hosting.writers()}
    for number in settings.approval.approvers:
        account = hosting.accounts.get(number)
        where = f"[approval] approvers: {number}"
        remedy = "take the number out, or let the account in as a collaborator who may write"
        if account is None:
            yield Drift(where, "no account has this number", "a person who may merge", remedy)
        elif isinstance(account, Unread):
            continue
        elif not account.is_person:
            observed = f"{account.login} is a {account.kind}"
            yield Drift(where, observed, "a person who may merge", remedy)
        elif not isinstance(hosting.members, Unread) and number not in writers:
            observed = f"{account.login} may not merge here"
            yield Drift(where, observed, "a person who may merge", remedy)
    bot = settings.github.bot_id
    if bot:
        account = hosting.accounts.get(bot)
        where, wanted = f"[github] bot_id: {bot}", "the account of an App's bot"
        if account is None:
            remedy = "write the bot's number, or 0 for GitHub Actions"
            yield Drift(where, "no account has this number", wanted, remedy)
        elif not isinstance(account, Unread) and account.kind != "Bot":
            remedy = "write the bot's number, or 0 for GitHub Actions"
            yield Drift(where, f"{account.login} is a {account.kind}", wanted, remedy)


def codeowners(hosting: Hosting, settings: Settings) -> str | None:
    """The file that has everybody asked who may approve; None where their names are not known."""
    people = [hosting.accounts.get(number) for number in settings.approval.approvers]
    people = people or [one.actor for one in hosting.writers()]
    known = [one for one in people if one is not None and not isinstance(one, Unread)]
    logins = sorted({one.login for one in known if one.is_person}, key=str.lower)
    if not logins or len(known) < len(people):
        return None
    owners = " ".join(f"@{login}" for login in logins)
    return (
        "# Made by `autoinvestor setup` from [approval] approvers: who is asked to look at every\n"
        f"# pull request. It grants nothing.\n* {owners}\n"
    )


def _codeowners(hosting: Hosting, settings: Settings, text: str | None) -> Iterator[Drift]:
    wanted = codeowners(hosting, settings)
    if wanted is None or wanted == text:
        return
    yield Drift(
        CODEOWNERS_PATH,
        "not there" if text is None else "names others",
        wanted.splitlines()[-1],
        "`autoinvestor setup --apply` writes it, you commit it",
        writes={CODEOWNERS_PATH: wanted},
    )
