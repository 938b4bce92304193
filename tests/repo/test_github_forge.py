"""The `Forge` port over HTTP: each question and act, each way in which GitHub fails to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from executor.errors import ForgeRefused, ForgeUnavailable, SwapLost
from executor.model.forge import ACTIONS_ID, Actor, Mark, Proposed, PullRequest
from executor.ports import Change, Forge
from executor.repo.github_api import PAGES_MAX, GitHubApi
from executor.repo.github_forge import GitHubForge
from tests.brokers.raw_server import http, raw_server
from tests.forge.contract import Contract
from tests.forge.faults import Fault
from tests.forge.rig import NAME, WORKFLOW, Clone, Rig
from tests.forge.server import ForgeServer

BEGIN: Final = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
OWNER: Final = Actor(1001, "octo-owner")
WRITER: Final = Actor(1002, "octo-writer")
ACTIONS: Final = Actor(ACTIONS_ID, "github-actions[bot]", "Bot")
WEB_FLOW: Final = Actor(19864447, "web-flow")
NOWHERE: Final = "f" * 40
PLAN: Final = {"trading_instructions.json": "{}\n"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A server of its own, every answer of which is held to GitHub's description."""
    contract = Contract()
    with ForgeServer(tmp_path / "forge") as server:
        server.state.clock.set(BEGIN)
        server.forge.watchers.append(contract.watch)
        made = Rig(server, tmp_path)
        began(made, tmp_path / "work")
        yield made
    assert not contract.wrong, "\n".join(contract.wrong)


def began(rig: Rig, work: Path) -> None:
    """A first commit, a writer, and a workflow's token that may open pull requests."""
    url, token = rig.server.git_url(NAME), "owner-token"
    clone = Clone(url, work, token, ("Olivia", "1001+octo-owner@users.noreply.github.com"))
    clone.write({"README.md": "A book.\n", ".github/workflows/validate.yml": WORKFLOW}, "Begin")
    clone.push("HEAD:main")
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/roles/octo-writer", {"role": "write"})
    permissions = {"can_approve_pull_request_reviews": True}
    rig.owner.ok("PUT", "actions/permissions/workflow", permissions)


def forge_of(rig: Rig, who: str = "actions") -> GitHubForge:
    return GitHubForge(GitHubApi(NAME, f"{who}-token", rig.server.url))


@pytest.fixture
def forge(rig: Rig) -> Forge:
    """As a workflow sees it."""
    return forge_of(rig)


def later(rig: Rig, seconds: int = 60) -> datetime:
    """Move the time of the server."""
    rig.server.state.clock.advance(seconds)
    return rig.server.state.clock.now()


def merged(rig: Rig, pull: Any, who: str = "owner") -> str:
    commit = rig.api(who).ok("PUT", f"pulls/{pull['number']}/merge")["sha"]
    return str(commit)


# Questions.


def test_the_repository(rig: Rig, forge: Forge) -> None:
    found = forge.repository()
    assert (found.name, found.default_branch, found.owner) == (NAME, "main", OWNER)
    assert not found.is_private
    assert found.id > 0
    theirs = forge_of(rig, "owner").repository()
    assert theirs.permissions["admin"] is True


def test_an_open_pull_request(rig: Rig, forge: Forge) -> None:
    later(rig)
    opened = rig.pull(PLAN)
    rig.owner.ok("POST", f"issues/{opened['number']}/labels", {"labels": ["plan"]})
    assert forge.pull_request(opened["number"]) == PullRequest(
        number=opened["number"],
        title="BUY 1",
        state="open",
        author=WRITER,
        head_ref="plan",
        head=opened["head"]["sha"],
        head_repository=NAME,
        base_ref="main",
        created_at=BEGIN + timedelta(seconds=60),
        labels=("plan",),
    )
    assert forge.pull_request(99) is None


def test_a_merged_pull_request(rig: Rig, forge: Forge) -> None:
    opened = rig.pull(PLAN)
    at = later(rig)
    commit = merged(rig, opened)
    found = forge.pull_request(opened["number"])
    assert found is not None
    assert found.is_merged
    assert (found.state, found.merged_at, found.merged_by) == ("closed", at, OWNER)
    assert (found.merge_commit, found.closed_at, found.auto_merge) == (commit, at, False)


