"""What people are told on GitHub: fills under their pull request, a job's summary, an issue."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from executor.decisions.concerns import LINES_MAX, Concern
from executor.errors import ExitCode
from executor.model.forge import DESCRIPTION_MAX
from executor.model.numbers import plain
from executor.model.order_result import InstructionResult, LegResult, Outcome
from executor.model.result import ExecutionResult
from executor.model.state import TradingStateRecord
from executor.model.verdict import Answer
from executor.model.words import instant, usd
from executor.reports.blocks import plain_text
from executor.reports.markdown import (
    COMMENT_MAX,
    SUMMARY_MAX,
    clipped,
    code,
    details,
    fitted,
    table,
    visible,
)
from executor.reports.reply import Reply

ROWS_MAX: Final = 60
"""Lines of a table; a plan has 200 at most, and the result holds them all."""

LISTED_MAX: Final = 20
"""Warnings, errors and refusals that are listed."""

WAITS: Final = "waits for the entry"
"""What is said of a stop or target whose entry is still open."""

_WITHOUT_STOP: Final = re.compile(
    r"[A-Z][A-Z0-9./]* \([0-9.]+ shares?\) is without [^;]*SELL rests"
)

# At the very end only: what stands before it may be somebody else's words.
_MARKER: Final = re.compile(r"<!-- autoinvestor:result ([0-9a-f]{64}) -->\s*\Z")
_WAITING: Final = re.compile(r"<!-- autoinvestor:waits -->\s*\Z")


def result_marker(digest: str) -> str:
    """What a comment about a result carries, unseen, so that it is told once."""
    return f"<!-- autoinvestor:result {digest} -->"


def told_in(body: str) -> str | None:
    """Digest of the result that a comment of ours tells; None where it tells none."""
    found = _MARKER.search(body)
    return found[1] if found else None


def result_comment(
    result: ExecutionResult, digest: str, path: str, before: TradingStateRecord | None = None
) -> str:
    """The comment under the pull request whose plan was executed, or settled further.

    The first line is the whole story on a phone; fills and slippage follow.

    Args:
        result: what is told.
        digest: of the result.
        path: where it lies.
        before: the trading state before a result that sets one; None where it is not known.
    """
    parts = []
    if result.instructions:
        parts.append(_fills(result.instructions))
    if result.legs:
        entries = [one for one in result.instructions if one.outcome is Outcome.OPEN]
        parts.append(_legs(result.legs, {one.client_order_id for one in entries}))
    refused = [one.sentence() for one in result.verdicts if one.answer is Answer.NO]
    parts += _listed("No", refused)
    parts += _listed("Failed", [one for one in result.errors if one not in refused])
    parts += _listed("Worth a look", result.warnings)
    parts.append(f"{code(path)}\ndigest {code(digest)}")
    marker = result_marker(digest)
    head = _headline(result, before)
    return f"{fitted(head, parts, COMMENT_MAX - len(marker) - 2)}\n\n{marker}"


def _headline(result: ExecutionResult, before: TradingStateRecord | None) -> str:
    summary = result.execution_summary
    done = f"{summary.successful} of {summary.total_instructions} filled"
    if result.state is not None:
        head = f"**Trading is {result.state.state}**"
    elif result.kind == "settlement":
        told = [f"{one.ticker} {_word(one.outcome)}" for one in result.instructions]
        told += [f"{one.ticker} {one.leg} {_word(one.outcome)}" for one in result.legs]
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        head = f"**Settled: {', '.join(told[:3])}{more}**"
    elif result.plan_status == "completed":
        rest = ("partially_filled", "open", "denied", "failed", "unknown")
        also = [f"{getattr(summary, one)} {_word(one)}" for one in rest if getattr(summary, one)]
        rests = summary.open and not any(one.filled_quantity for one in result.instructions)
        head = f"**{'Sent' if rests else 'Executed'}: {', '.join([done, *also])}**"
    else:
        head = f"**{(result.plan_status or 'ended').capitalize()}: nothing was sent**"
    portfolio = result.final_portfolio
    facts = [*_bare(result.warnings), _came_from(result, before), _worst(result.instructions)]
    if portfolio.realized_pl:
        facts.append(f"realized {usd(portfolio.realized_pl)}")
    if portfolio.as_of is not None:
        facts.append(f"cash {usd(portfolio.cash)}, equity {usd(portfolio.total_value)}")
    mode = f" ({result.mode})" if result.mode is not None else ""
    return " · ".join([f"{head}{mode}", *(one for one in facts if one)])


def _bare(warnings: Iterable[str]) -> Iterable[str]:
    """What has no stop while a SELL rests: the one warning that belongs into the first line."""
    found = (_WITHOUT_STOP.match(one) for one in warnings)
    return dict.fromkeys(f"\u26a0\ufe0f {one[0]}" for one in found if one)


def _came_from(result: ExecutionResult, before: TradingStateRecord | None) -> str:
    """The trading state that a result ends, with since when, who and why; empty without one."""
    if result.state is None or before is None or before.state is result.state.state:
        return ""
    return (
        f"{before.state} since {instant(before.since)} by {code(before.by, 200)}:"
        f" {code(before.reason, 400)} → {result.state.state}: {code(result.state.reason, 400)}"
    )


def _worst(lines: Iterable[InstructionResult]) -> str:
    """The worst slippage of the fills; empty where nothing tells."""
    known = [(one.slippage_bps, one.ticker) for one in lines if one.slippage_bps is not None]
    if not known:
        return ""
    bps, ticker = max(known)
    return f"slippage at worst {plain(bps)} bps ({ticker})"


def _word(name: str) -> str:
    return str(name).replace("_", " ")


def _fills(lines: Sequence[InstructionResult]) -> str:
    rows = [
        (
            (one.side or "·").upper(),
            one.ticker,
            _word(one.outcome),
            plain(one.filled_quantity),
            plain(one.average_fill_price) if one.average_fill_price is not None else "",
            plain(one.arrival_price) if one.arrival_price is not None else "",
            plain(one.slippage_bps) if one.slippage_bps is not None else "",
        )
        for one in lines[:ROWS_MAX]
    ]
    columns = ("side", "symbol", "outcome", "filled", "at USD", "arrival USD", "slippage bps")
    text = table(columns, rows, frozenset(columns[3:]))
    return text + _more(len(lines))


def _legs(legs: Sequence[LegResult], entries: Collection[str | None]) -> str:
    """What protects; one that hangs on an entry which is still open protects nothing yet."""
    rows = [
        (
            one.ticker,
            one.leg,
            WAITS if one.parent is not None and one.parent in entries else _word(one.outcome),
            plain(one.quantity) if one.quantity is not None else "",
            plain(one.stop_price) if one.stop_price is not None else "",
            plain(one.filled_quantity) if one.outcome is not Outcome.OPEN else "",
        )
        for one in legs[:ROWS_MAX]
    ]
    columns = ("protects", "leg", "outcome", "shares", "stop USD", "filled")
    return table(columns, rows, frozenset(columns[3:])) + _more(len(legs))


def _more(number: int) -> str:
    return f"\n\nand {number - ROWS_MAX} more, in the result" if number > ROWS_MAX else ""


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    """A title with a line for each sentence; nothing where there is none."""
    if not sentences:
        return []
    shown = [f"* {code(one, 400)}" for one in sentences[:LISTED_MAX]]
    more = len(sentences) - LISTED_MAX
    rest = [f"* and {more} more, in the result"] if more > 0 else []
    return ["\n".join([f"{title}:", *shown, *rest])]


# A plan that waits.


def waiting_comment(merged_at: datetime, why: Sequence[str], *, is_begun: bool) -> str:
    """The comment under the pull request of a merged plan that waits on main.

    Args:
        merged_at: when it came to main.
        why: what it waits for, in sentences.
        is_begun: True where part of it may be at the broker.
    """
    sent = "the rest of it is not sent yet" if is_begun else "nothing was sent yet"
    head = f"**The plan waits: {sent}** · merged {instant(merged_at)}"
    again = (
        "`tick` tries again in the session; or Actions → execute → Run workflow."
        " Its result will be told here."
    )
    return "\n\n".join([head, *_listed("Not now", why), again, "<!-- autoinvestor:waits -->"])


def tells_waiting(body: str) -> bool:
    """True for a comment that says a plan waits, and that no result has superseded."""
    return _WAITING.search(body) is not None


WAITED: Final = "The plan waited here; its result is told below."
"""What takes the place of that comment once there is a result."""


def mark_description(digest: str, path: str) -> str:
    """Description of the mark `plan/result`: the newest result's digest, then where it lies."""
    return f"{digest} {path}"[:DESCRIPTION_MAX]


