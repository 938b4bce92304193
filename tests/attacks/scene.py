"""A repository on the loopback GitHub, an exchange and people: the way of a plan in paper."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from executor.brokers.alpaca import AlpacaBroker
from executor.commands.execute import execute
from executor.errors import AutoInvestorError
from executor.exchange.engine import Exchange
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import sessions_named
from executor.model.digest import plan_digest
from executor.model.forge import ACTIONS_ID, MARKS, Mark, Proposed, digest_words
from executor.model.intent import Owner
from executor.model.ledger import Ledger
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.settings import SETTINGS_PATH, Settings
from executor.model.writing import write_document
from executor.ports import Book, Broker, Change
from executor.repo.github_api import GitHubApi
from executor.repo.github_book import GitHubBook, header_for
from executor.repo.github_forge import GitHubForge
from executor.repo.local_book import LocalBook
from executor.reports.reply import Reply
from executor.wiring import World
from tests.brokers.engine_transport import EngineTransport
from tests.fakes.clock import SimulatedClock
from tests.fakes.progress import Heard
from tests.forge import merging, moving
from tests.forge.faults import read_fault
from tests.forge.server import ForgeServer
from tests.forge.state import State
from tests.scratch import IMPATIENT, line, plan, shipped

NAME: Final = "octo-owner/invest"
START: Final = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
BOT, OWNER, WRITER, READER, STRANGER, APP = (
    f"{one}-token" for one in ("actions", "owner", "writer", "reader", "stranger", "app")
)
OWNER_ID, WRITER_ID, READER_ID, STRANGER_ID = 1001, 1002, 1003, 1004

RUNNER: Final = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": NAME, "GITHUB_TOKEN": BOT}
"""What tells a run that it is a workflow's."""

PAPER: Final = (
    ('mode = "sim"', 'mode = "paper"'),
    ('repository = "local"', f'repository = "{NAME}"'),
    ('number_ends_with = ""', 'number_ends_with = "0001"'),
)


