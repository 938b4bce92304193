from __future__ import annotations

import pytest

from executor.model.rule import Finding, no, not_now, warn
from executor.model.verdict import Answer, Verdict
from tests.checks.builders import context, line, plan


@pytest.mark.parametrize(
    ("pointer", "index"),
    [
        (None, None),
        ("/instructions/2", 2),
        ("/instructions/12/quantity", 12),
        ("/instructions", None),
        ("/instructions/x", None),
        ("/instructions/²", None),
        ("/use_margin", None),
        ("/market_context/vix/2", None),
    ],
)
def test_the_instruction_that_a_verdict_is_about(pointer: str | None, index: int | None) -> None:
    assert Verdict(check="one", answer=Answer.NO, pointer=pointer).index == index


def test_a_verdict_is_one_sentence() -> None:
    whole = Verdict(
        check="buying_power",
        answer=Answer.NO,
        pointer="/instructions/2",
        observed="cost 12,340.00 USD",
        limit="9,876.54 USD",
        remedy="sell first",
    )
    assert whole.sentence() == (
        "buying_power: instructions[2]: cost 12,340.00 USD, limit: 9,876.54 USD; sell first"
    )
    assert Verdict(check="session", answer=Answer.YES).sentence() == "session: yes"
    warned = Verdict(check="session", answer=Answer.YES, warning="look", remedy="twice")
    assert warned.sentence() == "session: look; twice"


def test_a_finding_becomes_a_verdict_with_the_name_of_its_check() -> None:
    [first, second] = context(plan(line(), line("BUY", "AMD"))).lines
    assert first.pointer == "/instructions/0"
    denied = no(second, observed="o", limit="l", remedy="r", key="quantity").verdict("one")
    assert denied == Verdict(
        check="one",
        answer=Answer.NO,
        pointer="/instructions/1/quantity",
        observed="o",
        limit="l",
        remedy="r",
    )
    assert not_now(3, observed="o", remedy="r").verdict("one").pointer == "/instructions/3"
    keyed = not_now(None, observed="o", remedy="r", key="use_margin").verdict("one")
    assert (keyed.pointer, keyed.limit) == ("/use_margin", None)


def test_a_warning_is_a_yes_that_says_something() -> None:
    warned = warn(None, observed="look here").verdict("one")
    assert warned.answer is Answer.YES
    assert warned.warning == "look here"
    assert (warned.observed, warned.limit, warned.remedy, warned.pointer) == (None,) * 4


def test_long_texts_are_cut_to_what_a_verdict_holds() -> None:
    long = "x" * 3_000
    finding = Finding(Answer.NO, None, long, long, long)
    verdict = finding.verdict("one")
    assert {len(one or "") for one in (verdict.observed, verdict.limit, verdict.remedy)} == {2_000}
