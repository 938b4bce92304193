"""Reads the repository's set-up on GitHub, and carries out the calls that change it.

What a token may not read becomes `Unread` with GitHub's answer; only the repository itself has to
be readable. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Final, Literal, TypeVar

from executor.errors import ForgeRefused, ForgeUnavailable
from executor.model.forge import Actor
from executor.model.hosting import (
    ENVIRONMENTS,
    TRADING_ENABLED,
    BranchPolicy,
    Call,
    Environment,
    Hosting,
    Member,
    Ruleset,
    Tier,
    Unread,
    WorkflowRights,
)
from executor.repo import github_shapes as shapes
from executor.repo.github_api import GitHubApi
from executor.repo.github_shapes import Shape, shape

A = TypeVar("A")

ROLES: Final = ("admin", "maintain", "write", "triage", "read")
"""From the most to the least."""

_PERMISSIONS: Final = {"push": "write", "pull": "read"}
"""GitHub's older words, where they differ from the roles."""

UPGRADE: Final = "upgrade to github"
"""How GitHub refuses, with 403, what a private repository on the plan Free does not have."""

_BOT: Final = "[bot]"


class GitHubAdmin:
    """The set-up of one repository."""

    def __init__(self, api: GitHubApi) -> None:
        """Ask and act through an API."""
        self._api = api

    def read(self, accounts: Collection[int] = (), bot: int = 0) -> Hosting:
        """Everything that the token may read of the set-up.

        Args:
            accounts: numbers of further accounts to look up.
            bot: number of the account of an App's bot; 0: none.

        Raises:
            ForgeUnavailable: GitHub does not answer.
            ForgeRefused: the repository itself cannot be read.
        """
        one = shape(self._api.get(), "repository")
        facts = shapes.repository(one)
        rulesets = _told(lambda: tuple(self._rulesets()))
        tier = tier_of(facts.is_private, rulesets)
        listed = _told(lambda: tuple(self._list("actions", "variables", key="variables")))
        has_environments = tier is not Tier.PRIVATE_FREE
        looked_up = {
            number: _told(partial(self._account, number))
            for number in sorted({*accounts, *([bot] if bot else [])})
        }
        return Hosting(
            name=facts.name,
            owner=facts.owner,
            is_private=facts.is_private,
            default_branch=facts.default_branch,
            tier=tier,
            may_administer=facts.permissions.get("admin", False),
            merging=_merging(one),
            environments={
                name: _told(partial(self._environment, name)) if has_environments else None
                for name in ENVIRONMENTS
            },
            rulesets=rulesets,
            labels=_told(lambda: frozenset(self._names("labels"))),
            variables=listed if isinstance(listed, Unread) else _values(listed),
            enabled_since=None if isinstance(listed, Unread) else _enabled_since(listed),
            secrets=_told(lambda: frozenset(self._names("actions", "secrets", key="secrets"))),
            actions_enabled=_told(lambda: self._shape("actions", "permissions").flag("enabled")),
            rights=_told(self._rights),
            members=_told(lambda: tuple(self._members())),
            pages=_told(self._pages),
            accounts=looked_up,
            app=self._app(looked_up[bot]) if bot else None,
        )

    def carry_out(self, call: Call) -> None:
        """Send one call, once.

        Raises:
            ForgeUnavailable: nobody knows whether it was done; read again.
            ForgeRefused: GitHub says no.
        """
        if call.method == "POST":
            self._api.post(*call.parts, body=call.body)
        elif call.method == "PUT":
            self._api.put(*call.parts, body=call.body)
        elif call.method == "PATCH":
            self._api.patch(*call.parts, body=call.body)
        else:
            self._api.delete(*call.parts)

    def _shape(self, *parts: str | int) -> Shape:
        return shape(self._api.get(*parts), "/".join(map(str, parts)))

    def _list(self, *parts: str, key: str | None = None) -> Iterator[Shape]:
        for one in self._api.pages(*parts, key=key):
            yield shape(one, "/".join(parts))

    def _names(self, *parts: str, key: str | None = None) -> Iterator[str]:
        return (one.text("name") for one in self._list(*parts, key=key))

    def _variables(self, *parts: str) -> Mapping[str, str]:
        return _values(self._list(*parts, "variables", key="variables"))

    def _rulesets(self) -> Iterator[Ruleset]:
        for listed in self._list("rulesets"):
            if listed.text_or_none("source_type") in (None, "Repository"):
                one = self._shape("rulesets", listed.number("id"))
                yield Ruleset(one.number("id"), one.tree)

    def _environment(self, name: str) -> Environment | None:
        try:
            one = self._shape("environments", name)
        except ForgeRefused as error:
            if error.status == 404:
                return None
            raise
        policy = one.part_or_none("deployment_branch_policy")
        is_limited = policy is not None and policy.flag("custom_branch_policies")
        place = ("environments", name)
        reviewers: list[tuple[str, int]] = []
        prevents, wait = False, 0
        for rule in one.parts("protection_rules") if "protection_rules" in one.tree else ():
            kind = rule.text("type")
            if kind == "wait_timer":
                wait = rule.number("wait_timer")
            elif kind == "required_reviewers":
                prevents = rule.flag("prevent_self_review")
                for reviewer in rule.parts("reviewers"):
                    whom = reviewer.part("reviewer").number("id")
                    reviewers.append((reviewer.text("type"), whom))
        return Environment(
            name=name,
            is_limited=is_limited,
            policies=_told(lambda: tuple(self._policies(name))) if is_limited else (),
            reviewers=tuple(reviewers),
            prevents_self_review=prevents,
            wait_minutes=wait,
            secrets=_told(lambda: frozenset(self._names(*place, "secrets", key="secrets"))),
            variables=_told(lambda: self._variables(*place)),
        )

    def _policies(self, name: str) -> Iterator[BranchPolicy]:
        place = ("environments", name, "deployment-branch-policies")
        for one in self._list(*place, key="branch_policies"):
            kind = one.text_or_none("type") or "branch"
            yield BranchPolicy(one.number("id"), one.text("name"), kind)

    def _rights(self) -> WorkflowRights:
        one = self._shape("actions", "permissions", "workflow")
        default = one.text("default_workflow_permissions")
        return WorkflowRights(default, one.flag("can_approve_pull_request_reviews"))

    def _members(self) -> Iterator[Member]:
        for one in self._list("collaborators"):
            who = shapes.actor(one)
            assert who is not None, "an account that is listed is there"
            yield Member(who, _access(one))

    def _pages(self) -> Literal["none", "private", "public"]:
        try:
            one = self._shape("pages")
        except ForgeRefused as error:
            if error.status == 404:
                return "none"
            raise
        return "public" if one.flag("public") else "private"

    def _account(self, number: int) -> Actor | None:
        try:
            return shapes.actor(shape(self._api.get("/", "user", number), f"user/{number}"))
        except ForgeRefused as error:
            if error.status == 404:
                return None
            raise

    def _app(self, bot: Actor | Unread | None) -> int | Unread:
        """The App whose bot an account is: its login is the App's name with `[bot]` behind it."""
        if isinstance(bot, Unread):
            return bot
        if bot is None or not bot.login.endswith(_BOT):
            return Unread("[github] bot_id is not the account of an App's bot")
        slug = bot.login.removesuffix(_BOT)
        return _told(lambda: shape(self._api.get("/", "apps", slug), f"apps/{slug}").number("id"))


