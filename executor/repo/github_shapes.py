"""What GitHub answers becomes our values: unknown fields are ignored, missing ones are an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar, cast, get_args

from executor.errors import ForgeUnavailable
from executor.model.forge import (
    Actor,
    ChangedFile,
    Comment,
    Event,
    Issue,
    Mark,
    PullCommit,
    PullRequest,
    RepositoryFacts,
    Review,
    Signature,
    WorkflowRun,
)

A = TypeVar("A")

GHOST: Final = Actor(0, "ghost", "Mannequin")
"""Whose account is gone: nobody any more, and so no person who could approve anything."""

MarkState = Literal["success", "failure", "error", "pending"]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object of an answer, read field by field."""

    tree: Mapping[str, object]
    where: str
    """For messages."""

    def text(self, key: str) -> str:
        """A text that has to be there."""
        return self._need(key, self.text_or_none(key))

    def text_or_none(self, key: str) -> str | None:
        """A text, or null, or absent."""
        return self._of(str, key)

    def number(self, key: str) -> int:
        """A whole number that has to be there."""
        found = self._of(int, key)
        if isinstance(found, bool):
            raise self.wrong(key)
        return self._need(key, found)

    def flag(self, key: str) -> bool:
        """True or false; absent and null are false."""
        return self._of(bool, key) or False

    def moment(self, key: str) -> datetime:
        """An instant that has to be there."""
        return self._need(key, self.moment_or_none(key))

    def moment_or_none(self, key: str) -> datetime | None:
        """An instant, or null, or absent."""
        text = self.text_or_none(key)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(key) from None
        if found.tzinfo is None:
            raise self.wrong(key)
        return found

    def part(self, key: str) -> Shape:
        """An object that has to be there."""
        return self._need(key, self.part_or_none(key))

    def part_or_none(self, key: str) -> Shape | None:
        """An object, or null, or absent."""
        found = self._of(dict, key)
        return None if found is None else Shape(found, f"{self.where}.{key}")

    def parts(self, key: str) -> tuple[Shape, ...]:
        """The objects of a list that has to be there."""
        found = self._need(key, self._of(list, key))
        return tuple(shape(one, f"{self.where}.{key}") for one in found)

    def actor(self, key: str) -> Actor | None:
        """An account; None where it is null, absent or empty, as of an e-mail address of nobody."""
        found = self.part_or_none(key)
        if found is None or not found.tree:
            return None
        return Actor(found.number("id"), found.text("login"), found.text_or_none("type") or "User")

    def wrong(self, key: str) -> ForgeUnavailable:
        """The error of a field that is missing or of another kind."""
        return ForgeUnavailable(f"GitHub, {self.where}: no usable {key!r}; run again later")

    def _of(self, kind: type[A], key: str) -> A | None:
        found = self.tree.get(key)
        if found is not None and not isinstance(found, kind):
            raise self.wrong(key)
        return found

    def _need(self, key: str, found: A | None) -> A:
        if found is None:
            raise self.wrong(key)
        return found


def shape(content: object, where: str) -> Shape:
    """An answer as an object.

    Raises:
        ForgeUnavailable: it is none.
    """
    if not isinstance(content, dict):
        raise ForgeUnavailable(f"GitHub, {where}: the answer is no object; run again later")
    return Shape(content, where)


def actor(one: Shape) -> Actor | None:
    """An account that is the answer itself."""
    return Shape({"self": one.tree}, one.where).actor("self")


def repository(one: Shape) -> RepositoryFacts:
    """The repository."""
    rights = one.part_or_none("permissions")
    return RepositoryFacts(
        name=one.text("full_name"),
        id=one.number("id"),
        is_private=one.flag("private"),
        default_branch=one.text("default_branch"),
        owner=_known(one.actor("owner")),
        permissions={key: value is True for key, value in rights.tree.items()} if rights else {},
    )


