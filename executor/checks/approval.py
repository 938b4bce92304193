"""Nothing is executed without the approval that the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.evidence import COMMITS_LISTED, Edit, Evidence, Merged
from executor.model.facts import Moment
from executor.model.forge import ACTIONS_ID, MARKS, Actor, PullRequest
from executor.model.rule import Finding, Rule, no, not_now, warn

REMOTE: Final = "`autoinvestor propose --remote --file trading_instructions.json`"
"""Has the bot open the pull request, so that somebody alone can merge it as a second step."""

AGAIN: Final = "propose the plan again and have another person merge it"
ALONE: Final = f"{AGAIN}; nobody else is here: {REMOTE}"
LATER: Final = "nothing to do: the plan waits, and the next run asks GitHub again"
BY_HAND: Final = "propose the plan again and have a person merge it by hand"

ARMED: Final = frozenset(
    {"auto_merge_enabled", "auto_squash_enabled", "auto_rebase_enabled", "added_to_merge_queue"}
)
"""Events after which GitHub merges by itself, whatever is pushed meanwhile."""

DISARMED: Final = frozenset({"auto_merge_disabled", "removed_from_merge_queue"})

REPLACED: Final = frozenset({"head_ref_force_pushed", "head_ref_restored"})
"""Events after which the head is no longer what whoever opened the pull request had pushed."""

SIGN: Final = "propose the plan again, or sign the commits"


def judge(context: Context) -> Iterator[Finding]:
    """Hold what is known about the way of the plan to main against the policy."""
    policy = context.settings.approval_policy()
    # The approval was verified before the intent was committed; the intent stands for it from then
    # on, so that what was begun is not left half done because GitHub does not answer.
    if policy == "none" or context.facts.intent_in is not None:
        return
    evidence = context.facts.evidence
    if context.facts.moment is Moment.PULL_REQUEST:
        if evidence is not None and evidence.pull_request is not None:
            yield from _ahead(evidence.pull_request, context.settings.approval.approvers)
        return
    if evidence is None:
        yield not_now(
            None,
            observed="an approval cannot be verified here",
            limit=f"approval by {policy}",
            remedy="merge the plan's pull request, and run where GitHub can be asked",
        )
        return
    refused = list(_way(evidence))
    yield from refused
    if refused or evidence.pull_request is None:
        return
    approvers = context.settings.approval.approvers
    for one in evidence.merged:
        yield from _merge_by_itself(one)
    yield from _merger(evidence, evidence.pull_request, approvers)
    yield from _marks(evidence)
    if policy == "review":
        yield from _review(evidence, evidence.pull_request, approvers)


def _ahead(request: PullRequest, approvers: tuple[int, ...]) -> Iterator[Finding]:
    """Before the merge: whether anybody is left whose merge would count."""
    author = request.author
    if not author.is_person:
        return
    observed = f"opened by {author.login}, whose own merge will not count"
    if set(approvers) == {author.id}:
        yield no(
            None,
            observed=f"{observed}, and nobody else is an approver",
            limit="merged by a person who did not propose it",
            remedy=f"close it, and on a laptop run {REMOTE}: the bot opens it, and the merge"
            " counts",
        )
    else:
        yield warn(
            None,
            observed=f"{observed}: another person has to merge it",
            remedy=f"alone, close it, and on a laptop run {REMOTE}",
        )


def _way(evidence: Evidence) -> Iterator[Finding]:
    """The commit is the merge of a pull request's head."""
    commit = (evidence.added_in or "")[:12]
    request = evidence.pull_request
    limit = "the merge of a pull request"
    if not evidence.is_merge:
        how = f"; {evidence.number} was squashed or rebased" if request else ""
        yield no(
            None,
            observed=f"commit {commit} brought the plan to main and is no merge{how}",
            limit="a merge commit: main as it was, and the head that was reviewed",
            remedy=(
                "propose the plan again and merge it with a merge commit"
                if request
                else "propose the plan by a pull request instead of pushing it to main"
            ),
        )
    elif request is None and evidence.is_old:
        yield no(
            None,
            observed=f"commit {commit} was pushed to main: GitHub knows no pull request of it",
            limit=limit,
            remedy="propose the plan by a pull request instead of pushing it to main",
        )
    elif request is None or not request.is_merged:
        yield not_now(
            None,
            observed=f"GitHub does not tell yet which pull request commit {commit} merged",
            limit=limit,
            remedy=LATER,
        )
    elif request.head != evidence.parents[1]:
        yield no(
            None,
            observed=f"{evidence.number} has the head {request.head[:12]},"
            f" and {evidence.parents[1][:12]} was merged",
            limit="the head that was reviewed",
            remedy=AGAIN,
        )


