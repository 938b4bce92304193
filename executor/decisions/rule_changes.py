"""What a change to the repository does to the rules: scope for a pull request, old and new limits.

A pull request may change the rules, and says so; it may never write history, which is the
executor's. A plan's own pull request is judged by the checks `plan_scope` and `plan_unchanged`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from executor.model.evidence import PathChange
from executor.model.numbers import plain
from executor.model.paths import RULES, PathKind, kind_of
from executor.model.settings import SETTINGS_PATH

VALUE_MAX: Final = 200
"""Characters of a setting's value that are told."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting before and after."""

    key: str
    """With its table: `limits.position_max_pct`. Somebody else's word."""
    old: str | None
    """As it would be written; None where it was absent."""
    new: str | None


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What a change does to the rules."""

    settings: tuple[SettingChange, ...] = ()
    is_unreadable: bool = False
    """True where the new settings cannot be read, so that the last valid ones go on judging."""
    paths: tuple[str, ...] = ()
    """Code and workflows that it touches."""

    def __bool__(self) -> bool:
        """True where any rule changes."""
        return bool(self.settings or self.is_unreadable or self.paths)

    def counted(self) -> str:
        """`2 settings, 3 files of code`."""
        parts = []
        if self.settings:
            parts.append(_count(len(self.settings), "setting"))
        if self.is_unreadable:
            parts.append("settings that cannot be read")
        workflows = sum(kind_of(one) is PathKind.WORKFLOWS for one in self.paths)
        if workflows:
            parts.append(_count(workflows, "workflow file"))
        if len(self.paths) > workflows:
            parts.append(_count(len(self.paths) - workflows, "file") + " of code")
        return ", ".join(parts) or "formatting of the settings only"


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
) -> Scope:
    """Judge what a pull request touches.

    Args:
        changes: every path, against the commit that it branched from.
        from_fork: whether its branch lies in another repository.
        before: main's settings as read from TOML; None where they cannot be read.
        after: the pull request's.
    """
    kinds = frozenset(kind_of(one.path) for one in changes)
    return Scope(kinds, tuple(_problems(changes, kinds, from_fork)), rules(changes, before, after))


def rules(
    changes: Iterable[PathChange],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> RuleChanges:
    """Say what a change does to the rules."""
    touched = [one.path for one in changes]
    in_settings = SETTINGS_PATH in touched
    return RuleChanges(
        settings=settings_changes(before or {}, after) if in_settings and after is not None else (),
        is_unreadable=in_settings and after is None,
        paths=tuple(sorted(one for one in touched if kind_of(one) in _FILES)),
    )


_FILES: Final = RULES - {PathKind.SETTINGS}


def settings_changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[SettingChange, ...]:
    """Every setting that differs between two readings of the file, by name."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        SettingChange(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


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
