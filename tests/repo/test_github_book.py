"""What only GitHub has: answers that get lost, a main that lags, others who write, signatures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from executor.errors import BookUnavailable, ForgeRefused, ForgeUnavailable, SwapLost
from executor.model.forge import Proposed
from executor.model.plan import PLAN_PATH
from executor.ports import Change
from executor.repo.github_api import GitHubApi
from executor.repo.github_book import LOOKS, GitHubBook, header_for
from executor.repo.github_forge import GitHubForge
from executor.repo.local_book import LocalBook
from tests.forge.rig import Api
from tests.forge.state import APP_BOT, State
from tests.repo.book_rigs import NAME, TOKEN, GitHubRig, git, github_rig

RESULT = "execution_results/2026-01/result_2026-01-14T17-00-00.json"
ARCHIVE = "trading_instructions_history/2026-01/instructions_2026-01-14T17-00-00.json"

VALIDATE = Change(
    "Validate plan 0a0a0a0a: BUY 1",
    {PLAN_PATH: b"validated\n"},
    trailers={"Plan-Digest": "0a" * 32, "Step": "validated", "Owner": "1/1"},
)
END = Change(
    "Complete plan 0a0a0a0a: 1 of 1 filled",
    {ARCHIVE: b"archived\n", RESULT: b"result\n"},
    deletes=(PLAN_PATH,),
    trailers={"Plan-Digest": "0a" * 32, "Step": "completed", "Result": RESULT},
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[GitHubRig]:
    with github_rig(tmp_path) as made:
        made.push({PLAN_PATH: "pending\n"})
        yield made


@pytest.fixture
def book(rig: GitHubRig) -> Iterator[GitHubBook]:
    with rig.open() as opened:
        assert isinstance(opened, GitHubBook)
        yield opened


def commits_sent(rig: GitHubRig) -> int:
    return len(rig.sent("POST", "/graphql"))


def test_a_step_is_one_commit_of_githubs_on_top_of_what_was_read(
    rig: GitHubRig, book: GitHubBook
) -> None:
    head = book.head()
    first = book.commit(VALIDATE, head)
    second = book.commit(END, first)
    assert commits_sent(rig) == 2
    told = book.last_change(RESULT, second)
    assert told is not None
    assert (told.commit, told.parents, told.subject) == (second, (first,), END.subject)
    assert told.trailers == END.trailers
    assert git(rig.folder, "log", "-1", "--format=%an|%cn|%B", second).splitlines() == [
        f"github-actions[bot]|GitHub|{END.subject}",
        "",
        *(f"{key}: {value}" for key, value in END.trailers.items()),
    ]


def test_the_clone_of_the_runner_stays_as_it_was(rig: GitHubRig, book: GitHubBook) -> None:
    before = git(rig.folder, "rev-parse", "main", "HEAD"), sorted(rig.folder.iterdir())
    book.tidy()
    new = book.commit(VALIDATE, book.head())
    assert book.read(PLAN_PATH, new) == b"validated\n"
    assert (git(rig.folder, "rev-parse", "main", "HEAD"), sorted(rig.folder.iterdir())) == before
    assert git(rig.folder, "status", "--porcelain") == ""


def test_a_branch_of_the_clone_that_is_elsewhere_is_nobodys_business(
    rig: GitHubRig, book: GitHubBook
) -> None:
    git(rig.folder, "checkout", "--quiet", "--detach")
    git(rig.folder, "branch", "--quiet", "-D", "main")
    head = book.head()
    assert book.resolve("main") == head
    assert book.read(PLAN_PATH, book.commit(VALIDATE, head)) == b"validated\n"


# Lost answers.

LOST = ("bad_gateway_after", "drop_after", "truncated", "not_json")
NEVER = ("bad_gateway_before", "drop_before", "server_error", "secondary_rate_limit", "rate_limit")


@pytest.mark.parametrize("kind", LOST)
def test_a_commit_whose_answer_was_lost_is_found_on_main(
    rig: GitHubRig, book: GitHubBook, kind: str
) -> None:
    head = book.head()
    rig.fault(kind, method="POST", path="/graphql")
    new = book.commit(VALIDATE, head)
    assert commits_sent(rig) == 1
    assert book.head() == new
    assert book.read(PLAN_PATH, new) == b"validated\n"
    assert git(rig.folder, "rev-parse", f"{new}^") == head


@pytest.mark.parametrize("kind", NEVER)
def test_a_commit_that_never_arrived_is_none(rig: GitHubRig, book: GitHubBook, kind: str) -> None:
    head = book.head()
    rig.fault(kind, method="POST", path="/graphql")
    with pytest.raises(BookUnavailable, match="the commit may not have been made"):
        book.commit(VALIDATE, head)
    assert commits_sent(rig) == 1
    assert book.head() == head


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after"])
def test_a_commit_that_github_is_silent_about_is_looked_for(rig: GitHubRig, kind: str) -> None:
    api = GitHubApi(NAME, TOKEN, rig.server.url, read_seconds=0.5)
    with rig.open(forge=GitHubForge(api)) as book:
        head = book.head()
        rig.fault(kind, method="POST", path="/graphql")
        if kind == "timeout_after":
            assert book.commit(VALIDATE, head) == book.head() != head
        else:
            with pytest.raises(BookUnavailable, match=r"no answer within 0\.5 s; run again"):
                book.commit(VALIDATE, head)
            assert book.head() == head
    assert commits_sent(rig) == 1
    api.close()


class Beside:
    """A forge beside which something happens once, right before or after a commit."""

    def __init__(self, rig: GitHubRig, *, loses: bool, before: bool, writes: str) -> None:
        self._rig, self._loses, self._before, self._writes = rig, loses, before, writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._rig.forge, name)

    def commit_on(self, branch: str, change: Change, expected: str) -> str:
        if self._before:
            self._rig.push({self._writes: "theirs\n"})
        try:
            made = self._rig.forge.commit_on(branch, change, expected)
        except SwapLost:
            if self._loses:
                raise ForgeUnavailable("GitHub: no answer; run again") from None
            raise
        if not self._before:
            self._rig.push({self._writes: "theirs\n"})
        if self._loses:
            raise ForgeUnavailable("GitHub: no answer; run again")
        return made


@pytest.mark.parametrize("loses", [False, True])
def test_of_two_writers_who_race_one_loses_and_goes_on_from_there(
    rig: GitHubRig, loses: bool
) -> None:
    beside = Beside(rig, loses=loses, before=True, writes="notes.txt")
    with rig.open(forge=beside) as book:  # type: ignore[arg-type]
        head = book.head()
        with pytest.raises(SwapLost):
            book.commit(VALIDATE, head)
        theirs = git(rig.person, "rev-parse", "main")
        assert book.head() == theirs
        assert book.read(PLAN_PATH, theirs) == b"pending\n"


@pytest.mark.parametrize("loses", [False, True])
@pytest.mark.parametrize("writes", ["notes.txt", PLAN_PATH])
def test_a_commit_under_somebody_elses_is_still_ours(
    rig: GitHubRig, loses: bool, writes: str
) -> None:
    beside = Beside(rig, loses=loses, before=False, writes=writes)
    with rig.open(forge=beside) as book:  # type: ignore[arg-type]
        head = book.head()
        new = book.commit(VALIDATE, head)
        theirs = git(rig.person, "rev-parse", "main")
        assert git(rig.folder, "rev-parse", f"{theirs}^") == new
        assert book.head() == theirs
        assert book.read(PLAN_PATH, new) == b"validated\n"


@pytest.mark.parametrize(
    "other",
    [
        replace(VALIDATE, subject="Validate plan 0b0b0b0b: BUY 1"),
        replace(VALIDATE, trailers={**VALIDATE.trailers, "Owner": "2/1"}),
        replace(VALIDATE, writes={PLAN_PATH: b"validated by another\n"}),
        replace(VALIDATE, writes={**VALIDATE.writes, ARCHIVE: b"more\n"}),
    ],
)
def test_another_runs_commit_is_never_taken_for_ours(rig: GitHubRig, other: Change) -> None:
    """The answer is lost, and main holds the commit of a run that asked for almost the same."""

    class Faster:
        def commit_on(self, branch: str, change: Change, expected: str) -> str:
            rig.forge.commit_on(branch, other, expected)
            raise ForgeUnavailable("GitHub: no answer; run again")

    with rig.open(forge=Faster()) as book, pytest.raises(SwapLost):  # type: ignore[arg-type]
        book.commit(VALIDATE, book.head())


def test_a_trailer_that_github_adds_makes_a_commit_no_stranger(rig: GitHubRig) -> None:
    signed_off = {**VALIDATE.trailers, "Signed-off-by": "github-actions[bot] <x@example.com>"}

    class SignsOff:
        def commit_on(self, branch: str, change: Change, expected: str) -> str:
            rig.forge.commit_on(branch, replace(change, trailers=signed_off), expected)
            raise ForgeUnavailable("GitHub: no answer; run again")

    with rig.open(forge=SignsOff()) as book:  # type: ignore[arg-type]
        new = book.commit(VALIDATE, book.head())
        assert book.head() == new


def test_a_main_that_was_moved_by_force_has_no_commit_of_ours(rig: GitHubRig) -> None:
    class Forced:
        def commit_on(self, branch: str, change: Change, expected: str) -> str:
            git(rig.person, "commit", "--quiet", "--amend", "-m", "Another past")
            git(rig.person, "push", "--quiet", "--force", "origin", "main")
            raise ForgeUnavailable("GitHub: no answer; run again")

    with rig.open(forge=Forced()) as book:  # type: ignore[arg-type]
        with pytest.raises(SwapLost):
            book.commit(VALIDATE, book.head())
        assert book.head() == git(rig.person, "rev-parse", "main")


@pytest.mark.parametrize(
    "said",
    [
        ForgeRefused("GitHub: refused with status 422: Ref is at a but expected b", 422),
        ForgeUnavailable("GitHub: Ref is at a but expected b; run again"),
    ],
)
def test_a_race_that_github_tells_in_other_words_is_lost_all_the_same(
    rig: GitHubRig, said: Exception
) -> None:
    class AtTheSameMoment:
        def commit_on(self, branch: str, change: Change, expected: str) -> str:
            rig.push({"notes.txt": "theirs\n"})
            raise said

    with rig.open(forge=AtTheSameMoment()) as book:  # type: ignore[arg-type]
        head = book.head()
        with pytest.raises(SwapLost):
            book.commit(VALIDATE, head)
        assert book.head() != head


def test_a_definite_no_goes_to_a_person(rig: GitHubRig) -> None:
    api = GitHubApi(NAME, "reader-token", rig.server.url)
    with rig.open(forge=GitHubForge(api)) as book:
        head = book.head()
        with pytest.raises(ForgeRefused, match="correct permissions"):
            book.commit(VALIDATE, head)
        assert book.head() == head
    api.close()


# A main that lags.


class LaggingBook(GitHubBook):
    """A book whose fetches give an older main a few times."""

    stale: str | None = None
    times: int = 0

    def _remote_main(self) -> str:
        now = super()._remote_main()
        if self.stale is not None and self.times:
            self.times -= 1
            return self.stale
        return now


def lagging(rig: GitHubRig) -> LaggingBook:
    book = LaggingBook(rig.folder, rig.clock, rig.forge, bot=lambda *_: 0, guard=lambda *_: None)
    rig.opened.append(book)
    return book


def test_main_is_never_older_than_what_this_run_has_seen(rig: GitHubRig) -> None:
    book = lagging(rig)
    book.stale = book.head()
    newer = rig.push({"notes.txt": "x"})
    assert book.head() == newer
    book.times = LOOKS - 1
    began = rig.clock.now()
    assert book.head() == newer
    assert (rig.clock.now() - began).total_seconds() == 1 + 2 + 4 + 8


def test_after_a_commit_main_holds_it(rig: GitHubRig) -> None:
    book = lagging(rig)
    book.stale = head = book.head()
    book.times = 2
    new = book.commit(VALIDATE, head)
    assert book.head() == new


def test_a_main_that_lags_for_long_is_no_answer(rig: GitHubRig) -> None:
    book = lagging(rig)
    book.stale = head = book.head()
    book.commit(VALIDATE, head)
    book.times = LOOKS
    with pytest.raises(BookUnavailable, match="lies behind what GitHub told before; run again"):
        book.head()


def test_a_commit_that_the_clone_does_not_have_yet_is_waited_for(rig: GitHubRig) -> None:
    """The API has answered with a commit, and git's side of GitHub does not know it yet."""

    class Early:
        def commit_on(self, branch: str, change: Change, expected: str) -> str:
            rig.forge.commit_on(branch, change, expected)
            return "f" * 40

    with rig.open(forge=Early()) as book, pytest.raises(BookUnavailable, match="behind"):  # type: ignore[arg-type]
        book.commit(VALIDATE, book.head())


