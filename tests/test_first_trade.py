"""The README's first trade on GitHub: a fresh copy, a variable, a file, a merge; on a Saturday."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.commands.hosted import NAME, hosted
from tests.forge.state import Repository

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")

SATURDAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def test_the_first_trade_needs_no_secret_and_no_second_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (plan,) = re.findall(r"with a plan such as this[^`]+```json\n([^`]+)```", README)
    with hosted(tmp_path, monkeypatch) as copy:
        monkeypatch.setenv("GITHUB_SERVER_URL", copy.server.url)
        copy.server.call(lambda state: state.clock.set(SATURDAY))

        # The owner, in a browser: a branch with one file, its pull request, its merge.
        forge = copy.forge("owner-token")
        main = copy.clone.git("rev-parse", "main")
        forge.branch("octo-owner-patch-1", main)
        forge.commit_on(
            "octo-owner-patch-1", copy.adding("trading_instructions.json", plan.encode()), main
        )
        number = copy.opens("octo-owner-patch-1")
        copy.api("owner-token").put("pulls", number, "merge", body={"merge_method": "merge"})

        # The workflow: a checkout of main, its own token.
        copy.on_a_runner("actions-token")
        answer = copy.run("execute", "--submit", "--now", f"{SATURDAY:%Y-%m-%dT%H:%M:%SZ}")
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
