"""Open a plan's pull request, or put a HOLD down: a proposal that was judged comes to GitHub.

Every step is looked for before it is taken, so a run that died anywhere is simply run again: the
branch and the pull request of a proposal are found by its own digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from executor.decisions.outlook import only_exits, outlook
from executor.decisions.proposals import (
    Proposed,
    Stamped,
    branch_name,
    is_branch_of,
    is_stamped_from,
    labels,
    review_document,
    stamp,
)
from executor.decisions.results import alternatives, review_name
from executor.errors import (
    AutoInvestorError,
    BookUnavailable,
    DocumentError,
    ForgeRefused,
    PersonNeeded,
    SwapLost,
)
from executor.gather import gather
from executor.main_state import MainState, read_plan
from executor.model.context import Context
from executor.model.digest import digest, plan_digest
from executor.model.expiry import expiry
from executor.model.facts import Facts, Moment
from executor.model.forge import MARKS, PLAN_LABEL, PullRequest
from executor.model.forge import Proposed as PullToOpen
from executor.model.market import Rung
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.writing import write_document
from executor.on_github.pulling import forge_of, zones_of
from executor.ports import Book, Change, CommitInfo, Forge, Progress
from executor.reports import proposed as replies
from executor.reports.pull_request import Origin, Outline, body, sides, superseded, title
from executor.reports.reply import Reply
from executor.wiring import World

VALIDATE: Final = "validate.yml"

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""

CLOSED_BACK: Final = timedelta(days=30)
"""How far back closed pull requests are looked through for this very proposal."""

REVIEWERS_MAX: Final = 15
"""GitHub asks no more people at once."""

SERVER: Final = "https://github.com"


def propose(
    world: World, progress: Progress, asked: Proposed, handed_by: str | None = None
) -> Reply:
    """Bring a proposal to GitHub.

    Args:
        world: the ports.
        progress: told what takes its time.
        asked: what was judged.
        handed_by: login of the person who handed it over from a laptop.

    Raises:
        UsageError: GitHub cannot be asked.
        ForgeUnavailable, BookUnavailable: no answer; run again.
        PersonNeeded: a branch of ours holds somebody else's plan.
    """
    if asked.plan_tree is None:
        return record_review(world, progress, asked)
    return _Asking(world, forge_of(world), asked, handed_by).once()


def pulls_link(world: World, forge: Forge) -> str:
    """Address of the repository's open pull requests, where one that was handed over appears."""
    server = world.environment.get("GITHUB_SERVER_URL") or SERVER
    name = world.environment.get("GITHUB_REPOSITORY") or forge.repository().name
    return f"{server}/{name}/pulls"


def record_review(world: World, progress: Progress, asked: Proposed) -> Reply:
    """Commit a review that ends in doing nothing to main; a name that is taken gets its digest."""
    assert asked.review_tree is not None, "without a plan there is a review: the gates hold it"
    assert asked.review is not None, "and it was read"
    data = write_document(review_document(asked.review_tree, asked.strategy, None))
    taken = _asked_for(world.forge) if world.forge is not None else frozenset()
    with world.book.exclusive():
        world.book.tidy()
        for _ in range(SWAP_TRIES):
            head = world.book.head()
            path, is_there = _place(
                world.book, head, review_name(asked.review.timestamp), data, taken
            )
            if is_there:
                return replies.recorded(path, None)
            change = Change(
                subject=f"Record a review of {asked.strategy}: hold",
                writes={path: data},
                trailers={"Review": path},
            )
            try:
                return replies.recorded(path, world.book.commit(change, head))
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _asked_for(forge: Forge) -> frozenset[str]:
    """Paths that open pull requests of plans want to add: of two that add one, one cannot merge."""
    pulls = [one for one in forge.pull_requests("open") if PLAN_LABEL in one.labels]
    return frozenset(file.path for one in pulls for file in forge.files(one.number))