def test_a_main_that_was_moved_by_force_is_another_one(rig: GitHubRig, book: GitHubBook) -> None:
    book.head()
    git(rig.person, "commit", "--quiet", "--amend", "-m", "Another past")
    git(rig.person, "push", "--quiet", "--force", "origin", "main")
    assert book.head() == git(rig.person, "rev-parse", "main")


def test_git_that_does_not_answer_is_no_answer(rig: GitHubRig, book: GitHubBook) -> None:
    rig.fault("bad_gateway_before", path="*/info/refs*", times=0)
    with pytest.raises(BookUnavailable):
        book.head()


# What a commit may touch.


@pytest.mark.parametrize(
    "change",
    [
        replace(END, writes={**END.writes, "autoinvestor.toml": b"mode = 'live'\n"}),
        replace(END, writes={**END.writes, ".github/workflows/x.yml": b"on: push\n"}),
        replace(END, deletes=("autoinvestor.toml",)),
        replace(END, trailers={**END.trailers, "Step": "finished"}),
        replace(VALIDATE, writes={ARCHIVE.replace("2026-01/", ""): b"x"}),
    ],
)
def test_a_path_that_is_not_the_steps_is_our_mistake_and_never_leaves(
    rig: GitHubRig, book: GitHubBook, change: Change
) -> None:
    head = book.head()
    with pytest.raises(AssertionError, match=change.subject.split(":")[0]):
        book.commit(change, head)
    assert commits_sent(rig) == 0


