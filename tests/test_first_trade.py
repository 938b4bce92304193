"""The README's first trade on GitHub: a fresh copy, a variable, a file, a merge; on a Saturday."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands.cycle import cycle
from tests.commands.hosted import NAME, Hosted, hosted
from tests.forge.state import Repository

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")

SATURDAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def merged_in_a_browser(copy: Hosted, plan: str, branch: str) -> None:
    """The owner, in a browser: a branch with one file, its pull request, its merge."""
    forge = copy.forge("owner-token")
    copy.clone.git("fetch", "--quiet", "origin")
    main = copy.clone.git("rev-parse", "origin/main")
    forge.branch(branch, main)
    forge.commit_on(branch, copy.adding("trading_instructions.json", plan.encode()), main)
    number = copy.opens(branch)
    copy.api("owner-token").put("pulls", number, "merge", body={"merge_method": "merge"})


def block(mark: str) -> str:
    """The JSON of the README behind a comment."""
    (found,) = re.findall(rf"<!-- {mark} -->\n```json\n(.*?)```", README, flags=re.DOTALL)
    return str(found)


def test_the_first_trade_needs_no_secret_and_no_second_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (plan,) = re.findall(r"with a plan such as this[^`]+```json\n([^`]+)```", README)
    with hosted(tmp_path, monkeypatch) as copy:
        monkeypatch.setenv("GITHUB_SERVER_URL", copy.server.url)
        copy.server.call(lambda state: state.clock.set(SATURDAY))

        merged_in_a_browser(copy, plan, "octo-owner-patch-1")

        # The workflow: a checkout of main, its own token.
        copy.on_a_runner("actions-token")
        answer = copy.run("execute", "--submit", "--now", at(SATURDAY))
        assert answer.code == 0, answer.text
        assert "completed" in answer.out
        copy.clone.git("fetch", "--quiet", "origin")
        paths = copy.clone.git("ls-tree", "-r", "--name-only", "origin/main").splitlines()
        (result,) = (one for one in paths if one.startswith("execution_results/2026-11/"))
        told = json.loads(copy.clone.git("show", f"origin/main:{result}"))
        assert told["execution_summary"]["successful"] == 1
        assert told["approval"]["policy"] == "none"
        assert "trading_instructions.json" not in paths

        secrets: list[int] = []

        def look(one: Repository) -> None:
            assert one.full_name == NAME
            secrets.append(
                len(one.secrets) + sum(len(e.secrets) for e in one.environments.values())
            )

        copy.arrange(look)
        assert secrets == [0]


def test_after_a_halt_the_plan_of_the_readme_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path, monkeypatch) as copy:
        monkeypatch.setenv("GITHUB_SERVER_URL", copy.server.url)
        copy.server.call(lambda state: state.clock.set(SATURDAY))
        copy.on_a_runner("actions-token")
        answer = copy.run("halt", "--halted", "--reason", "a look first", "--now", at(SATURDAY))
        assert answer.code == 0, answer.text

        later = SATURDAY + timedelta(minutes=5)
        copy.server.call(lambda state: state.clock.set(later))
        merged_in_a_browser(copy, block("resume"), "octo-owner-patch-2")
        copy.acts("actions-token")
        answer = copy.run("execute", "--submit", "--now", at(later + timedelta(minutes=1)))
        assert answer.code == 0, answer.text
        copy.clone.git("fetch", "--quiet", "origin")
        state = copy.clone.git("show", "origin/main:execution_results/trading_state.json")
        assert json.loads(state)["state"] == "ACTIVE"


def test_somebody_alone_has_the_bot_open_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cycle(tmp_path, monkeypatch) as it:
        monkeypatch.setenv("AUTOINVESTOR_PROPOSAL", block("resume by the bot"))
        answer = it.runs("propose", "--packed")
        assert answer.code == 0, answer.text
        (pull,) = it.pulls()
        assert pull["user"]["login"] == "github-actions[bot]"
        plan = it.read("trading_instructions.json", pull["head"]["ref"])
        assert plan["trading_state"] == json.loads(block("resume"))["trading_state"]
