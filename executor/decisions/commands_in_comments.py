"""What somebody asks for on GitHub, read from an event as data that nobody has checked.

A comment's first line is a command or it is not ours:

    /halt [REASON]                  exits only from now on (REDUCE_ONLY)
    /halt all|HALTED [REASON]       nothing new at all, exits neither (HALTED)
    /ack KEY [--book NAME]          take over what no commit explains

Whatever begins with `/halt` halts: `/halted`, `/halt.`, `/halt, please`, `/halt-all`. The letters
that follow say nothing; what stands behind another character belongs to the rest of the line.

Phones write the first letter in capitals, so case does not count. Comments that were edited do not
count, and neither does what a bot writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from executor.decisions.notes import one_line
from executor.model.forge import Actor
from executor.model.state import TradingState

BODY_MAX: Final = 65_536
"""Characters of a comment; GitHub takes no more."""

REASON_MAX: Final = 500

HALT_LABEL: Final = "halt"

HALT: Final = "/halt"

GRAMMAR: Final = "`/halt [all] [reason]` or `/ack KEY [--book NAME]`, in the first line"

_KEY: Final = re.compile(r"[!-,./-~][!-~]{0,127}")
"""An order's id, a symbol or `CASH`: visible ASCII that is no flag."""

_POINTS: Final = ".,:;!?-\u2013\u2014()[]*`'\""
"""What may stand around a word without being part of it."""

_HALT_MORE: Final = re.compile(rf"/halt[a-z]*[{re.escape(_POINTS)}]*")
"""The command itself, as it is written in a hurry."""

_BOOK: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_LOGIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
"""As `decisions.approving` has it: accounts of a company have an underscore in theirs."""

NOBODY: Final = Actor(0, "somebody", "")
"""Who dispatched a halt, where the event does not say so readably: it halts all the same."""


@dataclass(frozen=True, slots=True)
class HaltAsked:
    """Tighten the trading state."""

    state: TradingState
    reason: str
    """Empty where none was given."""


@dataclass(frozen=True, slots=True)
class AckAsked:
    """Take over what no commit explains."""

    key: str
    book: str | None = None


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """It begins like a command of ours and is none."""

    verb: Literal["halt", "ack"]
    problem: str


Said = HaltAsked | AckAsked | NotUnderstood


def read_comment(body: str) -> Said | None:
    """What a comment asks for; None where it is not ours."""
    lines = [line.strip() for line in body[:BODY_MAX].splitlines() if line.strip()]
    words = lines[0].split() if lines else []
    verb = words[0].lower() if words else ""
    if verb.startswith(HALT):
        return _halt([*_HALT_MORE.sub("", verb).split(), *words[1:]])
    if verb == "/ack":
        return _ack(words[1:])
    return None


def _halt(words: list[str]) -> HaltAsked:
    """Anything that begins with the word halts: in a hurry nobody looks up a grammar."""
    first = words[0].strip(_POINTS).upper() if words else ""
    is_all = first in ("ALL", TradingState.HALTED)
    state = TradingState.HALTED if is_all else TradingState.REDUCE_ONLY
    is_state = is_all or first == TradingState.REDUCE_ONLY
    return HaltAsked(state, one_line(" ".join(words[is_state:]), REASON_MAX))


