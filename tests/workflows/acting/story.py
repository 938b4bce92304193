"""A repository on the loopback GitHub, an exchange, and workflows that really run on both."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from executor.exchange.engine import Exchange
from executor.exchange.opening import Opening
from executor.exchange.prices import DEFAULT_SEED, SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import sessions_named
from executor.model.reading import read_document
from tests.forge.actions import add_run
from tests.forge.server import ForgeServer
from tests.forge.state import State
from tests.scratch import shipped
from tests.workflows.acting.github import REPOSITORY, Finished, Hub, Person
from tests.workflows.acting.runner import HERE, Runner
from tests.workflows.files import ROOT

SHARED: Final = ("executor", "schemas", ".github")
FILES: Final = ("Makefile", "requirements.txt", "pyproject.toml", ".gitignore", "README.md")

SETTINGS: Final = (
    ('mode = "sim"', 'mode = "paper"'),
    ('number_ends_with = ""', f'number_ends_with = "{Opening().account_number[-4:]}"'),
    ('repository = "local"', f'repository = "{REPOSITORY}"'),
    # The exchange's session is the UTC day; its edges are no matter of these tests.
    ("session_edge_minutes = 5", "session_edge_minutes = 0"),
    ("fill_deadline_seconds = 60", "fill_deadline_seconds = 3"),
    ("poll_interval_seconds = 0.5", "poll_interval_seconds = 0.05"),
)


VARIABLES: Final = {"TRADING_ENABLED": "true", "AUTOINVESTOR_ENVIRONMENT": "paper"}
KEYS: Final = {"ALPACA_API_KEY": "paper-key", "ALPACA_SECRET_KEY": "paper-secret"}


@dataclass
class Story:
    """Everything that one test needs."""

    folder: Path
    server: ForgeServer
    exchange: ThreadedServer
    hub: Hub
    owner: Person
    writer: Person
    reader: Person

    # What people and agents do.

    def agent_proposes(self, plan: Mapping[str, Any] | None) -> None:
        """What the agent of the next review hands over; None: the built-in one holds."""
        proposal = self.folder / "proposal.json"
        proposal.unlink(missing_ok=True)
        if plan is not None:
            proposal.write_text(json.dumps({"plan": plan, "review": review(plan)}))

    def review(self, strategy: str = "") -> list[Finished]:
        """A person asks for a review."""
        self.owner.dispatch("review.yml", reason="a person asks", strategy=strategy)
        return self.hub.settle()

    def pushes(self, branch: str, files: Mapping[str, str], title: str) -> int:
        """A person pushes a branch by git and opens a pull request; its number."""
        place = self.folder / f"by-hand-{branch.replace('/', '-')}"
        git(self.folder, "clone", "--quiet", self.git_url("writer-token"), str(place))
        git(place, "checkout", "--quiet", "-b", branch)
        for path, text in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text)
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "--message", title)
        git(place, "push", "--quiet", "origin", branch)
        body = {"title": title, "head": branch, "base": "main", "body": "by hand"}
        return int(self.writer.ask("POST", "pulls", body)["number"])

    def git_url(self, token: str) -> str:
        """Where somebody clones from."""
        return self.server.git_url(REPOSITORY).replace("http://", f"http://{token}@")

    def order_by_hand(self, symbol: str, client_order_id: str) -> None:
        """Somebody orders at the broker's own page, far from the market."""
        order = {
            "symbol": symbol,
            "side": "buy",
            "qty": "1",
            "client_order_id": client_order_id,
            "type": "limit",
            "limit_price": "50",
            "time_in_force": "gtc",
        }
        request = urllib.request.Request(
            f"{self.exchange.url}/v2/orders",
            method="POST",
            data=json.dumps(order).encode(),
            headers={
                "APCA-API-KEY-ID": KEYS["ALPACA_API_KEY"],
                "APCA-API-SECRET-KEY": KEYS["ALPACA_SECRET_KEY"],
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200, answer.status

    # What there is to see.

    @property
    def bare(self) -> Path:
        return self.folder / "bare.git"

    @property
    def subjects(self) -> list[str]:
        """Main's commits, the newest first."""
        return git(self.bare, "log", "--first-parent", "--format=%s", "main").splitlines()

    @property
    def message(self) -> str:
        """The whole message of main's newest commit."""
        return git(self.bare, "log", "-1", "--format=%B", "main")

    def paths(self, folder: str) -> list[str]:
        """Files on main below a folder."""
        return git(self.bare, "ls-tree", "-r", "--name-only", "main", folder).splitlines()

    def read(self, path: str) -> dict[str, Any]:
        """A document on main."""
        return read_document(git(self.bare, "cat-file", "blob", f"main:{path}").encode())

    @property
    def results(self) -> list[dict[str, Any]]:
        """Every result on main, first to newest."""
        found = [self.read(path) for path in self.paths("execution_results/") if "result_" in path]
        return sorted(found, key=lambda one: str(one["timestamp"]))

    @property
    def open_pulls(self) -> list[dict[str, Any]]:
        """Open pull requests, the oldest first."""
        found: list[dict[str, Any]] = self.owner.ask("GET", "pulls?state=open&base=main")
        return sorted(found, key=lambda one: int(one["number"]))

    def pull(self, number: int) -> dict[str, Any]:
        """One pull request."""
        found: dict[str, Any] = self.owner.ask("GET", f"pulls/{number}")
        return found

    def marks(self, number: int) -> dict[str, str]:
        """The newest state of each status of a pull request's head."""
        head = self.pull(number)["head"]["sha"]
        found = self.owner.ask("GET", f"commits/{head}/statuses")
        return {one["context"]: one["state"] for one in reversed(found)}

    def comments(self, number: int) -> list[str]:
        """What was said on a pull request or an issue."""
        return [one["body"] for one in self.owner.ask("GET", f"issues/{number}/comments")]

    @property
    def orders(self) -> list[tuple[str, str, str]]:
        """Symbol, side and status of every order that the exchange ever had."""
        return self.exchange.call(
            lambda one: [
                (order.ticket.symbol, order.ticket.side, order.status)
                for order in one.desk.orders.values()
            ]
        )

    @property
    def calls(self) -> list[str]:
        """The verbs that jobs have called."""
        return (self.folder / "calls").read_text().split()


@contextlib.contextmanager
def story(folder: Path, *changes: tuple[str, str]) -> Iterator[Story]:
    """Everything, while the block lasts; with other settings where texts are to be replaced."""
    bare = folder / "bare.git"
    _found(bare, changes)
    for name in ("home", "summaries", "artifacts"):
        (folder / name).mkdir()
    exchange = Exchange(
        SeededPrices(DEFAULT_SEED),
        sessions_named("always"),
        lambda: datetime.now(UTC),
        Opening(),
        keys=(KEYS["ALPACA_API_KEY"], KEYS["ALPACA_SECRET_KEY"]),
        rate_limit=0,
    )
    with ForgeServer(folder, path=bare) as server, ThreadedServer(exchange) as market:
        server.call(_permit)
        runner = Runner(folder, _environment(folder, server, market), dict(VARIABLES), KEYS)
        people = [Person(server, f"{one}-token") for one in ("owner", "writer", "reader")]
        yield Story(folder, server, market, Hub(server, runner), *people)


def _permit(state: State) -> None:
    """What `autoinvestor setup` asks for; and the doctor has been here this week."""
    repository = state.repository(REPOSITORY)
    assert repository is not None, "the forge was set up with it"
    repository.workflow_permissions["can_approve_pull_request_reviews"] = True
    # A private repository on a paid plan: there, what a job reads needs a right as well.
    repository.is_private, repository.plan = True, "pro"
    head = repository.git.branch("main")
    assert head is not None, "the template is on main"
    looked = add_run(state, repository, "doctor.yml", "schedule", head, "doctor", repository.owner)
    looked.status, looked.conclusion = "completed", "success"


def _environment(folder: Path, server: ForgeServer, market: ThreadedServer) -> dict[str, str]:
    return {
        "GITHUB_API_URL": server.url,
        "GITHUB_GRAPHQL_URL": f"{server.url}/graphql",
        "GITHUB_SERVER_URL": server.url,
        "GITHUB_REPOSITORY": REPOSITORY,
        "STANDIN_MARKET": market.url,
        "STANDIN_ELSEWHERE": str(HERE / "elsewhere"),
        "STANDIN_AUTOINVESTOR": str(HERE / "autoinvestor.sh"),
        "STANDIN_PYTHON": sys.executable,
        # Beside this test's folder: tests of one worker share what is compiled.
        "STANDIN_CODE": str(folder.parent / "code"),
        "STANDIN_CALLS": str(folder / "calls"),
        "STANDIN_PROPOSAL": str(folder / "proposal.json"),
        "STANDIN_SUMMARIES": str(folder / "summaries"),
        "STANDIN_ARTIFACTS": str(folder / "artifacts"),
        "STANDIN_APP_TOKEN": "app-token",
    }


def _found(bare: Path, changes: tuple[tuple[str, str], ...]) -> None:
    """A repository as a copy of this one begins: its code, its workflows, and settings."""
    template = bare.parents[1] / "template"
    if not template.exists():  # one for all tests of a worker: only the settings differ
        _copy(template)
    git(template, "clone", "--quiet", "--bare", str(template), str(bare))
    (bare.parent / "settings").write_text(shipped(*SETTINGS, *changes))
    blob = git(bare, "hash-object", "-w", str(bare.parent / "settings"))
    git(bare, "read-tree", "main")
    git(bare, "update-index", "--add", "--cacheinfo", f"100644,{blob},autoinvestor.toml")
    tree = git(bare, "write-tree")
    commit = git(bare, "commit-tree", tree, "-p", "main", "-m", "Set mode, account and deadlines")
    git(bare, "update-ref", "refs/heads/main", commit)


def _copy(place: Path) -> None:
    """Commit what this checkout holds."""
    place.mkdir()
    for name in SHARED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, place / name)
    git(place, "init", "--quiet", "--initial-branch=main")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "Start from the template")


def git(place: Path, *words: str) -> str:
    """Run git as the writer; what it printed."""
    done = subprocess.run(
        [
            *("git", "-c", "user.name=William Writer"),
            *("-c", "user.email=1002+octo-writer@users.noreply.github.com", *words),
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def review(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The review that a plan comes from."""
    return {
        "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "trigger": "manual",
        "market_analysis": {"vix": 15.98},
        "portfolio_state": {},
        "decision": "BUY",
        "reasoning": str(plan.get("reason", "because")),
        "instructions_created": True,
    }