def digest_marked(description: str) -> str | None:
    """The digest that such a description begins with; None where it begins with none."""
    found = re.match(r"[0-9a-f]{64}(?= |\Z)", description)
    return found[0] if found else None


# What a run printed.


def fenced(text: str) -> str:
    """A text of several lines as a block of code, in which GitHub makes nothing of anything."""
    lines = "\n".join(visible(line) for line in text.split("\n"))
    runs = (len(run) for run in re.findall("`{3,}", lines))
    fence = "`" * max((size + 1 for size in runs), default=3)
    return f"{fence}text\n{lines}\n{fence}"


ENDINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.DONE: "done",
    ExitCode.REFUSED: "refused",
    ExitCode.USAGE: "not usable as given",
    ExitCode.BUG: "a mistake of ours",
    ExitCode.RUN_AGAIN: "not all done, to be run again",
    ExitCode.PERSON: "a person looks first",
    ExitCode.INTERRUPTED: "stopped",
}
"""Exit codes in words."""

STATES: Final[Mapping[object, str]] = {
    "waiting": "waits",
    "rejected": "rejected",
    "expired": "expired",
}
"""Ends of a plan that say more than the exit code does."""


def ended(reply: Reply) -> str:
    """How a command ended, in words."""
    state = reply.data.get("state")
    # Beside something that a person must see, that is what is said.
    tells = reply.exit_code in (ExitCode.DONE, ExitCode.REFUSED) and isinstance(state, str)
    return STATES.get(state, ENDINGS[reply.exit_code]) if tells else ENDINGS[reply.exit_code]


