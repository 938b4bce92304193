"""A check's answer, with what was observed, the limit, and the remedy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from executor.model.fields import Document, Sentence, Word


class Answer(StrEnum):
    """The four things that a check may say."""

    YES = "yes"
    """Nothing stands against it; a warning may still be attached."""
    NO = "no"
    """A fact proves the breach."""
    NOT_NOW = "not_now"
    """A fact is missing, stale or lagging, or the hour is wrong: it waits."""
    NOT_JUDGED_HERE = "not_judged_here"
    """This is not the moment at which the check has its facts."""


class Verdict(Document):
    """One answer of one check, about the whole plan or about one place in it."""

    check: Word
    """The check's id: the name of its file."""
    answer: Annotated[Answer, Field(strict=False)]
    """The answer."""
    warning: Sentence | None = None
    """With a yes: what the reviewer should still see."""
    pointer: str | None = None
    """JSON pointer into the plan, such as `/instructions/2`; null: the whole plan."""
    observed: Sentence | None = None
    """What was found, with its unit."""
    limit: Sentence | None = None
    """What is allowed, with its unit."""
    remedy: Sentence | None = None
    """What would make the answer yes."""

    @property
    def index(self) -> int | None:
        """The instruction that the verdict is about; None for the whole plan."""
        parts = (self.pointer or "").split("/")
        if len(parts) > 2 and parts[1] == "instructions" and parts[2].isdecimal():
            return int(parts[2])
        return None

    def sentence(self) -> str:
        """Write the verdict in the house form: what, where: observed, limit; remedy."""
        place = self.place
        where = f"{place}: " if place and place != self.check else ""
        limit = f"limit: {self.limit}" if self.limit else ""
        facts = ", ".join(part for part in (self.observed, limit) if part)
        ending = f"; {self.remedy}" if self.remedy else ""
        return f"{self.check}: {where}{self.warning or facts or self.answer.value}{ending}"

    @property
    def place(self) -> str:
        """Where in the plan, as a person writes it: `instructions[2].quantity`."""
        steps = (self.pointer or "").split("/")[1:]
        shown = ""
        for step in steps:
            shown += f"[{step}]" if step.isdecimal() else f".{step}" if shown else step
        return shown
