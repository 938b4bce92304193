"""What a command came to: an exit code, the same facts as data and as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from executor.errors import ExitCode
from executor.reports.blocks import Block


@dataclass(frozen=True, slots=True)
class Reply:
    """A command's answer."""

    exit_code: ExitCode
    data: dict[str, Any] = field(default_factory=dict)
    """For `--json`."""
    blocks: tuple[Block, ...] = ()
    """For people."""
