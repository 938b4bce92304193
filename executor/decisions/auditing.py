"""What the history proves and where it breaks: append-only, chained, every result with its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from executor.decisions.chain import Chain, Link, order
from executor.decisions.checkpoint import differs
from executor.decisions.ledger import fold
from executor.decisions.notes import (
    DECLINED,
    DECLINED_BY,
    REASON,
    SUPERSEDED,
    SUPERSEDES,
    WITHDRAWN,
    WITHDRAWN_BY,
    moves_the_books,
)
from executor.decisions.reconcile import summarize
from executor.errors import DocumentError
from executor.model.account import ACCOUNT_PATH
from executor.model.checkpoint import Checkpoint
from executor.model.digest import digest, plan_digest, raw_digest
from executor.model.ledger import SENT
from executor.model.numbers import ZERO
from executor.model.order_result import LegResult
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.model.state import STATE_PATH, TradingStateRecord

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
    trailers: Mapping[str, str] = field(default_factory=dict)
    """The commit's trailers, where the caller knows of any."""


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
    made = tuple(changes)
    breaches = list(_rewritten(made))
    links, unreadable = _links(results)
    breaches += unreadable
    chain = order(links)
    breaches += [Breach("chain", "", None, sentence) for sentence in chain.breaches]
    breaches += [breach for link in links for breach in _plan_of(link, plans)]
    breaches += _told_twice(chain.links)
    breaches += _booked_twice(chain.links)
    breaches += _opened_late(chain.links)
    breaches += _untold_state(made, links)
    if not chain.breaches:
        breaches += _other_state(chain.links, results.get(STATE_PATH))
    if not chain.breaches and not unreadable:
        breaches += _other_checkpoint(chain.links, results.get(ACCOUNT_PATH))
    breaches += _unexplained(links, plans, _set_aside(made))
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
    for one in (*result.instructions, *result.legs):
        what = f"leg {one.leg}" if isinstance(one, LegResult) else "instruction"
        filled = sum((fill.quantity for fill in one.fills), ZERO)
        if one.fills and (one.side is None or one.client_order_id is None):
            return f"{what} {one.index} holds fills and names no order"
        if filled > one.filled_quantity:
            return f"{what} {one.index} holds more fills than it says are filled"
    return _kind_flaw(result)


def _kind_flaw(result: ExecutionResult) -> str | None:
    """A result of a kind holds what the kind is about, and an opening stands nowhere else."""
    holds = {
        "state": result.state is not None,
        "opening": result.opening is not None,
        "observed": bool(result.observed),
        "activity": bool(result.activities),
    }
    if not holds.get(result.kind, True):
        return f"of kind {result.kind}, and holds none"
    if result.opening is not None and result.kind != "opening":
        return f"an opening in a result of kind {result.kind}"
    taken = (one for one in result.observed if one.book is not None)
    if any(one.fills and (one.side is None or one.symbol is None) for one in taken):
        return "an acknowledged order holds fills and names no symbol or side"
    return None


def _told_twice(links: Sequence[Link]) -> Iterable[Breach]:
    """Each order is executed in one result; later ones settle it and go on from what it filled.

    A protective order is told by executions and settlements alike, as often as there is news.
    """
    filled: dict[str, Decimal] = {}
    for link in links:
        for one in (*link.result.instructions, *link.result.legs):
            key = one.client_order_id
            if key is None or one.outcome not in SENT:
                continue
            before = filled.get(key, ZERO)
            is_line = not isinstance(one, LegResult)
            if is_line and link.result.kind == "execution" and key in filled:
                sentence = f"{link.path}: order {key} was executed in an earlier result already"
                yield Breach("written_once", link.path, None, sentence)
            elif before + sum((fill.quantity for fill in one.fills), ZERO) != one.filled_quantity:
                sentence = f"{link.path}: order {key} does not go on from what was filled before"
                yield Breach("written_once", link.path, None, sentence)
            filled[key] = one.filled_quantity


def _booked_twice(links: Sequence[Link]) -> Iterable[Breach]:
    """Each activity of an account is booked in one result."""
    booked: dict[tuple[object, ...], str] = {}
    for link in links:
        for one in link.result.activities:
            key = (link.result.mode, link.result.account, one.id)
            if key in booked:
                sentence = f"{link.path}: activity {one.id} is booked in {booked[key]} already"
                yield Breach("booked_once", link.path, None, sentence)
            booked.setdefault(key, link.path)