def plan_tier(api: GitHubApi) -> tuple[str, Tier]:
    """The repository's name, and what GitHub enforces for it: two questions where it is private.

    A workflow's own token may ask them.

    Raises:
        ForgeUnavailable: GitHub does not answer.
        ForgeRefused: the repository cannot be read.
    """
    facts = shapes.repository(shape(api.get(), "repository"))
    if not facts.is_private:
        return facts.name, Tier.PUBLIC
    try:
        return facts.name, tier_of(True, api.get("rulesets"))
    except ForgeRefused as error:
        return facts.name, tier_of(True, Unread(str(error)))


def tier_of(is_private: bool, rulesets: object) -> Tier:
    """The tier, from whether the rulesets of a repository can be listed."""
    if not is_private:
        return Tier.PUBLIC
    if not isinstance(rulesets, Unread):
        return Tier.PRIVATE_PAID
    return Tier.PRIVATE_FREE if UPGRADE in rulesets.why.lower() else Tier.UNKNOWN


def _told(ask: Callable[[], A]) -> A | Unread:
    try:
        return ask()
    except (ForgeRefused, ForgeUnavailable) as error:
        return Unread(str(error).partition("; ")[0])


def _values(listed: Iterable[Shape]) -> Mapping[str, str]:
    return {one.text("name"): one.text_or_none("value") or "" for one in listed}


def _enabled_since(listed: Iterable[Shape]) -> datetime | None:
    switch = (one for one in listed if one.text("name") == TRADING_ENABLED)
    return next((one.moment_or_none("updated_at") for one in switch), None)


def _merging(one: Shape) -> Mapping[str, bool | str] | Unread:
    """How pull requests may be merged; GitHub tells it to those who may write only."""
    found = {
        key: value
        for key, value in one.tree.items()
        if key.startswith(("allow_", "merge_commit_")) and isinstance(value, (bool, str))
    }
    if "allow_merge_commit" not in found:
        return Unread("GitHub does not tell it to this token")
    return found


def _access(one: Shape) -> str:
    """The most that somebody may do: a role of an organization's own making has any name."""
    role = one.text_or_none("role_name")
    if role in ROLES:
        return role
    rights = one.part("permissions").tree
    held = {_PERMISSIONS.get(key, key) for key, value in rights.items() if value is True}
    return next((name for name in ROLES if name in held), "read")