def summary(verb: str, reply: Reply) -> str:
    """A job's summary: everything that the command said."""
    text = fenced(clipped(plain_text(reply.blocks), SUMMARY_MAX // 4))
    return f"### autoinvestor {verb}: {ended(reply)}\n\n{text}\n"


def failed_summary(verb: str, problem: str) -> str:
    """The same of a command that did not get through."""
    return f"### autoinvestor {verb}: not done\n\n{fenced(clipped(problem, 20_000))}\n"


def answer(comment: int | None, reply: Reply, title: str, words: str = "") -> str:
    """The answer to a command in a comment.

    Args:
        comment: the comment's id; None for a label.
        reply: what the command came to.
        title: what was done, in words of ours.
        words: what else is read before anything is folded out; Markdown of ours.
    """
    text = clipped(plain_text(reply.blocks), 20_000)
    head = f"**{title}** {words}".rstrip()
    return f"{head}\n\n{details('What happened', fenced(text))}\n\n{answer_marker(comment)}"


def short_answer(comment: int | None, title: str, problem: str) -> str:
    """The answer to a command that was not carried out."""
    return f"**{title}**\n\n{code(problem, 2_000)}\n\n{answer_marker(comment)}"


def answer_marker(comment: int | None) -> str:
    """What the answer to a comment carries, unseen, so that it is given once."""
    return f"<!-- autoinvestor:answer {comment or 0} -->"


# Issues.


def concern_body(concern: Concern) -> str:
    """The text of an issue, and of a comment that brings it up to date."""
    shown = [f"* {code(one, 400)}" for one in concern.lines[:LINES_MAX]]
    more = len(concern.lines) - LINES_MAX
    if more > 0:
        shown.append(f"* and {more} more")
    return "\n\n".join(["\n".join(shown), concern.remedy, concern.marker])


def over(verb: str) -> str:
    """What is said when an issue is closed."""
    return f"`{verb}` found this over."
