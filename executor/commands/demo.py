"""Demo: the mission's story on the embedded exchange, in a scratch repository of its own.

A deployment, then the profit target: each plan is a branch that is validated, merged and executed.
Everything printed is computed by the run.
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from executor.commands.audit import audit_repository
from executor.commands.execute import execute
from executor.console import Console
from executor.errors import AutoInvestorError, ExitCode, UsageError
from executor.judge_commit import judge_commit
from executor.main_state import MainState
from executor.model.fields import timestamp_text
from executor.model.numbers import CENT, HUNDRED
from executor.model.plan import PLAN_PATH
from executor.model.review import StrategyReview
from executor.model.settings import SETTINGS_PATH
from executor.model.words import instant, percent, usd
from executor.model.writing import write_document
from executor.repo.git import Git, create_repository
from executor.repo.schema_files import template_settings
from executor.reports.blocks import Line
from executor.reports.reply import Reply
from executor.reviews import write_review
from executor.settings import parse_settings
from executor.wiring import EXCHANGE_URL, open_world

if TYPE_CHECKING:
    from executor.exchange.prices import PriceSource

START: Final = datetime(2026, 1, 14, 13, 45, tzinfo=UTC)
"""When the story begins: the mission's first plan."""

TARGET_PCT: Final = Decimal(15)
STORY_DAYS: Final = 120
"""How far the price path is searched for the target."""

WORKER: Final = {"NAME": "Demo", "EMAIL": "demo@localhost"}
"""Who writes and merges in the demo: the person that you are in your own repository."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--into",
        type=Path,
        default=None,
        metavar="DIR",
        help="where the scratch repository goes (default: .demo below --repo); made anew",
    )


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the story."""
    folder = (options.into or options.repo / ".demo").resolve()
    _clear(folder)
    story = _Story(folder, console)
    elsewhere = os.environ.pop(EXCHANGE_URL, None)
    try:
        # The story is one of the embedded exchange, wherever mode sim is pointed to.
        return story.tell()
    finally:
        if elsewhere is not None:
            os.environ[EXCHANGE_URL] = elsewhere


def _clear(folder: Path) -> None:
    """Take away an earlier demo; anything else is not ours to remove."""
    if not folder.exists():
        folder.mkdir(parents=True)
        return
    is_demo = (folder / ".git" / "autoinvestor-demo").is_file()
    if not is_demo and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty and no demo of ours; name another with --into DIR")
    shutil.rmtree(folder)
    folder.mkdir()