def pull_request(one: Shape) -> PullRequest:
    """A pull request, from a list or asked for by itself; a list leaves out who merged."""
    head, base = one.part("head"), one.part("base")
    source = head.part_or_none("repo")
    state = one.text("state")
    if state not in ("open", "closed"):
        raise one.wrong("state")
    merged_at = one.moment_or_none("merged_at")
    return PullRequest(
        number=one.number("number"),
        title=one.text("title"),
        state="open" if state == "open" else "closed",
        author=_known(one.actor("user")),
        head_ref=head.text("ref"),
        head=head.text("sha"),
        head_repository=source.text("full_name") if source else None,
        base_ref=base.text("ref"),
        created_at=one.moment("created_at"),
        is_draft=one.flag("draft"),
        merged_at=merged_at,
        merged_by=one.actor("merged_by"),
        # Before the merge it is GitHub's trial merge, which is on nobody's main.
        merge_commit=one.text_or_none("merge_commit_sha") if merged_at else None,
        closed_at=one.moment_or_none("closed_at"),
        auto_merge=one.part_or_none("auto_merge") is not None,
        labels=_labels(one),
    )


def changed_file(one: Shape) -> ChangedFile:
    """A path of a pull request."""
    return ChangedFile(
        one.text("filename"), one.text("status"), one.text_or_none("previous_filename")
    )


def pull_commit(one: Shape) -> PullCommit:
    """A commit of a pull request."""
    parents = tuple(parent.text("sha") for parent in one.parts("parents"))
    return PullCommit(one.text("sha"), parents, one.actor("author"), one.actor("committer"))


def review(one: Shape) -> Review:
    """A review."""
    return Review(
        author=one.actor("user"),
        state=one.text("state").upper(),
        commit=one.text_or_none("commit_id"),
        submitted_at=one.moment_or_none("submitted_at"),
    )


def event(one: Shape) -> Event:
    """An event of a timeline: most name an actor, reviews a user, commits neither."""
    return Event(
        name=one.text("event"),
        actor=one.actor("actor") or _user(one),
        at=one.moment_or_none("created_at") or one.moment_or_none("submitted_at"),
    )


def _user(one: Shape) -> Actor | None:
    found = one.part_or_none("user")
    return one.actor("user") if found is not None and "id" in found.tree else None


def mark(one: Shape) -> Mark:
    """A commit status."""
    state = one.text("state")
    if state not in get_args(MarkState):
        raise one.wrong("state")
    return Mark(
        context=one.text("context"),
        state=cast(MarkState, state),
        description=one.text_or_none("description") or "",
        creator=one.actor("creator"),
        created_at=one.moment("created_at"),
        url=one.text_or_none("target_url"),
    )


def signature(one: Shape) -> Signature:
    """Who made a commit."""
    verified = one.part("commit").part_or_none("verification")
    return Signature(
        is_verified=verified is not None and verified.flag("verified"),
        author=one.actor("author"),
        committer=one.actor("committer"),
    )


def comment(one: Shape) -> Comment:
    """A comment."""
    return Comment(
        id=one.number("id"),
        author=one.actor("user"),
        body=one.text_or_none("body") or "",
        created_at=one.moment("created_at"),
    )


def issue(one: Shape) -> Issue | None:
    """An issue; None for a pull request, which GitHub lists among them."""
    if one.part_or_none("pull_request") is not None:
        return None
    body = one.text_or_none("body") or ""
    return Issue(one.number("number"), one.text("title"), body, _labels(one))


def run_of(workflow: str) -> Callable[[Shape], WorkflowRun]:
    """How a run of a workflow file is read."""

    def read(one: Shape) -> WorkflowRun:
        return WorkflowRun(
            id=one.number("id"),
            workflow=workflow,
            event=one.text("event"),
            status=one.text_or_none("status") or "",
            conclusion=one.text_or_none("conclusion"),
            created_at=one.moment("created_at"),
            head=one.text("head_sha"),
            title=one.text_or_none("display_title") or "",
        )

    return read


def _labels(one: Shape) -> tuple[str, ...]:
    return tuple(label.text("name") for label in one.parts("labels"))


def _known(found: Actor | None) -> Actor:
    return found or GHOST