def test_a_pull_request_that_github_merges_by_itself(rig: Rig, forge: Forge) -> None:
    rig.owner.ok("PATCH", "", {"allow_auto_merge": True})
    rules = [
        {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": [{"context": "plan/schema"}],
                "strict_required_status_checks_policy": False,
            },
        }
    ]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    ruleset = {
        "name": "plan",
        "target": "branch",
        "enforcement": "active",
        "conditions": conditions,
        "rules": rules,
    }
    rig.owner.ok("POST", "rulesets", ruleset)
    opened = rig.pull(PLAN)
    query = (
        "mutation Q($input: EnablePullRequestAutoMergeInput!)"
        " { enablePullRequestAutoMerge(input: $input) { clientMutationId } }"
    )
    answer = rig.owner.graphql(query, {"input": {"pullRequestId": opened["node_id"]}})
    assert "errors" not in answer, answer
    found = forge.pull_request(opened["number"])
    assert found is not None
    assert found.auto_merge
    assert "auto_merge_enabled" in [one.name for one in forge.timeline(opened["number"])]


def test_pull_requests_by_state_the_last_updated_first(rig: Rig, forge: Forge) -> None:
    first = rig.pull(PLAN, branch="one")
    later(rig)
    second = rig.pull(PLAN, branch="two")
    middle = later(rig)
    third = rig.pull(PLAN, branch="three")
    later(rig)
    rig.api("writer").ok("PATCH", f"pulls/{second['number']}", {"state": "closed"})
    numbers = [one.number for one in forge.pull_requests("open")]
    assert numbers == [third["number"], first["number"]]
    (closed,) = forge.pull_requests("closed")
    assert (closed.number, closed.is_merged, closed.merged_by) == (second["number"], False, None)
    assert [one.number for one in forge.pull_requests("open", middle)] == [third["number"]]
    assert forge.pull_requests("closed", later(rig)) == ()


def test_long_lists_are_read_to_their_end(rig: Rig, forge: Forge) -> None:
    opened = rig.pull(PLAN)
    for number in range(203):
        rig.owner.ok("POST", f"issues/{opened['number']}/comments", {"body": f"{number}"})
    assert [one.body for one in forge.comments(opened["number"])] == [str(n) for n in range(203)]


def test_pull_requests_of_a_commit(rig: Rig, forge: Forge) -> None:
    opened = rig.pull(PLAN)
    commit = merged(rig, opened)
    assert [one.number for one in forge.pull_requests_of(commit)] == [opened["number"]]
    assert forge.pull_requests_of(NOWHERE) == ()
    rig.server.call(lambda _: rig.server.forge.faults.add(Fault("lag_commit_pulls")))
    assert forge.pull_requests_of(commit) == ()


def test_what_a_pull_request_touches(rig: Rig, forge: Forge) -> None:
    clone = rig.clone("writer")
    clone.git("switch", "--quiet", "--create", "plan")
    clone.write(PLAN)
    head = clone.git("rev-parse", "HEAD")
    clone.git("mv", "README.md", "LIESMICH.md")
    clone.write({"äöü.txt": "x"})
    clone.push("plan")
    content = {"title": "x", "head": "plan", "base": "main"}
    number = rig.api("writer").ok("POST", "pulls", content)["number"]
    told = {one.path: (one.status, one.previous_path) for one in forge.files(number)}
    assert told == {
        "LIESMICH.md": ("renamed", "README.md"),
        "trading_instructions.json": ("added", None),
        "äöü.txt": ("added", None),
    }
    first, second = forge.commits(number)
    assert (first.commit, first.parents) == (head, (rig.main,))
    assert second.parents == (head,)
    assert (first.author, first.committer) == (WRITER, WRITER)