def _merge_by_itself(merged: Merged) -> Iterator[Finding]:
    """A person saw the head and merged it then: no auto-merge, no queue."""
    request = merged.pull_request
    if merged.timeline is None:
        yield _unknown(f"the timeline of {merged.number}")
        return
    armed = "auto-merge was on" if request.auto_merge else None
    for one in merged.timeline:
        if one.name in ARMED:
            who = one.actor.login if one.actor else "somebody"
            what = "the merge queue" if one.name == "added_to_merge_queue" else "auto-merge"
            armed = f"{who} left the merge to {what}"
        elif (
            one.name in DISARMED
            and one.at is not None
            and request.merged_at is not None
            # What merges leaves the queue by merging.
            and one.at < request.merged_at
        ):
            armed = None
    if armed is not None:
        yield no(
            None,
            observed=f"{merged.number}: {armed}, and what was pushed later would have come along",
            limit="merged by a person who saw the head",
            remedy=BY_HAND,
        )


def _merger(
    evidence: Evidence, request: PullRequest, approvers: tuple[int, ...]
) -> Iterator[Finding]:
    """Whoever merged may do so, is a person, and did not write what was merged."""
    merger = request.merged_by
    if merger is None:
        yield _unknown(f"who merged {evidence.number}")
        return
    if not merger.is_person:
        yield no(
            None,
            observed=f"merged by {merger.login}, an account of kind {merger.kind}",
            limit="merged by a person",
            remedy=BY_HAND,
        )
        return
    counts = evidence.counts(merger, approvers)
    if counts is None:
        yield _unknown(f"what {merger.login} may do here")
    elif not counts:
        right = f", who may {evidence.rights[merger.id]} here" if not approvers else ""
        yield no(
            None,
            observed=f"merged by {merger.login} (account {merger.id}){right}",
            limit="merged by a person of [approval] approvers"
            if approvers
            else "merged by a person who may write here",
            remedy="propose the plan again and have it merged by a person who may approve",
        )
    yield from _authors(evidence, request, merger)


def _authors(evidence: Evidence, request: PullRequest, merger: Actor) -> Iterator[Finding]:
    """Author is who opened the pull request, and who wrote or added to the plan in it."""
    own = next((one for one in evidence.merged if one.pull_request.author.id == merger.id), None)
    if own is not None:
        other = own.pull_request.number != request.number
        where = f" as {own.number}, which has the same merge" if other else ""
        yield no(
            None,
            observed=f"merged by {merger.login}, proposed by {merger.login}{where}",
            limit="merged by a person who did not propose it",
            remedy=ALONE,
        )
        return
    if evidence.commit_count is not None and evidence.commit_count >= COMMITS_LISTED:
        yield no(
            None,
            observed=f"{evidence.number} has {evidence.commit_count} commits or more",
            limit=f"fewer than the {COMMITS_LISTED} commits that GitHub lists",
            remedy="propose the plan again in one commit",
        )
        return
    if not evidence.edits:
        yield _unknown(f"the commits of {evidence.number}")
        return
    opener_vouches = _opener_vouches(evidence, request)
    for one in evidence.edits:
        yield from _edit(evidence, one, merger, opener_vouches=one.introduces and opener_vouches)
    for event in (event for one in evidence.merged for event in one.timeline or ()):
        forced = event.name == "head_ref_force_pushed" and event.actor is not None
        if forced and event.actor is not None and event.actor.id == merger.id:
            yield no(
                None,
                observed=f"merged by {merger.login}, who had replaced its commits by a forced push",
                limit="merged by a person who did not write it",
                remedy=AGAIN,
            )
            return


def _opener_vouches(evidence: Evidence, request: PullRequest) -> bool:
    """Whether the one commit is what its opener had pushed, so that nobody needs to sign it.

    Of a commit that nobody signed the author is what it says of itself. Were there two, anybody who
    may push could have added the second; a forced push puts another commit in the place of the
    first, and a workflow's is by nobody who is known.
    """
    return (
        request.author.is_person
        and evidence.is_one_commit
        and not any(
            one.name in REPLACED and (one.actor is None or one.actor.id != request.author.id)
            for one in evidence.timeline or ()
        )
    )


