"""The mission's API for writing a plan: `TradingInstruction` and `TradingInstructionSet`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from executor.decisions.document import problems_of
from executor.errors import DocumentError, UsageError
from executor.model.plan import PLAN_PATH, TradingInstruction
from executor.model.plan import TradingInstructionSet as Plan
from executor.model.reading import SIZE_LIMIT, read_document
from executor.model.writing import write_document

__all__ = ["TradingInstruction", "TradingInstructionSet"]


class TradingInstructionSet(Plan):
    """A plan that can be saved. It takes its `timestamp` once, when it is made.

    A second plan with the same instructions is another plan, because its timestamp differs; the
    same plan saved twice is the same document and executes once.
    """

    def __init__(self, **fields: Any) -> None:
        """Make a plan; an absent `timestamp` becomes the present, to the second.

        Raises:
            pydantic.ValidationError: a field is missing, unknown or out of its range.
        """
        if "timestamp" not in fields:
            fields["timestamp"] = datetime.now(UTC).replace(microsecond=0)
        super().__init__(**fields)

    def save(self, path: str | Path = PLAN_PATH) -> Path:
        """Write the plan as a document; it is executed only once it is on main.

        What was not given is not written: a plan that was loaded is saved as the same document.

        Args:
            path: where to; the default is where a plan lies in the repository.

        Returns:
            The path written.

        Raises:
            OSError: the file cannot be written.
        """
        target = Path(path)
        given = self.model_dump(exclude_unset=True)
        target.write_bytes(write_document({**given, "status": self.status}))
        return target

    @classmethod
    def load(cls, path: str | Path = PLAN_PATH) -> Self:
        """Read a plan; its timestamp, or the lack of one, stays as it is written.

        Raises:
            UsageError: there is no such file.
            DocumentError: it cannot be read, or a gate refuses it.
        """
        source = Path(path)
        if not source.is_file():
            raise UsageError(f"{source}: no such file; name the plan to read")
        with source.open("rb") as file:
            tree = read_document(file.read(SIZE_LIMIT + 1))
        try:
            read = Plan.model_validate(tree)
        except ValidationError as error:
            raise DocumentError(
                "\n".join(problem.sentence() for problem in problems_of(error, cls))
            ) from None
        # Not through `__init__`: a timestamp that was added would make it another plan, which
        # could execute a second time.
        given = {name: getattr(read, name) for name in read.model_fields_set}
        return cls.model_construct(_fields_set=set(given), **given)