def test_a_commit_by_nobody_that_github_knows(rig: Rig, forge: Forge) -> None:
    clone = rig.clone("writer")
    clone.git("switch", "--quiet", "--create", "plan")
    clone.git("config", "user.email", "x@example.com")
    clone.git("commit", "--quiet", "--allow-empty", "-m", "x", "--author", "X <x@example.com>")
    clone.push("plan")
    content = {"title": "x", "head": "plan", "base": "main"}
    number = rig.api("writer").ok("POST", "pulls", content)["number"]
    (told,) = forge.commits(number)
    assert told.author is None
    found = forge.signature(told.commit)
    assert found is not None
    assert (found.is_verified, found.author) == (False, None)


def test_reviews(rig: Rig, forge: Forge) -> None:
    opened = rig.pull(PLAN)
    place = f"pulls/{opened['number']}/reviews"
    first = later(rig)
    rig.owner.ok("POST", place, {"event": "COMMENT", "body": "Why?"})
    second = later(rig)
    rig.owner.ok("POST", place, {"event": "APPROVE"})
    head = opened["head"]["sha"]
    told = [
        (one.author, one.state, one.commit, one.submitted_at)
        for one in forge.reviews(opened["number"])
    ]
    assert told == [(OWNER, "COMMENTED", head, first), (OWNER, "APPROVED", head, second)]


def test_the_timeline(rig: Rig, forge: Forge) -> None:
    opened = rig.pull(PLAN)
    rig.owner.ok("POST", f"issues/{opened['number']}/comments", {"body": "x"})
    rig.owner.ok("POST", f"pulls/{opened['number']}/reviews", {"event": "APPROVE"})
    at = later(rig)
    merged(rig, opened)
    told = {one.name: one for one in forge.timeline(opened["number"])}
    assert {"committed", "commented", "reviewed", "merged", "closed"} <= set(told)
    assert (told["merged"].actor, told["merged"].at) == (OWNER, at)
    assert told["commented"].actor == OWNER
    assert told["reviewed"].actor == OWNER
    assert told["reviewed"].at is not None
    assert told["committed"].actor is None


def test_a_timeline_may_be_longer_than_any_other_list() -> None:
    """Anybody who may comment makes it longer."""
    body = b'[{"event": "commented"}]'
    json = "Content-Type: application/json"
    with raw_server(b"") as server:
        url = f"{server.url}/repos/ada/investor/issues/1/timeline?page=2"
        more = http("200 OK", body, json, f'Link: <{url}>; rel="next"')
        server.answers = [more] * (PAGES_MAX + 1) + [http("200 OK", body, json)]
        api = GitHubApi("ada/investor", "a-token", server.url)
        assert len(GitHubForge(api).timeline(1)) == PAGES_MAX + 2
        api.close()


def test_marks_the_newest_first(rig: Rig, forge: Forge) -> None:
    head = rig.main
    first = later(rig)
    forge.mark(head, Mark("plan/schema", "pending", "judging"))
    second = later(rig)
    forge.mark(head, Mark("plan/schema", "success", "ä" * 140, url="https://example.com/1"))
    rig.api("writer").ok("POST", f"statuses/{head}", {"state": "error", "context": "plan/scope"})
    third, newest, oldest = forge.marks(head)
    assert newest == Mark(
        "plan/schema", "success", "ä" * 140, ACTIONS, second, "https://example.com/1"
    )
    assert oldest == Mark("plan/schema", "pending", "judging", ACTIONS, first, None)
    assert (third.creator, third.description, third.state) == (WRITER, "", "error")
    with pytest.raises(AssertionError):
        forge.mark(head, Mark("plan/schema", "success", "x" * 141))


def test_signatures(rig: Rig, forge: Forge) -> None:
    pushed = forge.signature(rig.main)
    assert pushed is not None
    assert (pushed.is_verified, pushed.author) == (False, OWNER)
    ours = forge.signature(forge.commit_on("main", Change("Add", {"a": b"1"}), rig.main))
    assert ours is not None
    assert (ours.is_verified, ours.author, ours.committer) == (True, ACTIONS, WEB_FLOW)
    assert forge.signature(NOWHERE) is None
    assert forge.signature("0" * 40) is None


@pytest.mark.parametrize("role", ["admin", "maintain", "write", "triage", "read"])
def test_permissions_by_role(rig: Rig, forge: Forge, role: str) -> None:
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/roles/octo-writer", {"role": role})
    assert forge.permission("octo-writer") == role


