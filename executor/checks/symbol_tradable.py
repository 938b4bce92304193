"""The broker trades the symbol, and in fractions where the plan asks for one."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context, Line
from executor.model.market import Asset
from executor.model.rule import Finding, Rule, no, not_now

TRADED_CLASS = "us_equity"


def judge(context: Context) -> Iterator[Finding]:
    """Look each symbol up among the broker's assets."""
    assets = context.facts.assets
    assert assets is not None, "the check names `assets` in its needs"
    for line in context.lines:
        if line.symbol not in assets:
            yield not_now(
                line,
                observed=f"no answer about the asset {line.symbol}",
                remedy="run again when the broker answers",
                key="ticker",
            )
            continue
        asset = assets[line.symbol]
        if asset is None:
            yield no(
                line,
                observed=f"the broker knows no symbol {line.symbol}",
                limit="a symbol that the broker lists",
                remedy="check the spelling, or take the line out",
                key="ticker",
            )
            continue
        yield from _asset(line, asset)


def _asset(line: Line, asset: Asset) -> Iterator[Finding]:
    another = "choose another symbol, or take the line out"
    if asset.asset_class != TRADED_CLASS:
        yield no(
            line,
            observed=f"{line.symbol} is of class {asset.asset_class}",
            limit=f"class {TRADED_CLASS}",
            remedy=another,
            key="ticker",
        )
    if asset.status != "active" or not asset.tradable:
        state = asset.status if asset.status != "active" else "active but not tradable"
        yield no(
            line,
            observed=f"{line.symbol} is {state}",
            limit="active and tradable",
            remedy=another,
            key="ticker",
        )
    if not asset.fractionable and (part := _fraction(line)):
        yield no(
            line,
            observed=f"{line.symbol} {line.side}: {part} of a symbol that has no fractions",
            limit="whole shares",
            remedy="give `quantity` in whole shares",
        )


def _fraction(line: Line) -> str | None:
    """Name what asks for a fraction; the word `all` does not: a remnant of a split may be sold."""
    shares = line.instruction.shares
    if shares is not None and shares % 1:
        return "a fraction"
    return "a notional" if line.instruction.notional is not None else None


RULE = Rule(id="symbol_tradable", judge=judge, needs=frozenset({"assets"}), judges_exits=True)
