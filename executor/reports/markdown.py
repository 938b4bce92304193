"""Texts of others in GitHub's Markdown: shown as they are, doing nothing.

Every such text stands in code spans, because that is where GitHub makes nothing of anything: no
mention, link, image, issue number, emoji, formula, heading or HTML. An entity in place of a
character would not do: mentions and mail addresses are looked for in the rendered text
(GitHub Flavored Markdown, section 6.9; "Basic writing and formatting syntax", GitHub docs).

A pull request's body may become the message of a merge, read raw. So what would steer a workflow
or close an issue there is broken up as well, by an empty comment that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from executor.model.reading import INVISIBLE

COMMENT_MAX: Final = 65_536
"""Characters of a comment or a pull request's body."""

SUMMARY_MAX: Final = 1_048_576
"""Bytes of a job's summary."""

_JOINT: Final = "<!-- -->"
"""Nothing, on the page; in the raw text it keeps two code spans apart."""

_BREAKS: Final = re.compile(
    # "Skipping workflow runs": [skip ci], [ci skip], [no ci], [skip actions], [actions skip]
    r"(?<=\[)(?=\s*(?:skip|ci|no|actions)\b)"
    r"|(?<=skip-)(?=checks)"
    # @name, #12 and GH-12 in a commit message notify and link
    r"|(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=gh-)(?=\d)",
    re.IGNORECASE,
)

_PIPE: Final = re.compile(r"(?<=\\)(?=\|)")
"""Between a backslash and a pipe: in a table the one would belong to the other."""


def visible(text: str) -> str:
    """A text in one line: what cannot be seen, or turns what is seen around, is spelled out."""
    line = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return INVISIBLE.sub(_spelled, line)


def _spelled(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\u{number:04x}" if number < 0x1_0000 else f"\\U{number:08x}"


def code(text: str, most: int | None = None) -> str:
    """A text of anybody, as one line of Markdown that shows just this text.

    Args:
        text: anything; nothing of it is trusted.
        most: characters that are shown; what is cut ends with `…`.
    """
    line = clipped(visible(text), most)
    return _JOINT.join(map(_span, _BREAKS.split(line))) if line else ""


def cell(text: str, most: int | None = None) -> str:
    """The same for a cell of a table, where a pipe would end it."""
    line = clipped(visible(text), most)
    pieces = [part for piece in _BREAKS.split(line) for part in _PIPE.split(piece)]
    return _JOINT.join(_span(one).replace("|", "\\|") for one in pieces) if line else ""


def _span(line: str) -> str:
    """A code span: its fence is longer than any run of backticks inside.

    A space at both ends is taken away by the reader, so it is put there where one is needed.
    """
    runs = {len(run) for run in re.findall("`+", line)}
    fence = "`" * next(size for size in range(1, len(runs) + 2) if size not in runs)
    is_padded = line[0] == line[-1] == " " and line.strip(" ") != ""
    pad = " " if is_padded or "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def quote(text: str, most: int) -> str:
    """A text of several paragraphs, each of its lines as one of a quotation.

    Args:
        text: anything.
        most: characters that are shown.
    """
    shown = clipped(text.strip(), most)
    lines = [code(line) for line in re.split(r"\r?\n", shown) if line.strip()]
    return "\n>\n".join(f"> {line}" for line in lines)


def clipped(text: str, most: int | None) -> str:
    """At most so many characters; what is cut ends with `…`."""
    if most is None or len(text) <= most:
        return text
    return text[: max(most - 1, 0)].rstrip() + "…"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[str]) -> str:
    """A table of cells that are Markdown already; columns named in `right` are set to the right."""
    rule = ["--:" if one in right else ":--" for one in columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def details(summary: str, body: str) -> str:
    """A section that is folded in until it is asked for; both are Markdown of ours."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def fitted(head: str, parts: Sequence[str], most: int = COMMENT_MAX, tail: str = "") -> str:
    """Put a comment together; a part that finds no room is counted instead, and never cut.

    Args:
        head: what must be there.
        parts: the rest, the most important first.
        most: characters, counted as GitHub does: by UTF-16, where some count twice.
        tail: what must be there at the end.
    """
    note = "*{} of this report left out: GitHub takes {:,} characters; the job's log has all.*"
    room = most - sum(map(_length, (head, tail, note.format("999 parts", most)))) - 6
    kept: list[str] = []
    for part in parts:
        size = _length(part) + 2
        if size <= room:
            room -= size
            kept.append(part)
    missing = len(parts) - len(kept)
    if missing:
        kept.append(note.format("1 part" if missing == 1 else f"{missing} parts", most))
    return "\n\n".join(one for one in (head, *kept, tail) if one)


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