@pytest.mark.parametrize("path", [ARCHIVE, RESULT])
def test_what_lies_at_a_path_of_history_is_never_overwritten(
    rig: GitHubRig, book: GitHubBook, path: str
) -> None:
    rig.push({path: "older\n"})
    with pytest.raises(AssertionError, match="lies there already"):
        book.commit(END, book.head())
    assert commits_sent(rig) == 0


def test_a_folder_in_the_place_of_a_file_counts_as_taken(rig: GitHubRig, book: GitHubBook) -> None:
    rig.push({f"{RESULT}/inside": "older\n"})
    with pytest.raises(AssertionError, match="lies there already"):
        book.commit(END, book.head())


# Whose a commit is.


def test_a_commit_of_ours_is_vouched_for(rig: GitHubRig, book: GitHubBook) -> None:
    new = book.commit(VALIDATE, book.head())
    assert book.vouches(new)
    assert book.vouches(new)
    assert [one[1].rsplit("/", 1)[1] for one in rig.sent("GET", f"/commits/{new}")] == [
        new,
        "pulls",
    ]


def test_a_push_in_our_name_is_not(rig: GitHubRig, book: GitHubBook) -> None:
    name = "github-actions[bot]"
    email = "41898282+github-actions[bot]@users.noreply.github.com"
    (rig.person / PLAN_PATH).write_text("validated\n")
    git(rig.person, "add", PLAN_PATH)
    git(
        rig.person, "-c", f"user.name={name}", "-c", f"user.email={email}",
        "commit", "--quiet", "-m", VALIDATE.subject,
    )  # fmt: skip
    git(rig.person, "push", "--quiet", "origin", "main")
    assert not book.vouches(book.head())