@dataclass
class _Story:
    """The demo's repository and the hand that works in it."""

    folder: Path
    console: Console

    def tell(self) -> Reply:
        from executor.exchange.prices import SeededPrices

        settings_data = template_settings()
        settings = parse_settings(settings_data)
        prices = SeededPrices(settings.sim.seed)
        self._init(settings_data)
        self._say("1. A strategy reviews the market and proposes to deploy capital", START)
        deployment = _deployment(START)
        deployed = self._cycle("plan/deploy-mu", deployment, START, "scheduled_4hour")
        bought = deployed["result"]["instructions"][0]
        entry, held = bought["average_fill_price"], bought["filled_quantity"]
        hit, price = _target_hit(prices, entry, START)
        gain = (price / entry - 1) * HUNDRED
        self._say(f"2. MU stands at {usd(price)}, {percent(gain)} over its entry: sell half", hit)
        selling = _profit_taking(hit, held, price)
        sold = self._cycle("plan/take-profit-mu", selling, hit, "profit_target_hit")
        return self._close(sold["result"], hit)

    def _init(self, settings_data: bytes) -> None:
        create_repository(self.folder)
        self._git = Git(self.folder)
        (self._git.git_folder / "autoinvestor-demo").write_text("made by `autoinvestor demo`\n")
        (self.folder / SETTINGS_PATH).write_bytes(settings_data)
        self._commit("Start from the template", START - timedelta(minutes=15))

    def _cycle(
        self, branch: str, plan: dict[str, Any], now: datetime, trigger: str
    ) -> dict[str, Any]:
        """One plan: a branch with plan and review, validated, merged, executed."""
        self._git.run("checkout", "--quiet", "-b", branch)
        review = self._review(plan, now, trigger)
        tree = {**plan, "review": review.relative_to(self.folder).as_posix()}
        (self.folder / PLAN_PATH).write_bytes(write_document(tree))
        self._commit(f"Propose: {plan['reason']}", now)
        self._shell(f"autoinvestor validate --ref {branch}", now)
        self._validate(branch, now)
        self._git.run("checkout", "--quiet", "main")
        self._shell(f"git merge --no-ff {branch}", None, "the merge is the approval")
        self._merge(branch, now + timedelta(minutes=5))
        self._shell("autoinvestor execute --submit", now + timedelta(minutes=6))
        reply = self._execute(now + timedelta(minutes=6))
        if reply.exit_code or "result" not in reply.data:
            raise AutoInvestorError(f"the demo's plan on {branch} was not executed; see above")
        return reply.data

    def _review(self, plan: dict[str, Any], now: datetime, trigger: str) -> Path:
        review = StrategyReview(
            timestamp=now,
            trigger=trigger,
            market_analysis=plan.get("market_context", {}),
            portfolio_state={},
            decision=plan["reason"],
            reasoning=plan["instructions"][0]["reason"],
            instructions_created=True,
            strategy="manual",
        )
        return write_review(self.folder, review)

    def _validate(self, branch: str, now: datetime) -> None:
        with open_world(self.folder, timestamp_text(now)) as world:
            reply = judge_commit(world, branch, world.book.resolve(branch))
        self.console.show(reply.blocks)
        if reply.exit_code:
            raise AutoInvestorError(f"the demo's plan on {branch} was refused; see above")

    def _execute(self, now: datetime) -> Reply:
        with open_world(self.folder, timestamp_text(now)) as world:
            reply = execute(world, self.console, submit=True)
        self.console.show(reply.blocks)
        return reply

    def _close(self, result: dict[str, Any], now: datetime) -> Reply:
        later = now + timedelta(minutes=7)
        self._shell("autoinvestor execute --submit", later, "again: nothing happens twice")
        again = self._execute(later)
        self._shell("autoinvestor audit", None)
        audited = audit_repository(self.folder, "main")
        self.console.show(audited.blocks[:3])
        self._shell("git log --oneline", None)
        log = self._git.text("log", "--oneline", "--first-parent")
        self.console.show(tuple(Line(f"  {line}") for line in log.splitlines()))
        with open_world(self.folder, timestamp_text(now)) as world:
            main = MainState(world.book, world.book.head())
            newest = main.chain.newest
        assert newest is not None, "the story wrote two results"
        realized = result["final_portfolio"]["realized_pl"]
        where = (
            Line(f"realized on the half that was sold: {usd(realized)}"),
            Line(""),
            Line("Where to look next", "good"),
            Line(f"  cd {_shown(self.folder)} && git log        the audit trail"),
            Line(f"  {newest.path}   the result, with every verdict"),
            Line(f"  {newest.result.archived_as}   the plan as it was executed"),
            Line(f"  {SETTINGS_PATH}   every limit, with its unit"),
            Line("  .venv/bin/autoinvestor --help   the commands, from the project's top folder"),
        )
        code = again.exit_code or audited.exit_code
        data = {
            "folder": str(self.folder),
            "realized_pl": realized,
            "result": newest.path,
            "log": log.splitlines(),
        }
        return Reply(ExitCode(code), data, where)

    def _commit(self, subject: str, when: datetime) -> None:
        self._git.run("add", "--all")
        self._git.run("commit", "--quiet", "-m", subject, environment=_person(when))

    def _merge(self, branch: str, when: datetime) -> None:
        arguments = ("merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", branch)
        self._git.run(*arguments, environment=_person(when))

    def _say(self, text: str, at: datetime) -> None:
        self.console.show((Line(""), Line(f"{text}  [{instant(at)}]", "good")))

    def _shell(self, command: str, at: datetime | None, remark: str = "") -> None:
        when = f" --now {instant(at)}" if at else ""
        comment = f"   # {remark}" if remark else ""
        self.console.show((Line(""), Line(f"$ {command}{when}{comment}", "faint")))


def _person(when: datetime) -> dict[str, str]:
    date = f"{int(when.timestamp())} +0000"
    return {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (*WORKER.items(), ("DATE", date))
    }


def _deployment(now: datetime) -> dict[str, Any]:
    """The mission's first plan."""
    return {
        "timestamp": timestamp_text(now),
        "strategy_type": "aggressive_momentum",
        "reason": "Deploy capital with a 15% profit target",
        "use_margin": True,
        "market_context": {"vix": Decimal("15.98"), "regime": "BULLISH"},
        "instructions": [
            {
                "action": "BUY",
                "ticker": "MU",
                "quantity": Decimal("84.48"),
                "order_type": "market",
                "reason": "HIGH conviction - explosive momentum",
                "target_allocation": Decimal(28_000),
                "profit_target_pct": TARGET_PCT,
                "stop_loss_pct": Decimal(8),
                "decision_price": Decimal("331.44"),
            }
        ],
        "status": "pending",
    }


def _profit_taking(now: datetime, held: Decimal, price: Decimal) -> dict[str, Any]:
    """The mission's second plan: half of what is held."""
    return {
        "timestamp": timestamp_text(now),
        "strategy_type": "profit_taking",
        "reason": "MU hit its +15% profit target - take profits on 50%",
        "instructions": [
            {
                "action": "SELL",
                "ticker": "MU",
                "quantity": (held / 2).quantize(CENT),
                "order_type": "market",
                "reason": "Profit taking: +15% target hit, sell 50%",
                "decision_price": price,
            }
        ],
        "status": "pending",
    }


def _target_hit(prices: PriceSource, entry: Decimal, since: datetime) -> tuple[datetime, Decimal]:
    """The first minute at which MU stands at the target, and its price there."""
    target = entry * (1 + TARGET_PCT / HUNDRED)
    moment = since
    while moment < since + timedelta(days=STORY_DAYS):
        moment += timedelta(minutes=1)
        price = prices.price("MU", moment)
        if price is not None and price >= target:
            return moment, price
    raise AutoInvestorError(f"MU does not reach its target within {STORY_DAYS} days of the path")


def _shown(folder: Path) -> str:
    return folder.name if folder.parent == Path.cwd() else str(folder)
