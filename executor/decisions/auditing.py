"""What the history proves and where it breaks: append-only, chained, every result with its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from executor.decisions.chain import Chain, Link, order
from executor.decisions.ledger import SENT
from executor.decisions.reconcile import summarize
from executor.errors import DocumentError
from executor.model.digest import digest, plan_digest, raw_digest
from executor.model.numbers import ZERO
from executor.model.reading import read_document
from executor.model.result import ExecutionResult

REWRITTEN: Final = frozenset(
    {"execution_results/trading_state.json", "execution_results/account.json"}
)
"""Files in the history folders that are rewritten by design; each change is a result as well."""

UNPROVEN: Final = (
    (
        "that each execution was approved by a person",
        "the pull requests, reviews and statuses on GitHub",
    ),
    ("that the broker's orders and fills are these", "the broker's own records, with a key"),
    (
        "that no tail of the history was cut off",
        "the newest digest, kept elsewhere, or the broker's orders with our prefix",
    ),
)
"""What a plain clone cannot prove, and the evidence that would."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path that one commit touched, against one of its parents."""

    commit: str
    kind: str
    """`A` added, `M` changed, `D` removed, as git says."""
    path: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that does not hold."""

    rule: str
    path: str
    commit: str | None
    """The commit that broke it, where one did."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at and what was found."""

    results: int
    plans: int
    newest_digest: str | None
    breaches: tuple[Breach, ...]


def audit(
    changes: Iterable[FileChange], results: Mapping[str, bytes], plans: Mapping[str, bytes]
) -> Audit:
    """Go through the whole history.

    Args:
        changes: every change to the history folders, against each parent of each commit.
        results: files under `execution_results/` by path.
        plans: files under `trading_instructions_history/` by path.
    """
    breaches = list(_rewritten(changes))
    links, unreadable = _links(results)
    breaches += unreadable
    chain = order(links)
    breaches += [Breach("chain", "", None, sentence) for sentence in chain.breaches]
    breaches += [breach for link in links for breach in _plan_of(link, plans)]
    breaches += _told_twice(chain.links)
    breaches += _unexplained(links, plans)
    archived = sum(path.endswith(".json") for path in plans)
    return Audit(len(links), archived, _newest(chain), tuple(breaches))


def _rewritten(changes: Iterable[FileChange]) -> Iterable[Breach]:
    word = {"M": "changed", "D": "removed", "T": "changed in kind"}
    for change in changes:
        if change.kind == "A" or change.path in REWRITTEN or not change.path.endswith(".json"):
            continue
        done = word.get(change.kind, f"touched ({change.kind})")
        sentence = f"{change.path}: {done} after it was added, by commit {change.commit[:12]}"
        yield Breach("append_only", change.path, change.commit, sentence)


def _links(results: Mapping[str, bytes]) -> tuple[list[Link], list[Breach]]:
    links: list[Link] = []
    breaches: list[Breach] = []
    for path, data in results.items():
        if path in REWRITTEN or not path.endswith(".json"):
            continue
        try:
            tree = read_document(data, of_record=True)
            result = ExecutionResult.model_validate(tree)
            links.append(Link(path, digest(tree), result))
            problem = flaw(result)
            if problem is not None:
                breaches.append(Breach("adds_up", path, None, f"{path}: {problem}"))
        except (DocumentError, ValidationError):
            breaches.append(Breach("readable", path, None, f"{path}: cannot be read as a result"))
    return links, breaches


def flaw(result: ExecutionResult) -> str | None:
    """What does not add up within one result; None where everything does."""
    if result.instructions and result.execution_summary != summarize(result.instructions):
        return "its summary does not count its instructions"
    for one in result.instructions:
        filled = sum((fill.quantity for fill in one.fills), ZERO)
        if one.fills and (one.side is None or one.client_order_id is None):
            return f"instruction {one.index} holds fills and names no order"
        if filled > one.filled_quantity:
            return f"instruction {one.index} holds more fills than it says are filled"
    return None


def _told_twice(links: Sequence[Link]) -> Iterable[Breach]:
    """Each order is executed in one result; later ones settle it and go on from what it filled."""
    filled: dict[str, Decimal] = {}
    for link in links:
        for one in link.result.instructions:
            key = one.client_order_id
            if key is None or one.outcome not in SENT:
                continue
            before = filled.get(key, ZERO)
            if link.result.kind == "execution" and key in filled:
                sentence = f"{link.path}: order {key} was executed in an earlier result already"
                yield Breach("written_once", link.path, None, sentence)
            elif before + sum((fill.quantity for fill in one.fills), ZERO) != one.filled_quantity:
                sentence = f"{link.path}: order {key} does not go on from what was filled before"
                yield Breach("written_once", link.path, None, sentence)
            filled[key] = one.filled_quantity


def _plan_of(link: Link, plans: Mapping[str, bytes]) -> Iterable[Breach]:
    result = link.result
    if result.kind not in ("execution", "settlement"):
        return
    if result.archived_as is None or result.archived_as not in plans:
        where = result.archived_as or "no path"
        sentence = f"{link.path}: its plan is not in the history ({where})"
        yield Breach("result_has_plan", link.path, None, sentence)
        return
    found = _digest_of(plans[result.archived_as])
    if found != result.plan_digest:
        sentence = f"{link.path}: {result.archived_as} is not the plan that was executed"
        yield Breach("result_has_plan", link.path, None, sentence)


def _digest_of(data: bytes) -> str:
    try:
        return plan_digest(read_document(data, of_record=True))
    except DocumentError:
        return raw_digest(data)


def _unexplained(links: Sequence[Link], plans: Mapping[str, bytes]) -> Iterable[Breach]:
    explained = {link.result.archived_as for link in links if link.result.kind == "execution"}
    for path in plans:
        if path.endswith(".json") and path not in explained:
            yield Breach("plan_has_result", path, None, f"{path}: no result tells how it ended")


def _newest(chain: Chain) -> str | None:
    return chain.newest.digest if chain.newest else None