def _opened_late(links: Sequence[Link]) -> Iterable[Breach]:
    """An opening is where a ledger begins: nothing of the same ledger moved before it."""
    begun: dict[tuple[object, ...], str] = {}
    for link in links:
        ledger = (link.result.mode, link.result.account)
        if link.result.opening is not None and ledger in begun:
            sentence = f"{link.path}: an opening after {begun[ledger]} had begun the ledger"
            yield Breach("opening_first", link.path, None, sentence)
        if moves_the_books(link.result):
            begun.setdefault(ledger, link.path)


def _other_state(links: Sequence[Link], data: bytes | None) -> Iterable[Breach]:
    """The state in force is the one that the newest result about it says."""
    told = [link.result.state for link in links if link.result.state is not None]
    newest = told[-1] if told else None
    if _state_in(data) != newest:
        said = f"the newest result says {newest.state}" if newest else "no result tells it"
        sentence = f"{STATE_PATH}: not what the record says; {said}"
        yield Breach("state_has_result", STATE_PATH, None, sentence)


def _untold_state(changes: Sequence[FileChange], links: Sequence[Link]) -> Iterable[Breach]:
    """Each commit that changes the state brings the result that tells it."""
    told = {link.path for link in links if link.result.state is not None}
    telling = {one.commit for one in changes if one.kind == "A" and one.path in told}
    for change in changes:
        if change.path == STATE_PATH and change.commit not in telling:
            sentence = f"{STATE_PATH}: changed without a result, by commit {change.commit[:12]}"
            yield Breach("state_has_result", STATE_PATH, change.commit, sentence)


def _other_checkpoint(links: Sequence[Link], data: bytes | None) -> Iterable[Breach]:
    """The checkpoint says what the results up to the one that it names add up to."""
    if data is None:
        return
    try:
        found = Checkpoint.model_validate(read_document(data, of_record=True))
    except (DocumentError, ValidationError):
        yield Breach("checkpoint", ACCOUNT_PATH, None, f"{ACCOUNT_PATH}: cannot be read")
        return
    places = {(link.path, link.digest): place for place, link in enumerate(links, 1)}
    until = places.get((found.through, found.through_digest))
    if until is None:
        sentence = f"{ACCOUNT_PATH}: goes up to {found.through}, which is not in the chain so"
        yield Breach("checkpoint", ACCOUNT_PATH, None, sentence)
        return
    told = [(link.path, link.result) for link in links[:until]]
    name = differs(found, fold(told, found.mode, found.of_account), told)
    if name is not None:
        sentence = f"{ACCOUNT_PATH}: `{name}` is not what the results up to {found.through} say"
        yield Breach("checkpoint", ACCOUNT_PATH, None, sentence)


def _state_in(data: bytes | None) -> TradingStateRecord | bytes | None:
    """The state of the file; its bytes where they are none."""
    if data is None:
        return None
    try:
        return TradingStateRecord.model_validate(read_document(data))
    except (DocumentError, ValidationError):
        return data


def _set_aside(changes: Iterable[FileChange]) -> frozenset[str]:
    """Paths of archived plans that never were executed, and whose commit says who and why.

    A plan that gave way to another one is named by the commit that carries the other one's digest.
    """
    return frozenset(one.path for one in changes if one.kind == "A" and _says_why(one))


def _says_why(change: FileChange) -> bool:
    told = change.trailers
    if told.get(SUPERSEDES) == change.path:
        return True
    is_step = told.get("Step") in (WITHDRAWN, SUPERSEDED, DECLINED)
    who = told.get(WITHDRAWN_BY) or told.get(DECLINED_BY)
    return is_step and bool(who and told.get(REASON))


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


def _unexplained(
    links: Sequence[Link], plans: Mapping[str, bytes], aside: frozenset[str]
) -> Iterable[Breach]:
    explained = {link.result.archived_as for link in links if link.result.kind == "execution"}
    for path in plans:
        if path.endswith(".json") and path not in explained and path not in aside:
            yield Breach("plan_has_result", path, None, f"{path}: no result tells how it ended")


def _newest(chain: Chain) -> str | None:
    return chain.newest.digest if chain.newest else None
