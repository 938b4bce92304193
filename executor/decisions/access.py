"""Who could trade here and who can see it, said for the plan of the repository's owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from executor.decisions.enforcing import APPROVAL, HISTORY, is_ready
from executor.model.hosting import Hosting, Member, Tier, Unread
from executor.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Power:
    """One account, and what it could do about trades."""

    member: Member
    may: tuple[str, ...]


def powers(hosting: Hosting, settings: Settings | None) -> tuple[Power, ...]:
    """Everybody who can write, and what that comes to."""
    return tuple(Power(one, tuple(_may(hosting, settings, one))) for one in hosting.writers())


def _may(hosting: Hosting, settings: Settings | None, member: Member) -> list[str]:
    named = settings.approval.approvers if settings else ()
    found = []
    if not member.actor.is_person:
        found.append("approve nothing: it is no person")
    elif settings is not None and settings.approval_policy() == "none":
        found.append("execute plans without an approval: none is asked in this mode")
    elif not named or member.actor.id in named:
        found.append("approve plans of others")
    if not is_guarded(hosting, APPROVAL):
        found.append("change code and settings on main without a pull request")
    else:
        found.append("change code and settings on main by a pull request")
    if not keys_are_kept(hosting, settings):
        found.append("read the keys by a workflow on a branch")
    if member.access == "admin":
        found.append("change this set-up")
    return found


def is_guarded(hosting: Hosting, ruleset: str) -> bool:
    """True where a ruleset of that name was read and is in force."""
    found = hosting.ruleset(ruleset)
    return found is not None and found.is_active


def keys_are_kept(hosting: Hosting, settings: Settings | None) -> bool:
    """True where the mode's environment was read and nothing but main may use it."""
    if hosting.tier is Tier.PRIVATE_FREE or settings is None:
        return False
    return is_ready(hosting.environments[settings.mode.value])


def how_it_is_kept(hosting: Hosting, settings: Settings | None) -> Sequence[str]:
    """What stands between a push and a trade here, in sentences."""
    if hosting.tier is Tier.PRIVATE_FREE:
        return (
            "a private repository on GitHub Free: GitHub enforces nothing, so whoever can write can"
            " trade, by reading the keys with a workflow on any branch",
            "the executor still verifies each plan's approval through the API",
            OTHERS,
        )
    told = []
    if hosting.tier is Tier.UNKNOWN:
        told.append("what GitHub enforces on this plan was not read")
    kept = keys_are_kept(hosting, settings)
    told.append(
        "the mode's keys: out of reach of every branch but main"
        if kept
        else "the mode's keys: nothing was seen that keeps them from other branches"
    )
    told.append(
        "the history of main: neither rewritten nor deleted"
        if is_guarded(hosting, HISTORY)
        else "the history of main: no ruleset in force was seen, a force-push can rewrite it"
    )
    told.append(
        "code and settings: by pull request only"
        if is_guarded(hosting, APPROVAL)
        else "code and settings: whoever can write can push them to main, and main's code holds"
        " the keys; the ruleset `approval` takes an App"
    )
    return (*told, OTHERS)


OTHERS: Final = (
    "deploy keys that may write, and Apps and tokens of these people, act with their rights: GitHub"
    " → Settings → Deploy keys, GitHub Apps"
)
"""What the list of people leaves out."""


def who_sees(hosting: Hosting) -> Sequence[str]:
    """Who can see plans, positions and results, in sentences."""
    told = []
    if not hosting.is_private:
        told.append("everybody: the repository is public, with every plan, position and result")
    elif isinstance(hosting.members, Unread):
        told.append("collaborators, who were not read")
    else:
        people = sorted((one.actor.login for one in hosting.members), key=str.lower)
        told.append(f"collaborators: {', '.join(people) or 'nobody'}")
    if isinstance(hosting.pages, Unread):
        told.append("a site of Pages: not read whether there is one")
    elif hosting.pages == "public":
        told.append("everybody who knows its address: a site of Pages is public")
    elif hosting.pages == "private":
        told.append("who may read the repository: a site of Pages")
    if hosting.owner.kind == "Organization":
        told.append("owners of the organization, and members by its base permission: not read")
    told.append("GitHub, and every App and token that was given access: not listed by the API")
    return tuple(told)
