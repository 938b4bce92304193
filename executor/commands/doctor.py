"""Doctor: read the set-up on GitHub back, and say who could trade and who sees it."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Final

from executor.commands.review import summarized
from executor.console import Console
from executor.decisions.access import how_it_is_kept, powers, who_sees
from executor.decisions.concerns import LABEL, Concern, Notice, marked, steps
from executor.decisions.heartbeats import SILENT_INTERVALS, interval_of, silences
from executor.decisions.setup import OnMain, drifts, unread
from executor.errors import ForgeRefused, ForgeUnavailable
from executor.hosting import look, open_github, read_main
from executor.model.forge import Actor
from executor.model.hosting import TRADING_ENABLED, Unread
from executor.model.market import Session
from executor.ports import Book, Forge
from executor.repo.github_admin import GitHubAdmin
from executor.repo.github_forge import GitHubForge
from executor.reports.doctor import Health, Pulse, drift_lines, report_health
from executor.reports.reply import Reply
from executor.reports.telling import concern_body, over
from executor.wiring import is_on_runner, open_world

TICK: Final = "tick.yml"
TICK_PATH: Final = f".github/workflows/{TICK}"

CAUSE: Final = "drift"
"""By which the issue is known again."""

REMEDY: Final = (
    "`autoinvestor setup` on a clone shows what mends it, `--apply` does what can be done by"
    " itself. `doctor` keeps this issue up to date."
)

LOOKED_BACK: Final = timedelta(days=7)
"""How far back heartbeats are looked at: `doctor` runs once a week."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine; on a runner it also tells people what it found."""
    with open_world(options.repo) as world:
        main = read_main(world.book)
        with open_github(world.environment, main.settings) as api:
            forge = GitHubForge(api)
            switch = world.environment.get(TRADING_ENABLED)
            health = doctor(
                GitHubAdmin(api), forge, main, world.book, world.clock.now(), switch or None
            )
            reply = report_health(health)
            if is_on_runner(world.environment):
                summarized(world.environment, "doctor", reply)
                try:
                    keep_issue(forge, health)
                except (ForgeRefused, ForgeUnavailable) as error:
                    console.say(f"not told in an issue: {error}")
            return reply


def doctor(
    admin: GitHubAdmin,
    forge: Forge,
    main: OnMain,
    book: Book,
    now: datetime,
    switch: str | None = None,
) -> Health:
    """Everything that can be read of the set-up, judged; nothing is changed.

    Args:
        admin: reads the set-up.
        forge: lists the runs of the schedule.
        main: what main says of the set-up.
        book: the repository.
        now: the present.
        switch: whether trading is enabled, where a workflow says so: its token may not read that.

    Raises:
        ForgeUnavailable: GitHub does not answer.
        ForgeRefused: the repository itself cannot be read.
    """
    hosting = look(admin, main)
    if not isinstance(hosting.variables, Unread):
        switch = hosting.variables.get(TRADING_ENABLED, "")
    schedule = book.read(TICK_PATH, book.head())
    return Health(
        hosting=hosting,
        drifts=drifts(hosting, main),
        unread=unread(hosting),
        powers=powers(hosting, main.settings),
        kept=how_it_is_kept(hosting, main.settings),
        seen_by=who_sees(hosting),
        pulse=pulse(forge, schedule, now, switch, hosting.enabled_since),
        trading=_trading(switch),
    )


def pulse(
    forge: Forge,
    schedule: bytes | None,
    now: datetime,
    switch: str | None,
    enabled_since: datetime | None,
) -> Pulse:
    """The heartbeats of the last days, held against the market's sessions.

    Args:
        forge: lists the runs.
        schedule: the workflow file; None where there is none.
        now: the present.
        switch: `true` where trading is enabled; None where nobody told.
        enabled_since: since when, as far as it was told; otherwise the first run known tells it.
    """
    from executor.exchange.sessions import sessions_named

    interval = interval_of((schedule or b"").decode("utf-8", "replace"))
    if interval is None:
        return Pulse(not_looked=f"{TICK_PATH} has no schedule that can be read")
    if switch not in (None, "true"):
        return Pulse(not_looked="trading is not enabled")
    try:
        # As far back again, to see whether the schedule had begun by then.
        listed = forge.runs(TICK, now - 2 * LOOKED_BACK)
    except (ForgeRefused, ForgeUnavailable) as error:
        return Pulse(not_looked=str(error).partition("; ")[0])
    runs = [one.created_at for one in listed if one.conclusion in (None, "success")]
    begun = enabled_since or min(runs, default=None)
    if begun is None:
        return Pulse(
            not_looked=f"no run of it in {2 * LOOKED_BACK.days} days; look at Actions → tick"
        )
    since = max(now - LOOKED_BACK, begun)
    looked_at = [
        Session(max(one.opens, since), one.closes)
        for one in sessions_named("nyse").between(since.date(), now.date())
        if one.closes > since and one.opens < now
    ]
    found = silences(runs, looked_at, now, SILENT_INTERVALS * interval)
    return Pulse(silences=found, interval=interval, sessions=len(looked_at))


def _trading(switch: str | None) -> str:
    if switch is None:
        return f"whether trading is enabled was not read (variable {TRADING_ENABLED})"
    if switch == "true":
        return "trading is enabled"
    return f"trading is not enabled: the variable {TRADING_ENABLED} is not `true`"


def keep_issue(forge: Forge, health: Health) -> None:
    """One issue with what has drifted: opened, brought up to date, and closed once it is over.

    It stays open where something was not read: that is no sign that it is over.

    Raises:
        ForgeUnavailable: GitHub does not answer; the next run does it.
        ForgeRefused: the token may not write issues.
    """
    lines = drift_lines(health)
    judged: dict[str, Concern | None] = {}
    if lines:
        judged[CAUSE] = Concern(CAUSE, "The set-up on GitHub has drifted", lines, REMEDY)
    elif not health.unread and health.pulse.not_looked is None:
        judged[CAUSE] = None
    notices = []
    for one in forge.issues(LABEL):
        known = marked(one.body)
        if known is not None and known[0] == CAUSE:
            said = [each.body for each in forge.comments(one.number) if _is_bot(each.author)]
            told = [known[1], *(found[1] for body in said if (found := marked(body)))]
            notices.append(Notice(one.number, CAUSE, told[-1]))
    todo = steps(judged, notices)
    for concern in todo.opens:
        forge.open_issue(concern.title, concern_body(concern), (LABEL,))
    for number, concern in todo.updates:
        forge.say(number, concern_body(concern))
    for number in todo.closes:
        forge.say(number, over("doctor"))
        forge.close(number)


def _is_bot(author: Actor | None) -> bool:
    return author is not None and author.kind == "Bot"
