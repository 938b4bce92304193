from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.cycle import Cycle, cycle
from tests.scratch import line, plan

BUY = plan(line(quantity=10, stop_loss_pct=8, reason="cheap @octocat ![](https://evil.example)"))
SELL = plan(line("SELL", quantity=5))


def review(**keys: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-01-14T14:30:00Z",
        "trigger": "scheduled_4hour",
        "market_analysis": {"vix": 16},
        "portfolio_state": {},
        "decision": "buy some",
        "reasoning": "it is cheap [skip ci]",
    } | keys


def base64_of(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


@pytest.fixture
def it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cycle]:
    with cycle(tmp_path, monkeypatch) as made:
        yield made


def test_a_plan_becomes_a_pull_request(it: Cycle) -> None:
    answer = it.proposes({"plan": BUY, "review": review()})
    assert answer.code == 0, answer.text
    (pull,) = it.pulls()
    assert answer.out.startswith(f"opened #{pull['number']}: [sim] BUY 10 MU\n")
    assert pull["title"] == "[sim] BUY 10 MU"
    assert f"/octo-owner/invest/pull/{pull['number']}" in answer.out
    assert {one["name"] for one in pull["labels"]} == {"plan", "strategy: manual"}
    assert pull["user"]["login"] == "github-actions[bot]"
    branch = pull["head"]["ref"]
    assert branch.startswith("plan/manual-")
    proposed = it.read("trading_instructions.json", branch)
    assert proposed["instructions"][0].pop("decision_price") > 0
    assert proposed == BUY
    written = it.read("strategy_reviews/2026-01/review_2026-01-14T14-30-00.json", branch)
    assert written["plan_digest"] in pull["body"]
    assert written["instructions_created"] is True
    assert it.dispatched() == [("validate.yml", {"pull_request": str(pull["number"])})]
    for steering in ("@octocat", "[skip ci]"):
        assert steering not in pull["title"] + pull["body"]


def test_the_same_proposal_again_finds_its_pull_request(it: Cycle) -> None:
    first = it.proposes({"plan": BUY, "review": review()})
    again = it.proposes({"plan": BUY, "review": review()}, now="2026-01-14T15:20:00Z")
    assert first.code == again.code == 0
    assert again.out.startswith("open already: #1: [sim] BUY 10 MU")
    assert len(it.pulls()) == 1
    assert it.comments(1) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "*/git/refs"),
        ("POST", "/graphql"),
        ("POST", "*/pulls"),
        ("POST", "*/issues/1/labels"),
        ("POST", "*/dispatches"),
    ],
)
@pytest.mark.parametrize("kind", ["bad_gateway_before", "bad_gateway_after"])
def test_a_run_that_dies_anywhere_is_run_again(
    it: Cycle, method: str, path: str, kind: str
) -> None:
    fault = {"kind": kind, "match": {"method": method, "path": path}}
    it.rig.owner.ok("POST", "/sim/faults", fault)
    broken = it.proposes({"plan": BUY, "review": review()})
    assert broken.code == 4, broken.text
    healed = it.proposes({"plan": BUY, "review": review()}, now="2026-01-14T15:20:00Z")
    assert healed.code == 0, healed.text
    (pull,) = it.pulls()
    assert {one["name"] for one in pull["labels"]} == {"plan", "strategy: manual"}
    assert it.dispatched()[-1] == ("validate.yml", {"pull_request": str(pull["number"])})
    assert len({one["commit"] for one in branch_commits(it, pull)}) == 1


def branch_commits(it: Cycle, pull: Any) -> list[dict[str, str]]:
    found = it.rig.owner.get(f"pulls/{pull['number']}/commits")
    return [{"commit": one["sha"]} for one in found]


