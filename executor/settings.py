"""Reads `autoinvestor.toml`: bytes to frozen settings, or one error that names every remedy."""

from __future__ import annotations

import tomllib
from decimal import Decimal

from pydantic import ValidationError

from executor.decisions.document import problems_of
from executor.errors import UsageError
from executor.model.reading import SIZE_LIMIT
from executor.model.settings import SETTINGS_PATH, GithubSettings, Settings, limit_problems


def parse_settings(data: bytes, name: str = SETTINGS_PATH) -> Settings:
    """Read the settings file.

    Raises:
        UsageError: unreadable, an unknown key, a value out of its range, or a limit that is neither
            set nor acknowledged as off. All of them are named, one a line.
    """
    if len(data) > SIZE_LIMIT:
        raise UsageError(f"{name}: more than {SIZE_LIMIT:,} bytes; write one settings file")
    try:
        tree = tomllib.loads(data.decode("utf-8"), parse_float=Decimal)
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: not TOML: {error}; correct the syntax") from None
    except (ValueError, ArithmeticError, RecursionError):
        raise UsageError(f"{name}: a value cannot be read; write plain numbers and texts") from None
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise UsageError(
            _listed(name, [one.sentence() for one in problems_of(error, Settings)])
        ) from None
    problems = [*limit_problems(settings), *_zone_problems(settings.github.zone)]
    if problems:
        raise UsageError(_listed(name, problems))
    return settings


def _zone_problems(zone: str) -> list[str]:
    """Name a time zone that there is none of, before a comment has to be written in it."""
    if zone == GithubSettings.model_fields["zone"].default:
        return []
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return [f"github.zone: {zone}: no such time zone; write one such as Europe/Berlin"]
    return []


def _listed(name: str, problems: list[str]) -> str:
    return "\n".join(f"{name}: {problem}" for problem in problems)