def _ack(words: list[str]) -> AckAsked | NotUnderstood:
    if not words or not _KEY.fullmatch(words[0]):
        return NotUnderstood("ack", "names nothing that could be taken over")
    # Keyboards of phones make one long dash of two.
    match words[1:]:
        case []:
            return AckAsked(words[0])
        case [("--book" | "\u2014book" | "\u2013book"), book] if _BOOK.fullmatch(book):
            return AckAsked(words[0], book)
    return NotUnderstood("ack", "has more words than it should, or names no book")


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asked for something, in one of the ways that GitHub has."""

    how: Literal["comment", "label", "dispatch"]
    who: Actor
    what: Said
    number: int | None = None
    """The issue or pull request; None for a dispatch."""
    comment: int | None = None
    """The comment's id."""
    association: str = ""
    """How the author of a comment belongs to the repository, as GitHub says."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """An event that asks nothing of us."""

    why: str


def read_event(tree: object) -> Ask | NotOurs:
    """What an event's payload asks for.

    Args:
        tree: the JSON of a webhook (`issue_comment`, `issues` or `pull_request` labeled,
            `workflow_dispatch`); anything may be in it.
    """
    if not isinstance(tree, Mapping):
        return NotOurs("no object")
    who = _actor(tree.get("sender"))
    if who is None and "inputs" in tree and "comment" not in tree and "label" not in tree:
        who = NOBODY
    if who is None:
        return NotOurs("it does not say who sent it")
    if "comment" in tree:
        return _from_comment(tree, who)
    if "label" in tree:
        return _from_label(tree, who)
    if "inputs" in tree:
        return _from_dispatch(tree, who)
    return NotOurs("neither a comment, nor a label, nor a dispatch")


def _from_comment(tree: Mapping[str, Any], who: Actor) -> Ask | NotOurs:
    comment, number = tree["comment"], _number(tree.get("issue"))
    if tree.get("action") != "created":
        return NotOurs("a comment that was edited or removed does not count")
    if not isinstance(comment, Mapping) or number is None:
        return NotOurs("no comment of an issue or a pull request")
    author, body, key = _actor(comment.get("user")), comment.get("body"), comment.get("id")
    if author is None or author.id != who.id or not _is_number(key) or not isinstance(body, str):
        return NotOurs("a comment that whoever sent it did not write")
    said = read_comment(body)
    if said is None:
        return NotOurs("a comment without a command")
    belongs = comment.get("author_association")
    return Ask("comment", who, said, number, key, belongs if isinstance(belongs, str) else "")


def _from_label(tree: Mapping[str, Any], who: Actor) -> Ask | NotOurs:
    label = tree["label"]
    number = _number(tree.get("issue")) or _number(tree.get("pull_request"))
    if tree.get("action") != "labeled" or number is None:
        return NotOurs("no label that was put on an issue or a pull request")
    if not isinstance(label, Mapping) or label.get("name") != HALT_LABEL:
        return NotOurs("another label")
    return Ask("label", who, HaltAsked(TradingState.REDUCE_ONLY, ""), number)


def _from_dispatch(tree: Mapping[str, Any], who: Actor) -> Ask | NotOurs:
    inputs = tree["inputs"] if isinstance(tree["inputs"], Mapping) else {}
    state, reason = inputs.get("state"), inputs.get("reason")
    # Whatever else is written there: a halt that was asked for halts.
    is_all = isinstance(state, str) and state.strip().upper() == TradingState.HALTED
    asked = TradingState.HALTED if is_all else TradingState.REDUCE_ONLY
    said = one_line(reason, REASON_MAX) if isinstance(reason, str) else ""
    return Ask("dispatch", who, HaltAsked(asked, said))


def _actor(tree: object) -> Actor | None:
    if not isinstance(tree, Mapping):
        return None
    number, login, kind = tree.get("id"), tree.get("login"), tree.get("type")
    if not _is_number(number) or not isinstance(login, str) or not _LOGIN.fullmatch(login):
        return None
    return Actor(number, login, kind if isinstance(kind, str) else "")


def _number(tree: object) -> int | None:
    found = tree.get("number") if isinstance(tree, Mapping) else None
    return found if _is_number(found) else None


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


# Whether they may.

WRITERS: Final = frozenset({"admin", "maintain", "write"})

MEMBERS: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""What GitHub says of an author of a comment who belongs to the repository."""


NO_APPROVER: Final = "that takes an account that [approval] approvers names"


def refusal(ask: Ask, permission: str | None, approvers: Collection[int] = ()) -> str | None:
    """Why somebody may not ask for this; None where they may.

    A halt only ever tightens. So where GitHub does not answer, it is enough that whoever asks
    belongs to the repository: only then can they dispatch a run, put a label on or comment so.

    Args:
        ask: who asks, how, and for what.
        permission: what they may do in the repository; None where GitHub does not answer.
        approvers: ids of the accounts whose word alone lets more risk be taken, by the settings;
            none: of everybody who may write. A halt is anybody's of those.
    """
    is_halt = isinstance(ask.what, HaltAsked)
    if ask.how == "dispatch" and is_halt:
        return None  # GitHub starts a run for those only who may write.
    if not ask.who.is_person:
        return "only a person may ask for that in a comment or by a label"
    if permission in WRITERS:
        if approvers and not is_halt and ask.who.id not in approvers:
            return NO_APPROVER
        return None
    if permission is None and is_halt and (ask.how == "label" or ask.association in MEMBERS):
        return None
    if permission is None:
        return "GitHub does not say what you may do here; ask again"
    return f"that takes the right to write here, and you have {one_line(permission, 20) or 'none'}"