def _edit(
    evidence: Evidence, edit: Edit, merger: Actor, *, opener_vouches: bool
) -> Iterator[Finding]:
    """An edit that only reduces makes nobody an author; who made any other one has to be known."""
    what = edit.added()
    if what is None:
        return
    if not opener_vouches and not (edit.is_verified and edit.people):
        yield no(
            None,
            observed=f"commit {edit.commit[:12]}, which {what},"
            " is not signed: nobody can say who wrote it",
            limit="every commit that adds to a plan is by an author whom GitHub has verified",
            remedy=SIGN,
        )
    elif any(one.id == merger.id for one in edit.writers):
        yield no(
            None,
            observed=f"merged by {merger.login}, whose commit {edit.commit[:12]} {what}",
            limit="merged by a person who did not write it; an edit may only reduce",
            remedy=ALONE,
        )
    elif not opener_vouches:
        yield from _may_write(evidence, edit, what)


def _may_write(evidence: Evidence, edit: Edit, what: str) -> Iterator[Finding]:
    """A signature says who wrote, and anybody can sign: whose counts may write here."""
    for one in edit.people:
        may = evidence.may_write(one)
        if may is None:
            yield _unknown(f"what {one.login} may do here")
        elif not may:
            yield no(
                None,
                observed=f"commit {edit.commit[:12]}, which {what}, is by {one.login}"
                f" (account {one.id}), who may not write here",
                limit="every commit that adds to a plan is by a person who may write here",
                remedy="propose the plan again by somebody who may write here",
            )


def _marks(evidence: Evidence) -> Iterator[Finding]:
    """Each status of the head was green before the merge, and our validator set it."""
    if evidence.marks is None:
        yield _unknown(f"the statuses of {evidence.number}")
        return
    for context in MARKS:
        seen = evidence.mark_at_merge(context)
        if seen is not None and seen.state == "success":
            continue
        if seen is not None:
            observed = f"{context} was {seen.state} when {evidence.number} was merged"
        else:
            observed = _instead(evidence, context)
        if not observed:
            yield _unknown(f"{context} of {evidence.number}")
            continue
        yield no(
            None,
            observed=observed,
            limit="green before the merge, set by GitHub Actions",
            remedy="propose the plan again, wait for the validator, then merge",
        )


def _instead(evidence: Evidence, context: str) -> str:
    """What there is in the place of a status; nothing where GitHub may still lag."""
    others = [one.creator for one in evidence.marks_of(context)]
    for creator in others:
        if creator is None or creator.id != ACTIONS_ID:
            by = creator.login if creator else "somebody whose account is gone"
            return f"{context} was set by {by}"
    if others:
        return f"{context} was set after {evidence.number} had been merged"
    return f"{evidence.number} has no status {context}" if evidence.is_old else ""


def _review(
    evidence: Evidence, request: PullRequest, approvers: tuple[int, ...]
) -> Iterator[Finding]:
    """In policy `review` another person approved this very head as well."""
    if evidence.reviews is None:
        yield _unknown(f"the reviews of {evidence.number}")
        return
    if evidence.approvals(approvers):
        return
    observed = "no approving review of another person"
    for one in evidence.last_reviews():
        if one.author is None or one.state != "APPROVED":
            continue
        part = evidence.part_of(one.author)
        if one.commit != request.head:
            other = (one.commit or "another commit")[:12]
            observed = f"{one.author.login} approved {other}, and {request.head[:12]} was merged"
        elif part is not None:
            observed = f"approved by {one.author.login}, {part}"
        elif evidence.counts(one.author, approvers) is None:
            yield _unknown(f"what {one.author.login} may do here")
            return
        else:
            observed = f"approved by {one.author.login}, whose review does not count here"
    yield no(
        None,
        observed=observed,
        limit="approval by review of the head that was merged",
        remedy="propose the plan again, and have one person approve it by a review and another one"
        " merge it",
    )


def _unknown(what: str) -> Finding:
    return not_now(None, observed=f"GitHub does not tell yet {what}", remedy=LATER)


RULE = Rule(
    id="approval",
    judge=judge,
    judges_exits=True,
    moments=frozenset({Moment.PULL_REQUEST, Moment.EXECUTION}),
)
