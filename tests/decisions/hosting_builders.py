"""A set-up on GitHub with which nothing is wrong, for tests that change the one thing at stake."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from executor.decisions.enforcing import APPROVAL, HISTORY, approval_wanted
from executor.decisions.setup import LABELS, MERGING, OnMain, codeowners
from executor.model.forge import Actor
from executor.model.hosting import (
    BranchPolicy,
    Environment,
    Hosting,
    Member,
    Ruleset,
    Tier,
    Unread,
    WorkflowRights,
)
from executor.model.settings import Settings
from executor.settings import parse_settings
from tests.scratch import shipped

ROOT: Final = Path(__file__).parents[2]
NAME: Final = "octo/trading"

OLIVIA: Final = Actor(1001, "olivia")
WILLIAM: Final = Actor(1002, "William")
RITA: Final = Actor(1003, "rita")
BOT: Final = Actor(2001, "trader[bot]", "Bot")
APP: Final = 3001
"""The App whose bot `BOT` is."""

UNREAD: Final = Unread("refused with status 403")

FILES: Final = {
    name: json.loads((ROOT / ".github" / "rulesets" / f"{name}.json").read_text())
    for name in (HISTORY, APPROVAL)
}


def settings(*changes: tuple[str, str]) -> Settings:
    """The shipped settings, as the repository has them."""
    named = ('repository = "local"', f'repository = "{NAME}"')
    return parse_settings(shipped(named, *changes).encode())


PAPER: Final = (
    ('mode = "sim"', 'mode = "paper"'),
    ('number_ends_with = ""', 'number_ends_with = "1234"'),
)
LIVE: Final = (
    ('mode = "sim"', 'mode = "live"'),
    ('number_ends_with = ""', 'number_ends_with = "1234"'),
)
WITH_APP: Final = ("bot_id = 0", f"bot_id = {BOT.id}")


def environment(name: str, **changes: Any) -> Environment:
    """An environment that only main may use, with the keys."""
    made = Environment(
        name=name,
        is_limited=True,
        policies=(BranchPolicy(1, "main"),),
        secrets=frozenset({"ALPACA_API_KEY", "ALPACA_SECRET_KEY", "APP_PRIVATE_KEY"}),
        variables={"AUTOINVESTOR_MODE": "live"} if name == "live" else {},
    )
    return replace(made, **changes)


def ruleset(number: int, document: Any) -> Ruleset:
    """A ruleset as GitHub tells it: with what it adds by itself."""
    told = {"id": number, "source_type": "Repository", **document}
    return Ruleset(number, told)


def hosting(main: Settings | None = None, **changes: Any) -> Hosting:
    """A public repository in order, for the settings on its main."""
    main = main or settings()
    has_app = main.github.bot_id != 0
    rulesets = [ruleset(1, FILES[HISTORY])]
    if has_app:
        rulesets.append(ruleset(2, approval_wanted(FILES[APPROVAL], APP, main)))
    variables = {"TRADING_ENABLED": "true", "AUTOINVESTOR_ENVIRONMENT": main.mode.value}
    made = Hosting(
        name=NAME,
        owner=OLIVIA,
        is_private=False,
        default_branch="main",
        tier=Tier.PUBLIC,
        may_administer=True,
        merging=dict(MERGING),
        environments={name: environment(name) for name in ("sim", "paper", "live")},
        rulesets=tuple(rulesets),
        labels=frozenset(LABELS),
        variables=variables | ({"APP_CLIENT_ID": "Iv1"} if has_app else {}),
        secrets=frozenset(),
        actions_enabled=True,
        rights=WorkflowRights("read", not has_app),
        members=(Member(OLIVIA, "admin"), Member(WILLIAM, "write"), Member(RITA, "read")),
        pages="none",
        accounts={BOT.id: BOT} if has_app else {},
        app=APP if has_app else None,
    )
    return replace(made, **changes)


def private_free(main: Settings | None = None, **changes: Any) -> Hosting:
    """A private repository on GitHub Free: no environments and no rulesets."""
    bare: dict[str, Any] = {
        "is_private": True,
        "tier": Tier.PRIVATE_FREE,
        "environments": dict.fromkeys(("sim", "paper", "live")),
        "rulesets": Unread("refused with status 403: Upgrade to GitHub Pro"),
        "variables": {"TRADING_ENABLED": "true"},
    }
    return hosting(main, **bare | changes)


def on_main(main: Settings | None = None, **changes: Any) -> OnMain:
    """What main says of its own set-up, in order."""
    main = main or settings()
    made = OnMain(settings=main, codeowners=codeowners(hosting(main), main), rulesets=dict(FILES))
    return replace(made, **changes)