@pytest.mark.parametrize("token", ["owner-token", "writer-token", "app-token"])
def test_what_others_commit_through_github_is_not(rig: GitHubRig, token: str) -> None:
    rig.server.call(
        lambda state: rig.repository_in(state).roles.update({1002: "write", 2001: "write"})
    )
    api = GitHubApi(NAME, token, rig.server.url)
    with rig.open(forge=GitHubForge(api)) as theirs, rig.open() as ours:
        new = theirs.commit(VALIDATE, theirs.head())
        assert ours.head() == new
        assert not ours.vouches(new)
    api.close()


def test_the_bot_of_an_app_is_the_one_that_the_settings_name(rig: GitHubRig) -> None:
    rig.server.call(lambda state: rig.repository_in(state).roles.update({2001: "write"}))
    api = GitHubApi(NAME, "app-token", rig.server.url)
    with rig.open(forge=GitHubForge(api), bot=APP_BOT.id) as book:
        head = book.head()
        assert not book.vouches(head)
        assert book.vouches(book.commit(VALIDATE, head))
    api.close()


def test_whose_hand_counts_is_asked_of_the_commit_before(rig: GitHubRig) -> None:
    asked: list[str] = []

    def bot(_: object, commit: str) -> int:
        asked.append(commit)
        return 41898282

    book = GitHubBook(rig.folder, rig.clock, rig.forge, bot=bot)
    rig.opened.append(book)
    head = book.head()
    assert book.vouches(book.commit(VALIDATE, head))
    assert asked == [head]


