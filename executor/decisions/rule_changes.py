"""What a change to the repository does to the rules: scope for a pull request, old and new limits.

A pull request may change the rules, and says so; it may never write history, which is the
executor's. A plan's own pull request is judged by the checks `plan_scope` and `plan_unchanged`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from executor.model.evidence import PLAIN_FILE, PathChange
from executor.model.numbers import plain
from executor.model.paths import RULES, PathKind, kind_of
from executor.model.settings import SETTINGS_PATH

VALUE_MAX: Final = 200
"""Characters of a setting's value that are told."""


LOWER_IS_LOOSER: Final = frozenset(
    {
        "limits.market_order_pad_pct",
        "limits.price_floor_usd",
        "limits.session_edge_minutes",
        "limits.stop_distance_min_pct",
        "limits.stop_out_window_days",
    }
)
"""Limits that allow more when they are lower; every other one allows more when it is higher."""

LOOSE_VALUES: Final = {"margin.allowed": "true", "execution.require_stop": "false"}
"""Switches, and the value that allows more."""

FIRST_KEYS: Final = ("mode", "account.", "approval.")
"""What stands before every other change: whose money, and who says yes to it."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting before and after."""

    key: str
    """With its table: `limits.position_max_pct`. Somebody else's word."""
    old: str | None
    """As it would be written; None where it was absent."""
    new: str | None

    @property
    def loosens(self) -> bool | None:
        """True where it allows more than before, false for less; None where neither can be said."""
        if self.key in LOOSE_VALUES:
            return self.new == LOOSE_VALUES[self.key]
        old, new = _words(self.old), _words(self.new)
        match self.key:
            case "acknowledged_disabled":
                return bool(new - old)
            case "symbols.deny":
                return bool(old - new)
            case "symbols.allow":
                # An empty list allows every symbol.
                return not new or bool(old and new - old)
        if not self.key.startswith("limits."):
            return None
        before, after = _number(self.old), _number(self.new)
        if before is None or after is None:
            # A limit that is absent is off.
            return None if before is after else after is None
        return (after < before) is (self.key in LOWER_IS_LOOSER)

    @property
    def rank(self) -> int:
        """Place among others: whose money, what loosens, what tightens, the rest."""
        for place, start in enumerate(FIRST_KEYS):
            if self.key.startswith(start):
                return place
        return len(FIRST_KEYS) + {True: 0, False: 1, None: 2}[self.loosens]


def _words(told: str | None) -> frozenset[str]:
    return frozenset(re.findall('"([^"]*)"', told or ""))


def _number(told: str | None) -> Decimal | None:
    try:
        found = Decimal(told or "")
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What a change does to the rules."""

    settings: tuple[SettingChange, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Why main's code cannot read the new settings, so that the last valid ones would go on judging
    and nothing but exits would go; empty where it can."""
    paths: tuple[str, ...] = ()
    """Code and workflows that it touches."""

    def __bool__(self) -> bool:
        """True where any rule changes."""
        return bool(self.settings or self.unreadable or self.paths)

    def counted(self) -> str:
        """`2 settings, 3 files of code`."""
        parts = []
        if self.settings:
            parts.append(_count(len(self.settings), "setting"))
        if self.unreadable:
            parts.append("settings that cannot be read")
        workflows = sum(kind_of(one) is PathKind.WORKFLOWS for one in self.paths)
        if workflows:
            parts.append(_count(workflows, "workflow file"))
        owners = sum(kind_of(one) is PathKind.OWNERS for one in self.paths)
        if owners:
            parts.append(_count(owners, "file") + " of owners")
        code = len(self.paths) - workflows - owners
        if code:
            parts.append(_count(code, "file") + " of code")
        return ", ".join(parts) or "formatting of the settings only"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on main that changed the rules."""

    commit: str
    at: datetime
    subject: str
    """Somebody else's words."""


