from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from executor.decisions.due import (
    DOCTOR_TITLE,
    EXECUTE_TITLE,
    SETTLE_TITLE,
    review_title,
    validate_title,
)
from executor.model.due import DOCTOR, EXECUTE, REVIEW, SETTLE, VALIDATE
from tests.workflows.files import Workflow, workflows
from tests.workflows.rules import RULES, WITHOUT_MAIN, WITHOUT_SWITCH, Files, objections

NAMES = {
    "ci",
    "doctor",
    "execute",
    "halt",
    "propose",
    "pull-request",
    "review",
    "settle",
    "tick",
    "validate",
}


def test_these_are_the_workflows() -> None:
    assert set(workflows()) == NAMES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_files_keep(rule: Callable[[Files], Iterator[str]]) -> None:
    assert list(rule(workflows())) == []


def test_what_is_excepted_is_there() -> None:
    there = {job.where for one in workflows().values() for job in one.jobs}
    assert {*WITHOUT_MAIN, *WITHOUT_SWITCH} <= there


ON_MAIN = "github.ref == 'refs/heads/main' && "
CORE = "make .venv/core # from the list with hashes"
REASON = (
    "runs main's file and code; a comment is data that the verb reads, by people whose right GitHub"
    " confirms"
)
BROKEN = [
    ("tick", "permissions: {}", "permissions: read-all", "permissions at the top"),
    ("execute", " # plan/result on the merged head", "", "no reason beside it"),
    ("validate", "contents: read # checks", "contents: admin # checks", "other than read and"),
    ("execute", ON_MAIN, "", "has secrets or writes"),
    ("execute", "github.ref == 'refs/heads/main'", "github.ref != ''", "has secrets or writes"),
    ("execute", " && vars.TRADING_ENABLED == 'true'", "", "not inert"),
    ("halt", "vars.TRADING_ENABLED != ''", "true", "not inert"),
    ("settle", "    timeout-minutes: 15\n", "", "timeout-minutes None"),
    ("settle", "timeout-minutes: 15", "timeout-minutes: 300", "timeout-minutes 300"),
    ("tick", "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "no commit with"),
    ("tick", "@3d3c42e5aac5ba805825da76410c181273ba90b1", f"@{'0' * 40}", "another commit"),
    ("tick", "actions/checkout@", "someone/checkout@", "not on the list"),
    ("execute", "vars.AUTOINVESTOR_ENVIRONMENT", "vars.AUTOINVESTOR_MODE", "secrets without"),
    ("execute", ", deployment: false", "", "secrets without"),
    ("execute", "  push:\n    branches: [main]\n", "  pull_request:\n", "pull request's own file"),
    ("review", "  agent:\n    name: agent", "  thinker:\n    name: thinker", "0 jobs are named"),
    (
        "review",
        '--to "$RUNNER_TEMP/proposal"\n',
        '--to "$RUNNER_TEMP/proposal"\n        env: { KEY: "${{ secrets.ALPACA_API_KEY }}" }\n',
        "more than a token that reads",
    ),
    (
        "review",
        '--to "$RUNNER_TEMP/proposal"\n',
        '--to "$RUNNER_TEMP/proposal"\n        env: { KEY: "${{ github.token }}" }\n',
        "is handed a token",
    ),
    ("execute", "          permission-statuses: write\n", "", "other rights than the job"),
    ("execute", "        if: vars.APP_CLIENT_ID != ''\n", "", "where no App may be"),
    ("execute", ", persist-credentials: false", "", "leaves its credential"),
    ("execute", "ref: main, ", "", "another ref than main"),
    ("execute", CORE, "pip install . # from", "installs something else"),
    ("execute", 'python-version: "3.11"', 'python-version: "3.11", cache: pip', "a cache"),
    ("validate", '"$PULL_REQUEST"', "${{ inputs.pull_request }}", "an expression in a script"),
    ("execute", "  queue: max\n", "", "outside the queue main"),
    ("execute", "cancel-in-progress: false", "cancel-in-progress: true", "with cancel-in-progress"),
    ("halt", "group: halt", "group: main", "outside the queue halt"),
    ("validate", "group: validate-${{ inputs.pull_request }}", "group: main", "a writer's queue"),
    ("doctor", "  workflow_dispatch:", "  schedule:\n    - cron: 7 7 * * 1", "tick alone"),
    ("validate", "  workflow_dispatch:", "  workflow_run:", "validate: workflow_run"),
    ("validate", "  workflow_dispatch:", "  issue_comment:", "validate: issue_comment"),
    ("ci", "      - strategy_reviews/**\n", "", "on a plan's pull request"),
    ("execute", "autoinvestor execute --submit", "autoinvestor settle", "does not call its verb"),
    ("execute", "execute --submit", "execute --force", "--force"),
    ("execute", "autoinvestor execute", "autoinvestor run", "no such verb"),
    ("halt", REASON, "fine", "overlooked without"),
]


@pytest.mark.parametrize(("name", "old", "new", "expected"), BROKEN)
def test_what_breaks_a_rule_is_seen(name: str, old: str, new: str, expected: str) -> None:
    files = workflows()
    text = files[name].text
    assert old in text, f"{name}.yml does not say {old!r}"
    found = objections({**files, name: Workflow.of(name, text.replace(old, new))})
    assert any(expected in one for one in found), found


def test_a_file_that_fills_two_screens_is_seen() -> None:
    files = workflows()
    long = files["tick"].text + "# more\n" * 60
    assert any("lines" in one for one in objections({**files, "tick": Workflow.of("tick", long)}))


def test_a_run_is_named_as_the_tick_looks_for_it() -> None:
    files = workflows()
    named = {name: str(one.keys["run-name"]) for name, one in files.items()}
    assert named["execute"] == EXECUTE_TITLE
    assert named["settle"] == SETTLE_TITLE
    assert named["doctor"] == DOCTOR_TITLE
    assert named["validate"].replace("${{ inputs.pull_request }}", "7") == validate_title(7)
    scheduled = named["review"].replace("${{ inputs.strategy || 'default' }}", "momentum")
    slot = "${{ inputs.slot || format('asked by {0}', github.actor) }}"
    assert scheduled.replace(slot, "14:30Z") == review_title("momentum", "14:30Z")


def test_the_tick_dispatches_what_may_be_dispatched() -> None:
    files = workflows()
    inputs = {
        REVIEW: {"reason", "strategy", "slot"},
        VALIDATE: {"pull_request"},
        EXECUTE: set(),
        SETTLE: set(),
        DOCTOR: set(),
    }
    for file, given in inputs.items():
        known = files[file.removesuffix(".yml")].triggers["workflow_dispatch"].get("inputs", {})
        assert given == set(known), file