def test_the_first_commit_is_nobodys(rig: GitHubRig, book: GitHubBook) -> None:
    book.head()
    first = git(rig.folder, "rev-list", "--max-parents=0", "HEAD")
    assert not book.vouches(first)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_a_person_merges_of_a_pull_request_of_the_bots_is_not(
    rig: GitHubRig, book: GitHubBook, method: str
) -> None:
    """GitHub itself makes and signs these commits, the squashed one in the name of the bot."""
    rig.server.call(
        lambda state: rig.repository_in(state).workflow_permissions.update(
            {"can_approve_pull_request_reviews": True}
        )
    )
    head = book.head()
    rig.forge.branch("plan", head)
    rig.forge.commit_on("plan", VALIDATE, head)
    pull = rig.forge.propose(Proposed("x", "x", "plan"))
    owner = Api(rig.server.url, "owner-token")
    place = f"pulls/{pull.number}/merge"
    merged = owner.ok("PUT", place, {"merge_method": method})["sha"]
    assert book.head() == merged
    assert not book.vouches(merged)


@pytest.mark.parametrize("kind", ["server_error", "secondary_rate_limit", "not_json"])
def test_that_nobody_answers_who_made_it_is_no_no(
    rig: GitHubRig, book: GitHubBook, kind: str
) -> None:
    new = book.commit(VALIDATE, book.head())
    for path in (f"*/commits/{new}", f"*/commits/{new}/pulls"):
        rig.fault(kind, method="GET", path=path)
        with pytest.raises(BookUnavailable, match="run again"):
            book.vouches(new)
    assert book.vouches(new)


def test_a_commit_that_the_api_does_not_know_yet_is_no_no(rig: GitHubRig) -> None:
    class Lags:
        def signature(self, commit: str) -> None:
            return None

    with (
        rig.open(forge=Lags()) as book,  # type: ignore[arg-type]
        pytest.raises(BookUnavailable, match="not known there yet; run again"),
    ):
        book.vouches(book.head())


# Secrets, and copies.


def test_a_private_repository_is_fetched_with_the_token(rig: GitHubRig, tmp_path: Path) -> None:
    def hide(state: State) -> None:
        rig.repository_in(state).is_private = True

    rig.server.call(hide)
    with rig.open() as book:
        assert book.read(PLAN_PATH, book.head()) == b"pending\n"
        assert book.bring("refs/heads/main") == book.head()
    with LocalBook(rig.folder, rig.clock) as plain, pytest.raises(BookUnavailable):
        plain.head()


def test_the_token_is_shown_to_the_fetch_alone_and_to_its_server_alone(
    rig: GitHubRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nprintf "%s|%s|" "$*" "$(env | tr "\\n" " ")" >> {calls}\necho >> {calls}\n'
        'PATH=/usr/local/bin:/usr/bin:/bin exec git "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with rig.open() as book:
        book.commit(VALIDATE, book.head())
        book.last_change(PLAN_PATH, book.head())
    secret = base64.b64encode(b"x-access-token:actions-token").decode()
    lines = calls.read_text().splitlines()
    shown = [line for line in lines if secret in line or "actions-token" in line]
    assert shown
    assert len(shown) < len(lines)
    for line in shown:
        arguments, environment, _ = line.split("|", 2)
        assert arguments.startswith("fetch ")
        assert secret not in arguments
        assert f"=http.{rig.server.url}/.extraheader" in environment


def test_the_header_is_for_one_server() -> None:
    assert header_for("https://github.com/", "x") == {
        "http.https://github.com/.extraheader": "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46eA=="
    }


def test_what_is_committed_is_kept_before_it_leaves(rig: GitHubRig, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    rig.fault("bad_gateway_before", method="POST", path="/graphql", times=0)
    with rig.open(keep=keep) as book, pytest.raises(BookUnavailable):
        book.commit(END, book.head())
    assert files_in(keep) == sorted(END.writes)
    assert (keep / RESULT).read_bytes() == b"result\n"


def test_a_copy_that_cannot_be_kept_is_in_nobodys_way(rig: GitHubRig, tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("a file where the folder should be\n")
    with rig.open(keep=tmp_path / "keep") as book:
        assert book.commit(END, book.head()) == book.head()


def files_in(folder: Path) -> Sequence[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