class Scene:
    """What happens, one sentence a line; a minute passes before each act."""

    def __init__(self, server: ForgeServer, folder: Path, *changes: tuple[str, str]) -> None:
        self.server = server
        self.folder = folder
        self.clock = SimulatedClock(START)
        self.heard = Heard()
        self.exchange = Exchange(
            SeededPrices(14),
            sessions_named("always"),
            self.clock.now,
            Opening(account_number="PA0000001"),
            rate_limit=0,
        )
        self._apis: list[GitHubApi] = []
        self._proposals = 0
        self._runs = 0
        server.call(_let_the_bot_propose)
        self._tick()
        settings = shipped(*PAPER, *IMPATIENT, *changes).encode()
        self._person = folder / "person"
        self._git(folder, "init", "--quiet", "--initial-branch=main", str(self._person))
        self.commit({SETTINGS_PATH: settings, "README.md": b"A repository\n"}, "Begin")
        self.push("main")
        self._git(folder, "clone", "--quiet", server.git_url(NAME), str(folder / "runner"))

    def close(self) -> None:
        for one in self._apis:
            one.close()

    # Time, git and the API.

    def _tick(self, seconds: float = 60) -> None:
        self.clock.move_to(self.clock.now() + timedelta(seconds=seconds))
        now = self.clock.now()
        if self.server.state.base != "http://localhost":
            self.server.call(lambda state: state.clock.set(now))

    def passes(self, **time: float) -> None:
        """Let some time pass."""
        self._tick(timedelta(**time).total_seconds())

    def api(self, token: str, name: str = NAME) -> GitHubApi:
        """The API as somebody uses it."""
        made = GitHubApi(name, token, self.server.url)
        self._apis.append(made)
        return made

    def forge(self, token: str) -> GitHubForge:
        """The port as somebody uses it."""
        return GitHubForge(self.api(token))

    def _git(self, folder: Path, *arguments: str, author: str = "octo-writer") -> str:
        number = {"octo-owner": OWNER_ID, "octo-writer": WRITER_ID, "octo-stranger": STRANGER_ID}
        email = f"{number.get(author, ACTIONS_ID)}+{author}@users.noreply.github.com"
        person = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (
                ("NAME", author),
                ("EMAIL", email),
                ("DATE", self.clock.now().isoformat()),
            )
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**os.environ, **person, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def git(self, *arguments: str, author: str = "octo-writer") -> str:
        """Git in a person's clone."""
        return self._git(self._person, *arguments, author=author)

    def commit(
        self,
        writes: Mapping[str, bytes],
        message: str = "Change files",
        *,
        author: str = "octo-writer",
        removes: Sequence[str] = (),
    ) -> str:
        """Commit on the branch that a person is on; the new commit."""
        for path, data in writes.items():
            (self._person / path).parent.mkdir(parents=True, exist_ok=True)
            (self._person / path).write_bytes(data)
            self.git("add", "--force", "--", path)
        for path in removes:
            self.git("rm", "--quiet", "--", path)
        self.git("commit", "--quiet", "--allow-empty", "--message", message, author=author)
        return self.git("rev-parse", "HEAD")

    def push(self, ref: str, *options: str, by: str = OWNER, name: str = NAME) -> None:
        """Push a branch of a person's clone."""
        self._tick()
        url = self.server.git_url(name).replace("://", f"://x-access-token:{by}@")
        self.git("push", "--quiet", *options, url, f"HEAD:refs/heads/{ref}")

    def branch_off(self, branch: str, start: str = "main") -> None:
        """Take a branch of GitHub's into the person's clone, and go on from it."""
        self.git("fetch", "--quiet", self.server.git_url(NAME), f"+{start}:refs/remotes/hub/start")
        self.git("switch", "--quiet", "--force-create", branch, "refs/remotes/hub/start")

    @property
    def main(self) -> str:
        """The commit that main is at."""
        return str(self.server.call(lambda state: _bare(state).branch("main")))

    def head(self, number: int) -> str:
        """The head of a pull request."""
        found = self.forge(BOT).pull_request(number)
        assert found is not None, "it was opened"
        return found.head

    # What people and bots do.

    def proposes(
        self,
        document: Mapping[str, Any],
        *,
        by: str = BOT,
        also: Mapping[str, bytes] | None = None,
    ) -> int:
        """Open a pull request that adds a plan, by a commit through the API; its number."""
        self._tick()
        self._proposals += 1
        branch, forge = f"plan/{self._proposals}", self.forge(by)
        main = self.main
        forge.branch(branch, main)
        writes = {PLAN_PATH: write_document(document), **(also or {})}
        forge.commit_on(branch, Change("Propose a plan", writes), main)
        return forge.propose(Proposed("BUY 1", "A plan", branch)).number

    def opens(self, branch: str, *, by: str) -> int:
        """Open a pull request of a branch that was pushed."""
        self._tick()
        return self.forge(by).propose(Proposed("BUY 1", "A plan", branch)).number

    def edits(self, number: int, document: Mapping[str, Any], *, by: str) -> str:
        """Change the plan of a pull request as on the web; the new head."""
        self._tick()
        forge = self.forge(by)
        request = forge.pull_request(number)
        assert request is not None, "it was opened"
        change = Change("Change the plan", {PLAN_PATH: write_document(document)})
        return forge.commit_on(request.head_ref, change, request.head)

    def judged(
        self, number: int, *, of: Mapping[str, Any] | None = None, by: str = BOT, **states: Any
    ) -> None:
        """Let the statuses of a head be set: green, naming the plan that lies there."""
        self._tick()
        head = self.head(number)
        forge = self.forge(by)
        data = self.server.call(lambda state: _bare(state).read(head, PLAN_PATH))
        document = of if of is not None else read_document(data or b"{}", of_record=True)
        for context in MARKS:
            words = digest_words(plan_digest(document)) if context == MARKS[0] else "fine"
            state = states.get(context.removeprefix("plan/"), "success")
            if state is not None:
                forge.mark(head, Mark(context, state, words))

    def merges(self, number: int, *, by: str = OWNER, method: str = "merge") -> str:
        """Merge a pull request by the button; main afterwards."""
        self._tick()
        self.api(by).put("pulls", number, "merge", body={"merge_method": method})
        return self.main

    def approves(self, number: int, *, by: str = WRITER) -> None:
        """Approve the head of a pull request by a review."""
        self._tick()
        self.api(by).post("pulls", number, "reviews", body={"event": "APPROVE"})

    def takes_away(self, account: int) -> None:
        """Let somebody be no collaborator any more."""
        self.server.call(lambda state: _repository(state).roles.pop(account))

    def arms(self, number: int, *, by: str = OWNER) -> None:
        """Turn auto-merge on."""
        self._tick()

        def arm_it(state: State) -> None:
            found = _repository(state).pull(number)
            assert found is not None, "it was opened"
            moving.arm(state, found, state.tokens[by], "merge", "", "")

        self.server.call(arm_it)

    def merges_by_itself(self, number: int) -> None:
        """Let GitHub merge what was armed, in the name of whoever armed it."""
        self._tick()

        def merge_it(state: State) -> None:
            merging.merge_armed(state, _repository(state))

        self.server.call(merge_it)
        found = self.forge(BOT).pull_request(number)
        assert found is not None, "it was opened"
        assert found.is_merged, "nothing stood against it"

    def opens_from_a_fork(self, branch: str) -> int:
        """Push the branch that a person is on to a stranger's fork, and ask to merge it."""
        name = NAME.partition("/")[2]
        self.server.call(
            lambda state: state.add_repository(name, state.accounts[STRANGER_ID], parent=NAME)
        )
        fork = f"octo-stranger/{name}"
        self.push(branch, by=STRANGER, name=fork)
        return self.opens(f"octo-stranger:{branch}", by=STRANGER)

    def lets(self, *faults: Mapping[str, Any]) -> None:
        """Let GitHub misbehave in these ways, and in no others."""
        plan = self.server.forge.faults
        plan.clear()
        plan.add(*(read_fault(dict(one)) for one in faults))

    def dies_after_the_intent(self) -> None:
        """Run it until the intent is committed, and end the process there."""
        self._tick()
        with self.world() as world:
            dying = replace(world, book=_Dying(world.book))
            with contextlib.suppress(_Died):
                execute(dying, self.heard, submit=True)
        assert self.read(PLAN_PATH)["status"] == "validated"
        assert not self.orders

    def rewrites_the_intent(self, document: Mapping[str, Any]) -> None:
        """Put another intent in the place of the newest commit, as the bot would write it."""
        self._tick()
        trailers, parent = self.trailers(), self.before_main
        self.server.call(lambda state: _bare(state).set("refs/heads/main", parent))
        change = Change("Validate plan", {PLAN_PATH: write_document(document)}, trailers=trailers)
        self.forge(BOT).commit_on("main", change, parent)

    # What runs, and what came of it.

    @contextlib.contextmanager
    def world(self) -> Iterator[World]:
        """The ports of one run in a workflow."""
        self._runs += 1

        @contextlib.contextmanager
        def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
            yield AlpacaBroker(EngineTransport(self.exchange, self.clock), self.clock)

        forge = self.forge(BOT)
        with GitHubBook(
            self.folder / "runner",
            self.clock,
            forge,
            bot=lambda *_: ACTIONS_ID,
            secrets=header_for(self.server.url, BOT),
        ) as book:
            yield World(
                book=book,
                clock=self.clock,
                owner=Owner(run=str(self._runs), attempt=1),
                connect=connect,
                environment=RUNNER,
                forge=forge,
            )

    @contextlib.contextmanager
    def laptop(self) -> Iterator[World]:
        """The ports of a run on somebody's own machine, whose commits nobody signs."""
        folder = self.folder / "laptop"
        if not folder.exists():
            url = self.server.git_url(NAME).replace("://", f"://x-access-token:{OWNER}@")
            self._git(self.folder, "clone", "--quiet", url, str(folder))
        with self.world() as world, LocalBook(folder, self.clock) as book:
            yield replace(world, book=book, environment={}, forge=self.forge(OWNER))

    def executes_on_a_laptop(self) -> Reply:
        """Run `execute --submit` there."""
        self._tick()
        with self.laptop() as world:
            return execute(world, self.heard, submit=True)

    def executes(self) -> Reply:
        """Run `execute --submit` as the workflow does."""
        self._tick()
        with self.world() as world:
            return execute(world, self.heard, submit=True)

    def fails_to_execute(self) -> AutoInvestorError:
        """Run it, and give the error that it ends with."""
        try:
            reply = self.executes()
        except AutoInvestorError as error:
            return error
        raise AssertionError(f"it ended with {reply.data}")

    def executed(self) -> dict[str, Any]:
        """Run it to the end of the plan; the result on main."""
        reply = self.executes()
        assert reply.data.get("state") == "completed", reply.data
        return self.read(reply.data["result_path"])

    def refused(self, check: str, *words: str) -> dict[str, Any]:
        """Run it: a check says no in these words, nothing is sent, and the plan is archived."""
        reply = self.executes()
        assert reply.data.get("state") == "rejected", reply.data
        result = self.read(reply.data["result_path"])
        said = [
            f"{one['observed']}; limit: {one['limit']}"
            for one in result["verdicts"]
            if (one["check"], one["answer"]) == (check, "no")
        ]
        for word in words:
            assert any(word in one for one in said), f"{word!r} is not in {said}: {result}"
        assert not self.orders
        assert PLAN_PATH not in self.paths
        return result

    def waits(self) -> None:
        """Run it: the plan stays where it is, and nothing is sent."""
        main, sent = self.main, len(self.orders)
        reply = self.executes()
        assert reply.exit_code == 0
        assert reply.data.get("state") == "waiting", reply.data
        assert (self.main, len(self.orders)) == (main, sent)

    @property
    def orders(self) -> list[str]:
        """Client order ids of every order that the exchange ever had."""
        return [one.client_order_id for one in self.exchange.desk.orders.values()]

    @property
    def paths(self) -> list[str]:
        """Files on main."""
        main = self.main
        return [one[3] for one in self.server.call(lambda state: _bare(state).listing(main))]

    def read(self, path: str) -> dict[str, Any]:
        """A document on main."""
        main = self.main
        data = self.server.call(lambda state: _bare(state).read(main, path))
        assert data is not None, f"{path} is on main"
        return read_document(data, of_record=True)

    @property
    def before_main(self) -> str:
        """The first parent of main."""
        return self._parent(self.main)

    def _parent(self, commit: str) -> str:
        return str(self.server.call(lambda state: _bare(state).commit(commit).parents[0]))

    def trailers(self, back: int = 0) -> dict[str, str]:
        """The trailers of a commit on main, so many before its tip."""
        sha = self.main
        for _ in range(back):
            sha = self._parent(sha)
        message = self.server.call(lambda state: _bare(state).commit(sha).message)
        return dict(one.split(": ", 1) for one in message.splitlines()[1:] if ": " in one)


class _Died(BaseException):
    """The process is gone."""


class _Dying:
    """A book after whose next commit the process is gone."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    def commit(self, change: Change, expected: str) -> str:
        self._book.commit(change, expected)
        raise _Died


def _repository(state: State) -> Any:
    found = state.repository(NAME)
    assert found is not None, "it was made with the server"
    return found


def _let_the_bot_propose(state: State) -> None:
    _repository(state).workflow_permissions["can_approve_pull_request_reviews"] = True


def _bare(state: State) -> Any:
    return _repository(state).git


@contextlib.contextmanager
def on_github(folder: Path, *changes: tuple[str, str]) -> Iterator[Scene]:
    """A repository in paper on a loopback GitHub."""
    with ForgeServer(folder / "hub") as server:
        scene = Scene(server, folder, *changes)
        try:
            yield scene
        finally:
            scene.close()


def buying(quantity: object = 10, ticker: str = "MU", **keys: Any) -> dict[str, Any]:
    """A plan that buys."""
    return plan(line("BUY", ticker, quantity=quantity), **keys)
