from __future__ import annotations

import re

import pytest

from tests.workflows.files import ROOT, Workflow, workflows
from tests.workflows.minutes import LIMIT, firings, rows, table


def test_the_default_schedule_stays_below_the_limit() -> None:
    assert sum(one.minutes for one in rows(workflows())) <= LIMIT


def test_every_workflow_that_runs_by_itself_is_counted() -> None:
    by_hand = {"ci", "halt", "propose", "pull-request"}
    assert {one.workflow for one in rows(workflows())} == set(workflows()) - by_hand


def test_a_tighter_schedule_costs_more() -> None:
    files = workflows()
    text = files["tick"].text.replace("7,37 9-16", "*/10 9-16")
    dense = {**files, "tick": Workflow.of("tick", text)}
    assert sum(one.minutes for one in rows(dense)) > LIMIT


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("7,37 9-16 * * 1-5", 16),
        ("*/15 * * * 1-5", 96),
        ("0 9 * * 1-5", 1),
        ("1-9/4 8,9 * * 1-5", 6),
    ],
)
def test_firings_a_weekday(cron: str, expected: int) -> None:
    assert firings(cron) == expected


def test_another_form_is_refused_rather_than_guessed() -> None:
    with pytest.raises(ValueError, match="not every Monday"):
        firings("7 9 * * *")


def test_the_readme_shows_the_sum() -> None:
    """What stands behind `<!-- minutes -->` is the computed table."""
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"^<!-- minutes -->\n(.*?)\n\n", readme, flags=re.MULTILINE | re.DOTALL)
    assert shown is not None, f"README.md lacks the table:\n<!-- minutes -->\n{table(workflows())}"
    assert shown.group(1) == table(workflows())
