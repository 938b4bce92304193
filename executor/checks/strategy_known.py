"""A plan that opens belongs to a book that the settings know."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no
from executor.model.settings import SETTINGS_PATH, is_known_book


def judge(context: Context) -> Iterator[Finding]:
    """Look the plan's book up; one that only exits may belong to any."""
    settings, book = context.settings, context.book
    if not context.openings or is_known_book(book, settings):
        return
    names = {settings.strategies.default, *settings.strategies.books}
    known = sorted(name for name in names if is_known_book(name, settings))
    state = "disabled" if book in settings.strategies.books else "not known"
    enable = f"enable [strategies.books.{book}] in {SETTINGS_PATH}"
    yield no(
        None,
        observed=f"strategy `{book}` is {state}",
        limit=f"one of: {', '.join(known)}" if known else "no strategy is enabled",
        remedy=f"name one of these, or {enable}" if known else enable,
        key="strategy",
    )


RULE = Rule(id="strategy_known", judge=judge, moments=EVERY_MOMENT)
