"""The terminal: blocks as tables with color on a terminal, as plain text or JSON elsewhere."""

from __future__ import annotations

import re
import sys
from typing import IO, Any, Final

from executor.errors import ExitCode
from executor.reports.blocks import Block, Line, Tone, plain_text
from executor.reports.reply import Reply

_STYLES: Final[dict[Tone, str]] = {
    "plain": "",
    "good": "green",
    "bad": "bold red",
    "waiting": "yellow",
    "faint": "dim",
}

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Console:
    """Writes outcomes to standard output, progress and errors to standard error."""

    def __init__(
        self, *, as_json: bool = False, out: IO[str] | None = None, err: IO[str] | None = None
    ) -> None:
        """Write to the given streams; by default to the process's own."""
        self._as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def say(self, line: str) -> None:
        """Tell progress; it never mixes with the answer."""
        self._err.write(_visible(line) + "\n")
        self._err.flush()

    def error(self, text: str, tone: Tone = "bad") -> None:
        """Tell what went wrong."""
        if _is_terminal(self._err):
            self._rich((Line(text, tone),), self._err)
        else:
            self.say(text)

    def show(self, blocks: tuple[Block, ...]) -> None:
        """Show blocks now, ahead of the outcome; silent where the answer is JSON."""
        if self._as_json:
            return
        if _is_terminal(self._out):
            self._rich(blocks, self._out)
        else:
            self._out.write(_visible(plain_text(blocks)) + "\n")
        self._out.flush()

    def finish(self, outcome: Reply) -> ExitCode:
        """Write the answer; the exit code is the outcome's."""
        if self._as_json:
            import simplejson

            text = simplejson.dumps(outcome.data, use_decimal=True, indent=2, default=str)
            self._out.write(text + "\n")
        elif outcome.blocks:
            self.show(outcome.blocks)
        self._out.flush()
        return outcome.exit_code

    def _rich(self, blocks: tuple[Block, ...], stream: IO[str]) -> None:
        # A third of a second and only of use on a terminal: loaded when one is there.
        from rich.console import Console as RichConsole
        from rich.table import Table as RichTable
        from rich.text import Text

        console = RichConsole(file=stream, highlight=False)
        for block in blocks:
            if isinstance(block, Line):
                console.print(Text(_visible(block.text), style=_STYLES[block.tone]))
                continue
            table = RichTable(title=block.title or None, title_justify="left")
            for heading in block.columns:
                justify: Any = "right" if heading in block.numeric else "left"
                table.add_column(heading, justify=justify, overflow="fold")
            for row in block.rows:
                table.add_row(*(Text(_visible(cell)) for cell in row))
            console.print(table)


def _visible(text: str) -> str:
    """Spell out control characters: a text of an agent must not move the cursor or color a line."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _is_terminal(stream: IO[str]) -> bool:
    return stream.isatty()
