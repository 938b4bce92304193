"""Strategy reviews as files of the repository; committing them is the caller's."""

from __future__ import annotations

from pathlib import Path

from executor.decisions.results import alternatives, review_name
from executor.model.digest import digest
from executor.model.reading import read_document
from executor.model.review import StrategyReview
from executor.model.writing import write_document


def write_review(repository: Path, review: StrategyReview) -> Path:
    """Write one review under its name; a name that is taken is never overwritten.

    Raises:
        DocumentError: a text holds characters that our own strict reader refuses.
        OSError: the file cannot be written.
    """
    data = write_document(review)
    # What is written must be readable by our own strict reader, or it would be no record.
    content = digest(read_document(data))
    for name in alternatives(review_name(review.timestamp), content):
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always a further name")