@dataclass(frozen=True, slots=True)
class RulesSince:
    """What changed of the rules since a plan was executed last."""

    since: datetime | None
    """When that was; None: nothing was executed yet, and nothing is listed."""
    commits: tuple[Commit, ...] = ()
    """The newest first."""
    has_more: bool = False
    changes: RuleChanges = field(default_factory=RuleChanges)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pull request touches, and whether it may."""

    kinds: frozenset[PathKind]
    problems: tuple[str, ...]
    """Why it may not, each in the house form."""
    rules: RuleChanges

    @property
    def carries_plan(self) -> bool:
        """True where the plan is among what it touches."""
        return PathKind.PLAN in self.kinds

    @property
    def changes_rules(self) -> bool:
        """True where settings, code or workflows are among what it touches."""
        return bool(self.kinds & RULES)


def judge_scope(
    changes: Sequence[PathChange],
    *,
    from_fork: bool,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    refused: Sequence[str] = (),
    rewrites: Sequence[str] = (),
) -> Scope:
    """Judge what a pull request touches.

    Args:
        changes: every path, against the commit that it branched from.
        from_fork: whether its branch lies in another repository.
        before: main's settings as read from TOML; None where they cannot be read.
        after: the pull request's.
        refused: what main's code cannot read of the pull request's settings.
        rewrites: what its commits do to the history on the way, in words.
    """
    kinds = frozenset(kind_of(one.path) for one in changes)
    found = rules(changes, before, after, refused)
    problems = [*_problems(changes, kinds, from_fork), *rewrites]
    # Code that comes along may know a setting that main's does not know yet.
    if found.unreadable and (after is None or PathKind.CODE not in kinds):
        problems.append(f"settings that cannot be read: {found.unreadable[0]}")
    return Scope(kinds, tuple(problems), found)


def rules(
    changes: Iterable[PathChange],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    refused: Sequence[str] = (),
) -> RuleChanges:
    """Say what a change does to the rules."""
    touched = [one.path for one in changes]
    in_settings = SETTINGS_PATH in touched
    return RuleChanges(
        settings=settings_changes(before or {}, after) if in_settings and after is not None else (),
        unreadable=(tuple(refused) or (() if after is not None else (NO_SETTINGS,)))
        if in_settings
        else (),
        paths=tuple(sorted(one for one in touched if kind_of(one) in _FILES)),
    )


NO_SETTINGS: Final = f"{SETTINGS_PATH}: no settings file that can be read"

_FILES: Final = RULES - {PathKind.SETTINGS}


def settings_changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[SettingChange, ...]:
    """Every setting that differs between two readings of the file, the weightiest first."""
    old, new = dict(_flat(before)), dict(_flat(after))
    found = [
        SettingChange(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    return tuple(sorted(found, key=lambda one: (one.rank, one.key)))


def _problems(
    changes: Sequence[PathChange], kinds: frozenset[PathKind], from_fork: bool
) -> Iterable[str]:
    written = [one.path for one in changes if kind_of(one.path) is PathKind.HISTORY]
    if written:
        yield _refusal(
            written, "history, account and state are the executor's to write", "take them out"
        )
    rewritten = [
        one.path for one in changes if kind_of(one.path) is PathKind.REVIEW and one.kind != "A"
    ]
    if rewritten:
        yield _refusal(rewritten, "a review that is there never changes", "add another one")
    odd = [
        one.path
        for one in changes
        if kind_of(one.path) in (PathKind.PLAN, PathKind.REVIEW)
        and one.mode not in (None, PLAIN_FILE)
    ]
    if odd:
        yield _refusal(
            odd, f"no plain file, mode {PLAIN_FILE}", "add it as one: no link, no program"
        )
    if PathKind.PLAN not in kinds:
        return
    if any(kind_of(one.path) is PathKind.PLAN and one.kind == "D" for one in changes):
        yield "it takes the plan off main; `autoinvestor withdraw` does, and keeps the record"
    if from_fork:
        yield "a plan from a fork; propose it from a branch of this repository"
    beside = [one.path for one in changes if kind_of(one.path) in RULES | {PathKind.OTHER}]
    if beside:
        yield _refusal(beside, "a plan brings nothing but its review", "propose the rest by itself")


def _refusal(paths: Sequence[str], limit: str, remedy: str) -> str:
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"{min(paths)}{more}: {limit}; {remedy}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, Mapping) and value:
            yield from _flat(value, name)
        else:
            yield name, _told(value)


def _told(value: object) -> str:
    """A value of TOML as one would write it."""
    match value:
        case bool():
            text = str(value).lower()
        case int() | Decimal():
            text = plain(value) if not isinstance(value, Decimal) or value.is_finite() else "nan"
        case str():
            text = f'"{value}"'
        case list():
            text = f"[{', '.join(map(_told, value))}]"
        case Mapping():
            text = f"{{{', '.join(f'{key} = {_told(one)}' for key, one in value.items())}}}"
        case datetime() | date() | time():
            text = value.isoformat()
        case _:
            text = str(value)
    return text if len(text) <= VALUE_MAX else text[: VALUE_MAX - 1] + "…"