def test_permissions_of_strangers(rig: Rig, forge: Forge) -> None:
    assert forge.permission("octo-owner") == "admin"
    assert forge.permission("octo-stranger") == "read"
    assert forge.permission("nobody-at-all") == "none"
    assert forge.permission("../../user") == "none"


def test_people_by_their_number(rig: Rig, forge: Forge) -> None:
    assert forge.person(1001) == OWNER
    assert forge.person(ACTIONS_ID) == ACTIONS
    assert forge.person(4) is None


def test_comments(rig: Rig, forge: Forge) -> None:
    number = rig.pull(PLAN)["number"]
    at = later(rig)
    forge.say(number, "<!-- one -->\nfirst ä")
    (told,) = forge.comments(number)
    assert (told.author, told.body, told.created_at) == (ACTIONS, "<!-- one -->\nfirst ä", at)
    forge.rewrite(told.id, "second")
    (again,) = forge.comments(number)
    assert (again.id, again.body) == (told.id, "second")
    for act in (forge.say, forge.rewrite):
        with pytest.raises(AssertionError):
            act(number, "x" * 65_537)


def test_issues_without_the_pull_requests_among_them(rig: Rig, forge: Forge) -> None:
    pull = rig.pull(PLAN)["number"]
    forge.label(pull, ("needs-person", "plan"))
    number = forge.open_issue("Look", "at this", ("needs-person",))
    forge.open_issue("Other", "x", ())
    (told,) = forge.issues("needs-person")
    assert (told.number, told.title, told.body, told.labels) == (
        number,
        "Look",
        "at this",
        ("needs-person",),
    )
    forge.close(number)
    assert forge.issues("needs-person") == ()
    assert forge.issues("nothing") == ()


def test_runs_of_a_workflow(rig: Rig, forge: Forge) -> None:
    forge.dispatch("validate.yml", {"pull_request": "7"})
    at = later(rig)
    forge.dispatch("validate.yml", {"pull_request": "8"})
    newest, oldest = forge.runs("validate.yml", BEGIN - timedelta(seconds=1))
    assert (newest.title, newest.created_at, newest.event) == (
        "validate #8",
        at,
        "workflow_dispatch",
    )
    assert (newest.workflow, newest.status, newest.conclusion) == ("validate.yml", "queued", None)
    assert oldest.title == "validate #7"
    assert [one.id for one in forge.runs("validate.yml", at)] == [newest.id]
    assert newest.head == rig.main
    with pytest.raises(ForgeRefused) as caught:
        forge.runs("nothing.yml", at)
    assert caught.value.status == 404


def test_who_acts(rig: Rig, forge: Forge) -> None:
    assert forge.whoami() is None
    assert forge_of(rig, "owner").whoami() == OWNER


# Acts.


def test_a_branch_is_made_and_dropped(rig: Rig, forge: Forge) -> None:
    forge.branch("plan/manual-1", rig.main)
    assert rig.owner.get("git/ref/heads/plan/manual-1")["object"]["sha"] == rig.main
    with pytest.raises(ForgeRefused, match="Reference already exists") as caught:
        forge.branch("plan/manual-1", rig.main)
    assert caught.value.status == 422
    forge.drop_branch("plan/manual-1")
    with pytest.raises(ForgeRefused):
        forge.drop_branch("plan/manual-1")


def test_a_commit_on_a_branch(rig: Rig, forge: Forge) -> None:
    head = rig.main
    change = Change(
        "Say ä", {"a/b.txt": b"\x00\xff"}, deletes=("README.md",), trailers={"Step": "x", "Z": "y"}
    )
    made = forge.commit_on("main", change, head)
    assert rig.main == made
    told = rig.owner.get(f"commits/{made}")
    assert told["commit"]["message"] == "Say ä\n\nStep: x\nZ: y"
    assert [one["sha"] for one in told["parents"]] == [head]
    with pytest.raises(SwapLost):
        forge.commit_on("main", Change("Late", {"c": b""}), head)
    with pytest.raises(ForgeRefused):
        forge.commit_on("nowhere", Change("Lost", {"c": b""}), head)
    with pytest.raises(ForgeRefused):
        forge.commit_on("main", Change("Away", deletes=("nowhere",)), made)
    assert rig.main == made


