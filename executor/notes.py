"""Commits of results that are no execution; each is a link of the chain like any other."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from executor.checkpointing import with_checkpoint
from executor.decisions.notes import one_line, state_result
from executor.decisions.results import result_name
from executor.errors import AutoInvestorError, DocumentError, PersonNeeded, UsageError
from executor.history import RESULT
from executor.main_state import MainState
from executor.model.account import AccountRecord, Mode, short_number
from executor.model.digest import digest
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.model.settings import Settings, is_known_book
from executor.model.state import STATE_PATH, TradingStateRecord
from executor.model.writing import write_document
from executor.ports import Book, Change
from executor.record import free_path
from executor.repo.git import Git, GitFailed
from executor.wiring import SAME_MOMENT, is_on_runner, read_clock

STATE: Final = "Trading-State"
"""Trailer of a commit that changes the trading state."""

LOOKED_THROUGH: Final = 100
"""Commits with a result, newest first, among which one that can be read is looked for."""

WORD_MAX: Final = 200
REASON_MAX: Final = 2_000
"""Characters of a name and of a reason, as the documents allow."""


def commit_note(
    book: Book,
    main: MainState,
    result: ExecutionResult,
    *,
    subject: str,
    trailers: Mapping[str, str] | None = None,
    writes: Mapping[str, bytes] | None = None,
    deletes: tuple[str, ...] = (),
    in_spite_of_damage: bool = False,
) -> tuple[ExecutionResult, str]:
    """Commit a result on top of what main held; the result as written, and its commit.

    Args:
        book: the repository.
        main: main as it was read; the result names its newest one.
        result: without its place in the chain, which is filled in here.
        subject: one line from our own templates: nothing that an agent wrote.
        trailers: beside `Result`, which names the path.
        writes: other files of the same commit.
        deletes: paths that go with it.
        in_spite_of_damage: go on from what can be seen of a broken chain, and without settings.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
        PersonNeeded: the chain does not hold.
    """
    placed = result.model_copy(
        update={
            "previous_result_digest": _previous(book, main, in_spite_of_damage),
            "settings_digest": _settings_digest(main, in_spite_of_damage),
            "code_commit": main.head,
        }
    )
    data = write_document(placed)
    path = free_path(book, main.head, result_name(placed.timestamp), partial(_digest, data))
    change = Change(
        subject=subject,
        writes={path: data, **(writes or {})},
        deletes=deletes,
        trailers={**(trailers or {}), RESULT: path},
    )
    return placed, book.commit(with_checkpoint(main, change, path), main.head)


def _previous(book: Book, main: MainState, in_spite_of_damage: bool) -> str | None:
    try:
        newest = main.tip
    except PersonNeeded:
        if not in_spite_of_damage:
            raise
        return _last_written(book, main.head)
    return newest.digest if newest else None


def _last_written(book: Book, head: str) -> str | None:
    """Digest of the newest result as its own commit holds it, whatever became of the file since.

    A halt must be written on top of any damage; once that is undone, the chain is whole again.
    """
    for commit in book.with_trailer(RESULT, None, head, LOOKED_THROUGH):
        data = book.read(commit.trailers[RESULT], commit.commit)
        with suppress(DocumentError):
            if data is not None:
                return _digest(data)
    return None


def _settings_digest(main: MainState, in_spite_of_damage: bool) -> str | None:
    try:
        return main.in_force.digest
    except UsageError:
        if not in_spite_of_damage:
            raise
        return None


def _digest(data: bytes) -> str:
    return digest(read_document(data, of_record=True))


def commit_state(
    book: Book,
    main: MainState,
    state: TradingStateRecord,
    *,
    subject: str,
    mode: Mode | None,
    account: str | None,
    after: AccountRecord | None = None,
    in_spite_of_damage: bool = False,
) -> tuple[ExecutionResult, str]:
    """Commit a new trading state and its result together.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
    """
    return commit_note(
        book,
        main,
        state_result(state, mode=mode, account=account, after=after),
        subject=subject,
        trailers={STATE: str(state.state)},
        writes={STATE_PATH: write_document(state)},
        in_spite_of_damage=in_spite_of_damage,
    )


def commit_trip(
    book: Book, main: MainState, tripped: TradingStateRecord, after: AccountRecord
) -> tuple[ExecutionResult, str]:
    """Commit that a loss limit was reached; the result and its commit.

    Args:
        book: the repository.
        main: main as it was read.
        tripped: what `decisions.trips.trip` answered.
        after: the account that it was judged by.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
    """
    # The peak of this ledger stays where it was rebased, whatever another ledger's resume said.
    kept = tripped.model_copy(update={"peak_equity_rebased_at": main.ledger.rebased_at})
    return commit_state(
        book,
        main,
        kept,
        subject=f"Trip {tripped.by}: {tripped.state}",
        mode=after.mode,
        account=after.account,
        after=after,
    )


ACTOR_ID: Final = "GITHUB_ACTOR_ID"
"""On a runner, the number of the account that started the run."""


def refuse_no_approver(main: MainState, environment: Mapping[str, str]) -> None:
    """Refuse to take something over on a runner for whoever may not approve a plan either.

    Raises:
        PersonNeeded: the settings name approvers, and whoever started this run is none.
    """
    approvers = main.settings.approval.approvers
    if not approvers or not is_on_runner(environment):
        return
    started_by = environment.get(ACTOR_ID) or "nobody known"
    if started_by not in map(str, approvers):
        raise PersonNeeded(
            f"started by account {one_line(started_by, WORD_MAX)}: that takes an account that"
            " [approval] approvers names; let one of them start it"
        )


def person(folder: Path, environment: Mapping[str, str]) -> str:
    """Who is at the keyboard, by git's settings for a repository or else by the machine's.

    In at most 200 visible characters: `Alice <alice@example.com>`, or the user's name. On a runner
    nobody is, and it is who started the run: `alice (GitHub 1001)`.
    """
    if is_on_runner(environment) and (login := environment.get("GITHUB_ACTOR")):
        number = environment.get(ACTOR_ID)
        return one_line(f"{login} (GitHub {number})" if number else login, WORD_MAX)
    try:
        git = Git(folder)
        name, email = (_configured(git, key) for key in ("user.name", "user.email"))
    except AutoInvestorError:
        name = email = ""
    known = " ".join(part for part in (name, f"<{email}>" if email else "") if part)
    user = environment.get("LOGNAME") or environment.get("USER") or "somebody"
    return one_line(known, WORD_MAX) or one_line(user, WORD_MAX)


def _configured(git: Git, key: str) -> str:
    try:
        return git.text("config", "--get", key)
    except GitFailed:
        return ""


def stated(reason: str) -> str:
    """A reason from a command line, as one visible line.

    Raises:
        UsageError: there is nothing in it.
    """
    found = one_line(reason, REASON_MAX)
    if not found:
        raise UsageError("--reason: empty; say why in a sentence")
    return found


def refuse_other_present(main: MainState, story: str | None) -> None:
    """Refuse a present that was given on the command line where it may not be told.

    Raises:
        UsageError: the mode is not sim, or cannot be read, or a later result is there already.
    """
    if story is None:
        return
    read_clock(story, main.settings.mode)
    last, now = main.ledger.as_of, parse_timestamp(story)
    if last is not None and last - now > SAME_MOMENT:
        raise UsageError(
            f"--now lies before the last result, written {timestamp_text(last)}; take a later time"
        )


def refuse_other_account(main: MainState, account_number: str) -> None:
    """Refuse to write about an account that the settings do not name.

    Raises:
        PersonNeeded: the keys open another account, or outside sim the settings name none.
    """
    ending = main.settings.account.number_ends_with
    shown = short_number(account_number)
    if not ending and main.settings.mode is not Mode.SIM:
        raise PersonNeeded(
            f"account {shown}: the settings name none; set [account] number_ends_with to the last"
            " four of the account that is meant"
        )
    if not account_number.endswith(ending):
        raise PersonNeeded(
            f"account {shown}: the settings name the one whose number ends with {ending}; use that"
            " account's keys"
        )


def known_book(settings: Settings, book: str | None) -> str:
    """The book that something is taken over into; the settings' default where none is named.

    Raises:
        UsageError: no such book, or it is disabled.
    """
    name = settings.book_of(book)
    if not is_known_book(name, settings):
        known = sorted({settings.strategies.default, *settings.strategies.books})
        usable = [one for one in known if is_known_book(one, settings)]
        raise UsageError(
            f"--book {one_line(name, WORD_MAX)}: no book that is enabled; there is"
            f" {', '.join(usable)}"
        )
    return name