def test_a_newer_proposal_closes_the_older_one(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    newer = plan(line("BUY", "AMD", quantity=3))
    answer = it.proposes({"plan": newer, "review": review(timestamp="2026-01-14T14:40:00Z")})
    assert answer.code == 0
    assert "closed as superseded: #1" in answer.out
    assert [one["number"] for one in it.pulls()] == [2]
    assert it.comments(1) == ["Superseded by #2: a newer proposal for the book `manual`."]
    # Handed over again, the older one stays closed.
    again = it.proposes({"plan": BUY, "review": review()})
    assert again.out.startswith("proposed before as #1, which was closed without a merge")
    assert [one["number"] for one in it.pulls()] == [2]


def test_another_book_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = ("[symbols]\n", '[strategies.books.trend]\ndescription = "Trend"\n\n[symbols]\n')
    with cycle(tmp_path, monkeypatch, book) as it:
        it.proposes({"plan": BUY, "review": review()})
        answer = it.proposes({"plan": plan(strategy="trend"), "review": review()})
        assert answer.code == 0, answer.text
        # Of two pull requests that add one path only one could be merged.
        held = it.proposes({"plan": None, "review": review(decision="HOLD")})
        assert held.code == 0, held.text
        reviews = [
            file["filename"]
            for number in (1, 2)
            for file in it.rig.owner.get(f"pulls/{number}/files")
            if file["filename"].startswith("strategy_reviews/")
        ]
        reviews.append(held.out.split()[-1])
        assert reviews[0] == f"{HELD}.json"
        assert len(set(reviews)) == 3
        assert [one["head"]["ref"].split("-")[0] for one in it.pulls()] == [
            "plan/trend",
            "plan/manual",
        ]


def test_a_merged_proposal_is_not_opened_again(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    it.merge(1)
    answer = it.proposes({"plan": BUY, "review": review()})
    assert answer.code == 0
    assert "is on main already; nothing to open" in answer.out


def test_it_waits_while_a_plan_is_on_main_unless_it_only_exits(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    it.merge(1)
    newer = {
        "plan": plan(line("BUY", "AMD", quantity=3)),
        "review": review(timestamp="2026-01-14T14:40:00Z"),
    }
    answer = it.proposes(newer)
    assert answer.code == 0
    assert answer.out.startswith("not now: plan ")
    assert it.pulls() == []
    answer = it.proposes({"plan": SELL, "review": review(timestamp="2026-01-14T14:40:00Z")})
    assert answer.code == 0
    (pull,) = it.pulls()
    assert "exits only" in {one["name"] for one in pull["labels"]}
    assert "Nothing of it opens a position." in pull["body"]


HELD = "strategy_reviews/2026-01/review_2026-01-14T14-30-00"


def test_a_hold_is_committed_as_a_review(it: Cycle) -> None:
    answer = it.proposes({"plan": None, "review": review(decision="HOLD")})
    assert answer.code == 0, answer.text
    assert answer.out == f"HOLD: no plan; committed: {HELD}.json\n"
    assert it.pulls() == it.dispatched() == []
    written = it.read(f"{HELD}.json")
    assert written["decision"] == "HOLD"
    assert written["instructions_created"] is False
    head = it.rig.main
    again = it.proposes({"plan": None, "review": review(decision="HOLD")})
    assert again.out == f"HOLD: no plan; already on main: {HELD}.json\n"
    assert it.rig.main == head
    other = it.proposes({"plan": None, "review": review(decision="HOLD, too")})
    assert other.code == 0
    assert HELD in other.out
    assert f"{HELD}.json" not in other.out
    subject = it.rig.owner.get(f"commits/{it.rig.main}")["commit"]["message"].splitlines()[0]
    assert subject == "Record a review of manual: hold"


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"review": {}}, "document: review.timestamp: missing; add it"),
        ({"plan": plan(status="validated"), "review": review()}, "document: plan.status"),
        ({"plan": plan(strategy="x"), "review": review()}, "`x` is no book in the settings"),
        (
            {"plan": plan(valid_until="2026-01-14T14:59:00Z"), "review": review()},
            "plan_fresh: ",
        ),
        (
            {"plan": plan(line(order_type="limit")), "review": review()},
            "order_legal: instructions[0]",
        ),
    ],
)
def test_what_is_refused_opens_nothing(it: Cycle, tree: Any, problem: str) -> None:
    answer = it.proposes(tree)
    assert answer.code == 1
    assert answer.out.startswith("refused: the proposal\n")
    assert problem in answer.out
    assert it.pulls() == it.dispatched() == []
    assert it.rig.owner.get("git/matching-refs/heads/plan/") == []


