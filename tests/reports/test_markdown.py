from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from executor.model.reading import INVISIBLE
from executor.reports.markdown import (
    COMMENT_MAX,
    cell,
    clipped,
    code,
    details,
    fitted,
    quote,
    table,
    visible,
)

GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""CommonMark with GitHub's tables and strikethrough, HTML passed through."""

SKIPPED = re.compile(
    r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:", re.IGNORECASE
)
"""What suppresses workflows when it stands in a merge's message."""


class Page(HTMLParser):
    """What a rendered text shows: its words, those outside code, and its tags."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.outside = ""
        self.tags: list[str] = []
        self._within: list[str] = []
        self.feed(GITHUB.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        ours = {("ol", "start"), ("th", "style"), ("td", "style"), ("code", "class")}
        assert {(tag, name) for name, _ in attrs} <= ours, (tag, attrs)
        self.tags.append(tag)
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._within.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" not in self._within:
            self.outside += data


NASTY = (
    "@octocat", "org/team", "![](https://evil.example/pixel.png)", "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>", "</details>", "<!--", "-->", "# heading", "\n---\n",
    "| a | b |",
    "\\|", "\\", "`", "``", "```", "~~~", "~~no~~", "#12", "GH-12", "owner/repo#1", "a@example.com",
    "www.example.com", "https://example.com", "[skip ci]", "[ci skip]", "[No CI]", "[skip actions]",
    "[actions skip]", "skip-checks: true", "\u202e", "\u200b", "\u2066", "&amp;", "&#64;", ":tada:",
    "$x$", "> [!NOTE]", "- [x] done", "[^1]", " ", "  ", "\n", "\r\n", "\t", "\x00",
    "é", "価格", "😀",
)  # fmt: skip
"""Pieces that mean something to GitHub, or to a reader of HTML."""

TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(NASTY), max_size=8).map("".join),
    st.text(alphabet="`\\| ab[]<>#@\n", max_size=20),
)


def shown(text: str) -> str:
    """A text as a page shows it: in one line, nothing hidden."""
    return visible(text)


@given(TEXTS)
@example("`")
@example(" ` ")
@example("  ")
@example("a\\|b")
@example("[skip ci]")
@example("``` x")
def test_the_page_shows_the_very_text_and_makes_nothing_of_it(text: str) -> None:
    page = Page(f"Reason: {code(text)}.")
    assert page.text.strip() == f"Reason: {shown(text)}."
    assert page.outside.strip() == "Reason: ."
    assert set(page.tags) <= {"p", "code"}


@given(TEXTS)
def test_the_same_at_the_start_of_a_line_and_in_a_list(text: str) -> None:
    line = code(text) or "nothing"
    assert Page(line).text.rstrip("\n") == (shown(text) or "nothing")
    page = Page(f"- {line}\n- next")
    assert page.text.split("\n")[1] == (shown(text) or "nothing")
    assert set(page.tags) <= {"ul", "li", "code"}


@given(TEXTS, TEXTS)
@example("a\\|b", "c|d")
@example("\\", "|")
def test_a_cell_stays_in_its_table(first: str, second: str) -> None:
    page = Page(table(("one", "two"), [(cell(first), cell(second))], frozenset({"two"})))
    assert page.tags.count("td") == 2
    assert page.tags.count("table") == 1
    assert page.outside.split() == ["one", "two"]
    squeezed = page.text.replace("\n", "")
    assert squeezed == f"onetwo{shown(first)}{shown(second)}"


@given(TEXTS)
def test_nothing_in_the_raw_text_skips_a_workflow_or_names_anybody(text: str) -> None:
    for raw in (code(text), cell(text), quote(text, 10_000)):
        assert not SKIPPED.search(raw)
        assert not re.search(r"@\w|#\d|gh-\d", raw, re.IGNORECASE)
        assert not INVISIBLE.search(raw)


@given(TEXTS)
def test_a_quotation_shows_every_line(text: str) -> None:
    page = Page(quote(text, 10_000))
    lines = re.split(r"\r?\n", text.strip())
    wanted = [visible(line) for line in lines if line.strip()]
    assert page.outside.strip() == ""
    assert page.text.replace("\n", "") == "".join(wanted)
    assert set(page.tags) <= {"blockquote", "p", "code"}


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert code("a\u202eb") == "`a\\u202eb`"
    assert code("\U000e0041") == "`\\U000e0041`"
    assert code("one\r\ntwo\tthree") == "`one two three`"
    assert code("") == ""


def test_a_long_text_is_cut() -> None:
    assert clipped("abcdef", None) == "abcdef"
    assert clipped("abcdef", 6) == "abcdef"
    assert clipped("abcdef", 4) == "abc…"
    assert code("abc def", 5) == "`abc…`"


def test_a_section_is_folded_in() -> None:
    page = Page(details("what", f"- {code('</details>')}"))
    assert page.tags[:2] == ["details", "summary"]
    assert "</details>" in page.text


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_what_finds_no_room_is_counted(letter: str) -> None:
    size = 30_000 // len(letter.encode("utf-16-le")) * 2
    parts = [letter * size] * 4
    text = fitted("head", parts, tail="tail")
    assert text.startswith("head\n\n" + letter)
    assert text.endswith(
        "*2 parts of this report left out: GitHub takes 65,536 characters; the job's log has"
        " all.*\n\ntail"
    )
    assert len(text.encode("utf-16-le")) // 2 <= COMMENT_MAX
    # A small part finds its place behind a large one that has none.
    assert fitted("head", [*parts[:3], "small"]).count("small\n\n*1 part of") == 1
    assert fitted("head", ["a", "b"]) == "head\n\na\n\nb"
