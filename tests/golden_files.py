"""Golden files: what a person reads, kept as text beside the tests.

`UPDATE_GOLDEN=1 pytest tests/reports` writes them anew; the difference is then read in the review.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Hold a text against `tests/golden/<name>.txt`."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    assert path.is_file(), f"{path.name} is not there: run with UPDATE_GOLDEN=1 and read it"
    assert text + "\n" == path.read_text()