def test_what_is_no_document_is_refused(it: Cycle) -> None:
    path = Path(it.handed({}))
    for data, problem in (
        (b'{"a": 1, "a": 2}', "key"),
        (b"\xff", "UTF-8"),
        (b" " * (4 * 1024 * 1024 + 1), "4,194,304 bytes"),
    ):
        path.write_bytes(data)
        answer = it.runs("propose", "--artifact", str(path))
        assert answer.code == 1
        assert problem in answer.err
    assert it.pulls() == []


def test_an_artifact_is_a_folder_or_a_file_and_no_link(it: Cycle) -> None:
    path = Path(it.handed({"plan": None, "review": review()}))
    assert it.runs("propose", "--artifact", str(path.parent)).code == 0
    path.rename(path.with_name("other.json"))
    path.symlink_to("other.json")
    answer = it.runs("propose", "--artifact", str(path.parent))
    assert answer.code == 2
    assert "a link; an artifact holds the proposal itself" in answer.err
    path.unlink()
    assert it.runs("propose", "--artifact", str(path.parent)).code == 2


def test_a_plan_without_a_review(it: Cycle) -> None:
    bare = {key: one for key, one in BUY.items() if key != "timestamp"}
    answer = it.runs("propose", "--file", it.handed(bare, "trading_instructions.json"))
    assert answer.code == 0, answer.text
    (pull,) = it.pulls()
    assert "- review: none was handed over" in pull["body"]
    written = it.read("trading_instructions.json", pull["head"]["ref"])
    assert written["timestamp"] == "2026-01-14T15:00:00Z"
    assert it.runs("propose", "--file", it.handed({}, "trading_instructions.json")).code == 1


def test_without_the_broker_no_price_is_stamped(it: Cycle) -> None:
    it.monkeypatch.setenv("AUTOINVESTOR_EXCHANGE_URL", "http://127.0.0.1:9")
    answer = it.proposes({"plan": BUY, "review": review()})
    assert answer.code == 0, answer.text
    assert "  note: no decision_price was stamped: " in answer.out
    (pull,) = it.pulls()
    assert pull["title"] == "[sim] BUY 10 MU"
    assert it.read("trading_instructions.json", pull["head"]["ref"]) == BUY


