"""A listener that remembers."""

from __future__ import annotations


class Heard:
    """The `Progress` port: every line, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)
