"""The page about the checks says of each what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import executor.checks
from executor.checks import all_rules
from executor.model.facts import Moment
from executor.model.rule import Rule
from executor.model.settings import LIMITS_BY_CHECK
from tests.checks.builders import SHIPPED

README = (Path(next(iter(executor.checks.__path__))) / "README.md").read_text("utf-8")
PARTS = ("What.", "Why.", "Limit.", "Remedy.", "Example.", "Source.")
RULES = [pytest.param(rule, id=rule.id) for rule in all_rules()]


def _sections() -> dict[str, str]:
    pieces = re.split(r"^## ", README, flags=re.MULTILINE)[1:]
    return {piece.split("\n", 1)[0]: piece.split("\n", 1)[1] for piece in pieces}


def _first_line(rule: Rule) -> str:
    whom = "⇣ judges exits" if rule.judges_exits else "judges openings only"
    moments = ", ".join(one.value.replace("_", " ") for one in Moment if one in rule.moments)
    needs = ", ".join(sorted(need.replace("_", " ") for need in rule.needs)) or "nothing"
    return f"{whom} · at: {moments} · needs: {needs}"


def test_every_check_has_a_section_and_every_section_a_check() -> None:
    assert list(_sections()) == [rule.id for rule in all_rules()]


def test_every_check_has_a_row_with_its_mark() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \| (⇣ )?\|", README, flags=re.MULTILINE)
    assert rows == [(rule.id, rule.id, "⇣ " if rule.judges_exits else "") for rule in all_rules()]


@pytest.mark.parametrize("rule", RULES)
def test_a_section_begins_with_what_the_code_says(rule: Rule) -> None:
    assert _sections()[rule.id].strip().split("\n")[0] == _first_line(rule)


@pytest.mark.parametrize("rule", RULES)
def test_a_section_says_judges_exits_only_where_it_does(rule: Rule) -> None:
    assert ("judges exits" in _sections()[rule.id].lower()) == rule.judges_exits


@pytest.mark.parametrize("rule", RULES)
def test_a_section_has_every_part_in_order(rule: Rule) -> None:
    parts = re.findall(r"^\* \*\*(\w+\.)\*\* \S", _sections()[rule.id], flags=re.MULTILINE)
    assert tuple(parts) == PARTS


@pytest.mark.parametrize("rule", RULES)
def test_a_section_names_its_limits_with_the_shipped_value(rule: Rule) -> None:
    section = " ".join(_sections()[rule.id].split())
    for name in LIMITS_BY_CHECK.get(rule.id, ()):
        value = getattr(SHIPPED.limits, name)
        shipped = "off" if value is None else f"{value:,}".removesuffix(".0")
        assert re.search(rf"`{name}`, [^:]+: {re.escape(shipped)}(\.0)? · ", section), (
            f"write: `{name}`, <unit>: {shipped} · <value for paper and live>"
        )


@pytest.mark.parametrize("rule", RULES)
def test_an_example_is_a_sentence_of_the_check(rule: Rule) -> None:
    assert re.search(rf"\*\*Example\.\*\* `{rule.id}: ", _sections()[rule.id])