def test_a_branch_of_that_name_that_holds_something_else_is_a_persons_case(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    branch = it.pulls()[0]["head"]["ref"]
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", branch)
    clone.write({"trading_instructions.json": "{"})
    clone.push(branch)
    answer = it.proposes({"plan": BUY, "review": review()})
    assert answer.code == 5
    assert f"branch {branch}: it has the name of this proposal and holds another plan" in answer.err


def test_approvers_are_asked_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cycle(tmp_path, monkeypatch, ("approvers = []", "approvers = [1001, 999999]")) as it:
        assert it.proposes({"plan": BUY, "review": review()}).code == 0
        (pull,) = it.pulls()
        assert [one["login"] for one in pull["requested_reviewers"]] == ["octo-owner"]


# From a laptop.


def test_a_laptop_hands_it_over_and_the_bot_opens_it(it: Cycle) -> None:
    it.monkeypatch.setenv("GITHUB_TOKEN", "writer-token")
    answer = it.proposes({"plan": BUY, "review": review()}, "--remote")
    assert answer.code == 0, answer.text
    assert answer.out.startswith("handed over to propose.yml")
    ((workflow, inputs),) = it.dispatched()
    assert (workflow, inputs["what"]) == ("propose.yml", "propose")
    assert it.pulls() == []
    it.monkeypatch.setenv("GITHUB_TOKEN", "actions-token")
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", inputs["proposal"])
    summary = it.rig.folder / "summary.md"
    it.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    it.monkeypatch.setenv("GITHUB_ACTOR", "octo-writer")
    assert it.runs("propose", "--packed").code == 0
    (pull,) = it.pulls()
    assert pull["user"]["login"] == "github-actions[bot]"
    assert "Handed over by `octo-writer`." in pull["body"]
    (commit,) = it.rig.owner.get(f"pulls/{pull['number']}/commits")
    assert commit["commit"]["message"].endswith("\nHanded-Over-By: octo-writer")
    assert f"/octo-owner/invest/pull/{pull['number']})" in summary.read_text()
    assert it.runs("propose", "--packed", "--remote").code == 2


@pytest.mark.parametrize("actor", ["", "github-actions[bot]", "x\nStep: validated", "@all", "-x"])
def test_who_is_no_person_by_its_login_hands_nothing_over(it: Cycle, actor: str) -> None:
    text = Path(it.handed({"plan": BUY, "review": review()})).read_text()
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", text)
    it.monkeypatch.setenv("GITHUB_ACTOR", actor)
    assert it.runs("propose", "--packed").code == 0
    (pull,) = it.pulls()
    assert "Handed over by" not in pull["body"]
    (commit,) = it.rig.owner.get(f"pulls/{pull['number']}/commits")
    assert "Handed-Over-By" not in commit["commit"]["message"]


def test_only_what_was_packed_was_handed_over(it: Cycle) -> None:
    it.monkeypatch.setenv("GITHUB_ACTOR", "octo-writer")
    assert it.proposes({"plan": BUY, "review": review()}).code == 0
    assert "Handed over by" not in it.pulls()[0]["body"]


def test_a_bare_plan_is_handed_over_as_one(it: Cycle) -> None:
    path = it.handed(BUY, "trading_instructions.json")
    assert it.runs("propose", "--file", path, "--remote").code == 0
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", it.dispatched()[0][1]["proposal"])
    answer = it.runs("propose", "--packed")
    assert answer.code == 0, answer.text
    assert len(it.pulls()) == 1


def test_json_in_the_form_is_taken_as_it_is(it: Cycle) -> None:
    text = Path(it.handed({"plan": None, "review": review()})).read_text()
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", text)
    assert it.runs("propose", "--packed").code == 0


@pytest.mark.parametrize(
    ("text", "code"), [("", 2), ("x", 1), ("eA==", 1), (base64_of(b"strange x"), 1)]
)
def test_what_was_not_packed_by_us_is_refused(it: Cycle, text: str, code: int) -> None:
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", text)
    assert it.runs("propose", "--packed").code == code


def test_a_small_input_that_holds_a_large_one_is_cut(it: Cycle) -> None:
    bomb = base64_of(b"proposal " + b" " * 50_000_000)
    assert len(bomb) < 70_000
    it.monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", bomb)
    answer = it.runs("propose", "--packed")
    assert answer.code == 1
    assert "more than 4,194,304 bytes" in answer.err


def test_what_is_too_large_to_hand_over_says_so(it: Cycle) -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1_900))
    lines = [line(reason="".join(random.Random(n).sample(noise, 1_900))) for n in range(80)]
    answer = it.proposes({"plan": plan(*lines), "review": review()}, "--remote")
    assert answer.code == 2
    assert "characters when packed, at most 65,500 can be handed over" in answer.err
    assert it.dispatched() == []


def test_without_github_it_says_what_is_missing(it: Cycle) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_TOKEN"):
        it.monkeypatch.delenv(name)
    for extra in ((), ("--remote",)):
        answer = it.proposes({"plan": BUY, "review": review()}, *extra)
        assert answer.code == 2
        assert "set GITHUB_TOKEN and GITHUB_REPOSITORY" in answer.err
