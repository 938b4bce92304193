"""The chain of results: each names the digest of the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from executor.model.result import ExecutionResult


@dataclass(frozen=True, slots=True)
class Link:
    """One result of the record."""

    path: str
    digest: str
    """Digest of the document as it lies in git."""
    result: ExecutionResult


@dataclass(frozen=True, slots=True)
class Chain:
    """Every result in the order of the chain, and what is wrong with it."""

    links: tuple[Link, ...]
    """First to newest."""
    breaches: tuple[str, ...] = ()
    """One sentence each; empty where the chain holds."""

    @property
    def newest(self) -> Link | None:
        """The last link."""
        return self.links[-1] if self.links else None


def order(links: Iterable[Link], after: str | None = None) -> Chain:
    """Put results into the order in which they name each other.

    A chain holds where exactly one result names none before it, each other one names a result that
    is there, and no two name the same. Results that the chain does not reach are breaches.

    Args:
        links: every result, or those that came after a known one.
        after: digest of the known one that the first of them names; None: they are all there are.
    """
    found = tuple(links)
    by_digest = {link.digest: link for link in found}
    followers: dict[str | None, list[Link]] = {}
    for link in found:
        followers.setdefault(link.result.previous_result_digest, []).append(link)
    breaches: list[str] = []
    for previous, named_by in sorted(followers.items(), key=lambda item: item[0] or ""):
        names = ", ".join(sorted(link.path for link in named_by))
        if previous != after and (previous is None or previous not in by_digest):
            named = f"result {previous}, which is not there" if previous else "no result"
            breaches.append(f"{names}: names {named}")
        elif len(named_by) > 1:
            known = by_digest.get(previous or "")
            before = known.path if known else f"result {previous}" if previous else "no result"
            breaches.append(f"{names}: all name {before} as the one before them")
    ordered: list[Link] = []
    place: str | None = after
    while following := followers.get(place):
        ordered.append(following[0])
        place = following[0].digest
    if len(ordered) < len(found) and not breaches:
        breaches.append("the results name each other in a circle")
    return Chain(tuple(ordered), tuple(breaches))
