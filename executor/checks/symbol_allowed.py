"""Only symbols that the settings allow are opened."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no
from executor.model.settings import SETTINGS_PATH


def judge(context: Context) -> Iterator[Finding]:
    """Hold each symbol against both lists; the deny list wins."""
    symbols = context.settings.symbols
    for line in context.openings:
        if line.symbol in symbols.deny:
            yield no(
                line,
                observed=f"{line.symbol} is denied",
                limit=f"[symbols] deny in {SETTINGS_PATH}",
                remedy="take the line out, or have the list changed by a pull request of its own",
                key="ticker",
            )
        elif symbols.allow and line.symbol not in symbols.allow:
            yield no(
                line,
                observed=f"{line.symbol} is not on the list of allowed symbols",
                limit=f"[symbols] allow in {SETTINGS_PATH}: {', '.join(symbols.allow)}",
                remedy="choose one of these, or have the list changed by a pull request of its own",
                key="ticker",
            )


RULE = Rule(id="symbol_allowed", judge=judge, moments=EVERY_MOMENT)