def _place(
    book: Book, head: str, name: str, data: bytes, taken: frozenset[str]
) -> tuple[str, bool]:
    """Where a review goes, or lies already."""
    content = digest(read_document(data))
    for path in alternatives(name, content):
        found = book.read(path, head)
        if found == data or (found is None and path not in taken):
            return path, found is not None
    raise AssertionError("there is always a further name")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the market adds to a plan; without the broker little."""

    context: Context
    prices: Mapping[int, Decimal] = field(default_factory=dict)
    """For lines that open: what they were decided at, USD a share."""
    traded: Decimal | None = None
    until: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Lying:
    """The proposal on its branch."""

    commit: str
    digest: str
    """Of the plan that lies there."""
    review_path: str | None


class _Asking:
    """One run for one plan."""

    def __init__(self, world: World, forge: Forge, asked: Proposed, handed_by: str | None) -> None:
        assert asked.plan is not None, "the caller looked"
        assert asked.plan_tree is not None, "the caller looked"
        self.world, self.forge, self.asked = world, forge, asked
        self.handed_by = handed_by
        self.plan, self.tree = asked.plan, asked.plan_tree
        self.now = world.clock.now()
        self.made_at = asked.review.timestamp if asked.review else self.now
        self.main = MainState(world.book, world.book.head())

    def once(self) -> Reply:
        """Find what is there of this proposal and do the rest."""
        seen = self._look_at_market()
        exits_only = only_exits(seen.context)
        on_main = self.main.plan
        if on_main is not None and is_stamped_from(on_main.tree or {}, self.tree):
            return replies.on_main(on_main.digest)
        stamped = stamp(self.tree, self.made_at, seen.prices)
        branch = branch_name(self.asked.strategy, stamped.key)
        ours = [one for one in self.forge.pull_requests("open") if self._is_ours(one)]
        found = next((one for one in ours if one.head_ref == branch), None)
        if found is None:
            closed = self._closed(branch)
            if closed is not None:
                return replies.decided(closed)
            if on_main is not None and not exits_only:
                return replies.waits(on_main.digest)
        lying = self._on_branch(branch, stamped)
        outline = Outline(
            plan=self.plan,
            digest=lying.digest,
            strategy=self.asked.strategy,
            exits_only=exits_only,
            traded=seen.traded,
            until=seen.until,
            now=self.now,
            zones=zones_of(self.main.settings),
            mode=self.main.settings.mode,
            handed_by=self.handed_by,
        )
        pull = found or self._open(branch, outline, self._origin(lying))
        self._complete(pull, labels(self.asked.strategy, exits_only) if found else ())
        older = [one.number for one in ours if one.number < pull.number]
        for number in older:
            self.forge.say(number, superseded(pull.number, self.asked.strategy))
            self.forge.close(number)
        return replies.opened(
            pull,
            lying.digest,
            is_new=found is None,
            older=older,
            notes=[seen.note] if seen.note else [],
            link=f"{self.server}/{self.forge_name}/pull/{pull.number}",
        )

    def _is_ours(self, pull: PullRequest) -> bool:
        """True for one that `propose` opened for this book, from this repository."""
        here = self.forge_name.casefold()
        return (
            is_branch_of(pull.head_ref, self.asked.strategy)
            and (pull.head_repository or "").casefold() == here
        )

    @property
    def forge_name(self) -> str:
        """`owner/name` of this repository."""
        return self.world.environment.get("GITHUB_REPOSITORY") or self.forge.repository().name

    @property
    def server(self) -> str:
        """Address of GitHub's pages."""
        return self.world.environment.get("GITHUB_SERVER_URL") or SERVER

    def _closed(self, branch: str) -> PullRequest | None:
        since = max(min(self.made_at, self.now) - timedelta(days=1), self.now - CLOSED_BACK)
        pulls = self.forge.pull_requests("closed", since)
        return next((one for one in pulls if one.head_ref == branch and self._is_ours(one)), None)

    def _look_at_market(self) -> _Seen:
        """Prices, holdings and hours; a broker that does not answer keeps no plan from a reviewer.

        The validator looks again, and its answer counts.
        """
        settings = self.main.settings
        added = CommitInfo(self.main.head, (), self.now.replace(microsecond=0), "", {})
        plan = read_plan(write_document(self.tree), added)
        try:
            with self.world.connect(settings, self.main.ledger) as broker:
                facts = gather(
                    broker,
                    self.main,
                    plan,
                    moment=Moment.PULL_REQUEST,
                    now=self.now,
                    environment=self.world.environment,
                )
        except AutoInvestorError as error:
            facts = Facts(self.now, Moment.FILE, settings.mode, plan.digest)
            note = f"no decision_price was stamped: {str(error).splitlines()[0]}"
            context = Context(self.plan, settings, facts)
            return _Seen(context, until=self.plan.valid_until, note=note)
        context = Context(self.plan, settings, facts)
        hours = facts.market_clock.sessions if facts.market_clock else ()
        return _Seen(
            context,
            prices={
                one.index: one.reference.price
                for one in context.openings
                if one.reference is not None and one.reference.rung is not Rung.DELAYED
            },
            traded=outlook(context, range(len(self.plan.instructions))).traded,
            until=expiry(self.plan, self.now, hours, settings.execution.sessions_valid),
        )

    def _on_branch(self, branch: str, stamped: Stamped) -> _Lying:
        """Put plan and review on a branch of their own; what lies there already stays."""
        head = self.main.head
        try:
            self.forge.branch(branch, head)
        except ForgeRefused as error:
            if error.status != 422:
                raise
            # It is there: from a run that died, or from the one that opened the pull request.
            head = self.world.book.bring(f"refs/heads/{branch}")
            there = self._lying(branch, head)
            if there is not None:
                review = self._review(head, there)
                return _Lying(head, there, review[0] if review else None)
        review = self._review(head, stamped.digest)
        by = {"Handed-Over-By": self.handed_by} if self.handed_by else {}
        change = Change(
            subject=f"Propose plan {stamped.digest[:8]}: {sides(self.plan)}",
            writes={PLAN_PATH: write_document(stamped.tree), **dict([review] if review else [])},
            trailers={"Strategy": self.asked.strategy, **by},
        )
        commit = self.forge.commit_on(branch, change, head)
        return _Lying(commit, stamped.digest, review[0] if review else None)

    def _lying(self, branch: str, head: str) -> str | None:
        """Digest of the plan on the branch; None where it is main's still, or none.

        Raises:
            PersonNeeded: it is another one than this run would put there.
        """
        data = self.world.book.read(PLAN_PATH, head)
        if data is None or (self.main.plan is not None and data == self.main.plan.data):
            return None
        try:
            tree: Mapping[str, Any] = read_document(data)
        except DocumentError:
            tree = {}
        if not is_stamped_from(tree, self.tree):
            raise PersonNeeded(
                f"branch {branch}: it has the name of this proposal and holds another plan, at"
                f" {head[:12]}; look who wrote it, and remove the branch"
            )
        return plan_digest(tree)

    def _review(self, head: str, digest_of_plan: str) -> tuple[str, bytes] | None:
        """Path and content of the review; where it lies already, its own path is found."""
        if self.asked.review_tree is None:
            return None
        tree = review_document(self.asked.review_tree, self.asked.strategy, digest_of_plan)
        data = write_document(tree)
        path, _ = _place(
            self.world.book, head, review_name(self.made_at), data, _asked_for(self.forge)
        )
        return path, data

    def _origin(self, lying: _Lying) -> Origin:
        """What the body tells of the review; its file is linked at the very commit."""
        review = self.asked.review
        if review is None:
            return Origin(None, None, None, None, {})
        told = {
            "trigger": review.trigger,
            "model": review.model,
            "strategy version": review.strategy_version,
        }
        return Origin(
            review_link=f"{self.server}/{self.forge_name}/blob/{lying.commit}/{lying.review_path}",
            review_path=lying.review_path,
            decision=review.decision,
            reasoning=review.reasoning,
            labels={name: text for name, text in told.items() if text},
        )

    def _open(self, branch: str, outline: Outline, origin: Origin) -> PullRequest:
        return self.forge.propose(
            PullToOpen(
                title=title(outline),
                body=body(outline, origin),
                branch=branch,
                labels=labels(self.asked.strategy, outline.exits_only),
                reviewers=self._reviewers(),
            )
        )

    def _reviewers(self) -> tuple[str, ...]:
        """Logins of the approvers, who may have changed them; an account that is gone is nobody."""
        numbers = self.main.settings.approval.approvers[:REVIEWERS_MAX]
        found = [self.forge.person(number) for number in numbers]
        me = self.forge.whoami()
        return tuple(one.login for one in found if one and (me is None or one.id != me.id))

    def _complete(self, pull: PullRequest, wanted: Sequence[str]) -> None:
        """What an earlier run may not have come to: labels, and the validator."""
        missing = [one for one in wanted if one not in pull.labels]
        if missing:
            self.forge.label(pull.number, missing)
        known = {one.context for one in self.forge.marks(pull.head)}
        if not known.issuperset(MARKS):
            self.forge.dispatch(VALIDATE, {"pull_request": str(pull.number)})