def test_a_commit_that_came_at_the_same_moment_as_another_is_late(rig: Rig, forge: Forge) -> None:
    head = rig.main
    rig.server.call(lambda _: rig.server.forge.faults.add(Fault("lost_race")))
    with pytest.raises(SwapLost):
        forge.commit_on("main", Change("Late", {"c": b""}), head)
    assert rig.main == head


def test_a_pull_request_is_proposed(rig: Rig, forge: Forge) -> None:
    forge.branch("plan/1", rig.main)
    forge.commit_on("plan/1", Change("Propose", {"trading_instructions.json": b"{}"}), rig.main)
    label = {"name": "plan", "color": "ededed", "description": "A plan"}
    rig.owner.ok("POST", "labels", label)
    proposed = Proposed("BUY 1", "body", "plan/1", ("plan",), ("octo-owner", "octo-writer"))
    made = forge.propose(proposed)
    assert (made.author, made.title, made.state) == (ACTIONS, "BUY 1", "open")
    shown = rig.owner.get(f"pulls/{made.number}")
    assert [one["name"] for one in shown["labels"]] == ["plan"]
    assert len(shown["requested_reviewers"]) == 2
    with pytest.raises(ForgeRefused, match="already exists"):
        forge.propose(proposed)
    forge.close(made.number)
    closed = forge.pull_request(made.number)
    assert closed is not None
    assert (closed.state, closed.is_merged) == ("closed", False)


def test_a_reviewer_who_has_left_is_in_no_pull_requests_way(rig: Rig, forge: Forge) -> None:
    forge.branch("plan/1", rig.main)
    forge.commit_on("plan/1", Change("Propose", {"a": b"{}"}), rig.main)
    made = forge.propose(Proposed("BUY 1", "body", "plan/1", reviewers=("octo-stranger",)))
    assert forge.pull_request(made.number) == made


def test_a_dispatch(rig: Rig, forge: Forge) -> None:
    forge.dispatch("validate.yml", {"pull_request": "7"})
    (sent,) = rig.owner.get("/sim/dispatches")
    assert (sent["workflow"], sent["ref"], sent["inputs"]) == (
        "validate.yml",
        "refs/heads/main",
        {"pull_request": "7"},
    )
    with pytest.raises(ForgeRefused):
        forge.dispatch("validate.yml", {"unknown": "7"})


# What fails.

Ask = Callable[[Forge, "Names"], object]


class Names:
    """What there is to ask for and to act on: as much as the acts that may happen use up."""

    def __init__(self, rig: Rig) -> None:
        pull = rig.pull(PLAN)
        self.number, self._proposed = int(pull["number"]), pull["head"]["sha"]
        self._rig = rig
        self.head = rig.main
        self.comment = int(
            rig.owner.ok("POST", f"issues/{self.number}/comments", {"body": "x"})["id"]
        )
        self.times = 0
        self.prepared = 0
        """Requests that were sent to prepare an act."""

    def fresh(self) -> str:
        """The name of no branch yet."""
        self.times += 1
        return f"plan-{self.times}"

    def proposed(self) -> str:
        """A branch that nobody has proposed yet."""
        self.prepared = 1
        name = self.fresh()
        content = {"ref": f"refs/heads/{name}", "sha": self._proposed}
        self._rig.owner.ok("POST", "git/refs", content)
        return name


QUESTIONS: Final[dict[str, Ask]] = {
    "repository": lambda forge, _: forge.repository(),
    "pull_request": lambda forge, names: forge.pull_request(names.number),
    "pull_requests": lambda forge, _: forge.pull_requests("open"),
    "pull_requests_of": lambda forge, names: forge.pull_requests_of(names.head),
    "files": lambda forge, names: forge.files(names.number),
    "commits": lambda forge, names: forge.commits(names.number),
    "reviews": lambda forge, names: forge.reviews(names.number),
    "timeline": lambda forge, names: forge.timeline(names.number),
    "marks": lambda forge, names: forge.marks(names.head),
    "signature": lambda forge, names: forge.signature(names.head),
    "permission": lambda forge, _: forge.permission("octo-owner"),
    "person": lambda forge, _: forge.person(1001),
    "comments": lambda forge, names: forge.comments(names.number),
    "issues": lambda forge, _: forge.issues("plan"),
    "runs": lambda forge, _: forge.runs("validate.yml", BEGIN),
    "whoami": lambda forge, _: forge.whoami(),
}
ACTS: Final[dict[str, Ask]] = {
    "mark": lambda forge, names: forge.mark(names.head, Mark("plan/schema", "success", "x")),
    "say": lambda forge, names: forge.say(names.number, "x"),
    "rewrite": lambda forge, names: forge.rewrite(names.comment, "x"),
    "branch": lambda forge, names: forge.branch(names.fresh(), names.head),
    "drop_branch": lambda forge, names: forge.drop_branch("plan"),
    "commit_on": lambda forge, names: forge.commit_on("main", Change("x", {"x": b"1"}), names.head),
    "propose": lambda forge, names: forge.propose(Proposed("x", "x", names.proposed())),
    "label": lambda forge, names: forge.label(names.number, ("plan",)),
    "close": lambda forge, names: forge.close(names.number),
    "open_issue": lambda forge, names: forge.open_issue("x", "x", ()),
    "dispatch": lambda forge, names: forge.dispatch("validate.yml", {"pull_request": "1"}),
}
FAULTS: Final = (
    "bad_gateway_before",
    "bad_gateway_after",
    "drop_before",
    "drop_after",
    "server_error",
    "rate_limit",
    "secondary_rate_limit",
    "not_json",
    "truncated",
)
WITHOUT_ANSWER: Final = ("dispatch", "drop_branch")
"""Acts that GitHub answers with a status alone: there is nothing that could be cut."""


def test_every_method_of_the_port_is_asked_here() -> None:
    methods = {name for name, one in vars(Forge).items() if callable(one) and name[0] != "_"}
    assert set(QUESTIONS) | set(ACTS) == methods
    assert {name for name in vars(GitHubForge) if not name.startswith("_")} == methods


def fault(rig: Rig, kind: str, who: str) -> None:
    """Let the next request of an account fail."""
    made = Fault(kind, {"token": f"{who}-token"})
    rig.server.call(lambda _: rig.server.forge.faults.add(made))


@pytest.mark.parametrize("name", [*QUESTIONS, *ACTS])
def test_no_usable_answer_is_no_answer_and_nothing_is_sent_twice(rig: Rig, name: str) -> None:
    who = "owner" if name == "whoami" else "actions"
    forge, names = forge_of(rig, who), Names(rig)
    ask = {**QUESTIONS, **ACTS}[name]
    for kind in FAULTS:
        if name in WITHOUT_ANSWER and kind == "truncated":
            continue
        fault(rig, kind, who)
        before = len(rig.server.forge.log)
        with pytest.raises(ForgeUnavailable, match=r"^GitHub, .*; run again"):
            ask(forge, names)
        assert len(rig.server.forge.log) - before == 1 + names.prepared, kind


@pytest.mark.parametrize("name", [*QUESTIONS, *ACTS])
def test_a_token_that_is_none_is_a_definite_no(rig: Rig, name: str) -> None:
    names = Names(rig)
    with pytest.raises(ForgeRefused, match="GITHUB_TOKEN") as caught:
        {**QUESTIONS, **ACTS}[name](forge_of(rig, "wrong"), names)
    assert caught.value.status == 401


@pytest.mark.parametrize("name", [one for one in ACTS if one != "open_issue"])
def test_a_right_that_is_missing_is_a_definite_no(rig: Rig, name: str) -> None:
    names = Names(rig)
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/roles/octo-reader", {"role": "read"})
    before = rig.main
    if name == "say":
        pytest.skip("whoever may read may comment")
    with pytest.raises(ForgeRefused) as caught:
        ACTS[name](forge_of(rig, "reader"), names)
    assert caught.value.status in (403, 404)
    assert rig.main == before
