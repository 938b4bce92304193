"""The `Forge` port over GitHub's API: each question and act is a request, each answer a value."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, TypeVar

from executor.errors import ForgeRefused, SwapLost
from executor.model.forge import (
    DESCRIPTION_MAX,
    Actor,
    ChangedFile,
    Comment,
    Event,
    Issue,
    Mark,
    Proposed,
    PullCommit,
    PullRequest,
    RepositoryFacts,
    Review,
    Signature,
    WorkflowRun,
)
from executor.ports import Change
from executor.repo import github_shapes as shapes
from executor.repo.github_api import NO_QUERY, PAGES_MAX, GitHubApi, Query, place_name
from executor.repo.github_shapes import Shape, shape

A = TypeVar("A")

TIMELINE_PAGES_MAX: Final = 500
"""Pages of a timeline. Anybody who may comment makes it longer, and must not hold an exit up."""

BODY_MAX: Final = 65_536
"""Characters of a comment, an issue or a pull request."""

ROLES: Final = ("admin", "maintain", "write", "triage", "read", "none")

NOT_THERE: Final = (404, 422)
"""How GitHub says that it knows no such commit: the second where it is a well-formed name."""

LATE: Final = "but expected"
"""Of two requests at the same moment GitHub tells one so, by the type of any other refusal."""

COMMIT: Final = (
    "mutation ($input: CreateCommitOnBranchInput!)"
    " { createCommitOnBranch(input: $input) { commit { oid } } }"
)


class GitHubForge:
    """One repository on GitHub."""

    def __init__(self, api: GitHubApi) -> None:
        """Ask and act through an API."""
        self._api = api

    def repository(self) -> RepositoryFacts:
        """The repository, and what whoever asks may do in it."""
        return shapes.repository(shape(self._api.get(), "repository"))

    def pull_request(self, number: int) -> PullRequest | None:
        """One pull request; None where there is none of that number."""
        return self._one(shapes.pull_request, "pulls", number, missing=(404,))

    def pull_requests(
        self, state: Literal["open", "closed"], since: datetime | None = None
    ) -> tuple[PullRequest, ...]:
        """Pull requests into main, the last updated first; `since` leaves older ones out.

        GitHub leaves out who merged one; `pull_request` tells it.
        """
        query = {"state": state, "base": "main", "sort": "updated", "direction": "desc"}
        found = []
        for one in self._shapes("pulls", query=query):
            if since is not None and one.moment("updated_at") < since:
                break
            found.append(shapes.pull_request(one))
        return tuple(found)

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """Pull requests that hold a commit; GitHub may lag behind a merge and know of none yet."""
        try:
            return self._all(shapes.pull_request, "commits", commit, "pulls")
        except ForgeRefused as error:
            if error.status in NOT_THERE:
                return ()
            raise

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        """What a pull request touches; GitHub lists 3,000 files at most."""
        return self._all(shapes.changed_file, "pulls", number, "files")

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        """Its commits, the oldest first; GitHub lists 250 at most."""
        return self._all(shapes.pull_commit, "pulls", number, "commits")

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Its reviews, the oldest first."""
        return self._all(shapes.review, "pulls", number, "reviews")

    def timeline(self, number: int) -> tuple[Event, ...]:
        """What happened to it, the oldest first."""
        place = ("issues", number, "timeline")
        return tuple(map(shapes.event, self._shapes(*place, most=TIMELINE_PAGES_MAX)))

    def marks(self, commit: str) -> tuple[Mark, ...]:
        """Every commit status of a commit, the newest first."""
        return self._all(shapes.mark, "commits", commit, "statuses")

    def signature(self, commit: str) -> Signature | None:
        """Who made a commit; None where GitHub knows no such commit."""
        # Its files come in pages as well, and none of them is wanted.
        query = {"per_page": "1"}
        return self._one(shapes.signature, "commits", commit, query=query, missing=NOT_THERE)

    def permission(self, login: str) -> str:
        """What somebody may do here: `admin`, `maintain`, `write`, `triage`, `read` or `none`."""
        place = ("collaborators", login, "permission")
        found = self._one(lambda one: one, *place, missing=(404,))
        if found is None:
            return "none"
        # A role of an organization's own making has a name of its own; what it comes to is told.
        role = found.text_or_none("role_name")
        told = role if role in ROLES else found.text("permission")
        if told not in ROLES:
            raise found.wrong("permission")
        return told

    def person(self, number: int) -> Actor | None:
        """The account of that number; None where there is none."""
        return self._one(shapes.actor, "/", "user", number, missing=(404,))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Comments of a pull request or an issue, the oldest first."""
        return self._all(shapes.comment, "issues", number, "comments")

    def issues(self, label: str) -> tuple[Issue, ...]:
        """Open issues with a label."""
        query = {"labels": label, "state": "open"}
        found = (shapes.issue(one) for one in self._shapes("issues", query=query))
        return tuple(one for one in found if one is not None)

    def runs(self, workflow: str, since: datetime) -> tuple[WorkflowRun, ...]:
        """Runs of a workflow file, the newest first."""
        assert since.tzinfo is not None, "an instant has a zone"
        query = {"created": f">={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        place = ("actions", "workflows", workflow, "runs")
        found = self._shapes(*place, query=query, key="workflow_runs")
        return tuple(map(shapes.run_of(workflow), found))

    def whoami(self) -> Actor | None:
        """Who acts with our token; None where GitHub does not say (a workflow's own token)."""
        return self._one(shapes.actor, "/", "user", missing=(403, 404))

    def mark(self, commit: str, mark: Mark) -> None:
        """Set one commit status."""
        assert len(mark.description) <= DESCRIPTION_MAX, "GitHub cuts no description, it refuses"
        body = {"state": mark.state, "context": mark.context, "description": mark.description}
        if mark.url is not None:
            body["target_url"] = mark.url
        self._api.post("statuses", commit, body=body)

    def say(self, number: int, body: str) -> None:
        """Comment on a pull request or an issue."""
        self._api.post("issues", number, "comments", body={"body": _fitting(body)})

    def rewrite(self, comment: int, body: str) -> None:
        """Replace what a comment of ours says."""
        self._api.patch("issues", "comments", comment, body={"body": _fitting(body)})

    def branch(self, name: str, commit: str) -> None:
        """Make a branch at a commit."""
        self._api.post("git", "refs", body={"ref": f"refs/heads/{name}", "sha": commit})

    def drop_branch(self, name: str) -> None:
        """Remove a branch."""
        self._api.delete("git", "refs", "heads", *name.split("/"))

    def commit_on(self, branch: str, change: Change, expected: str) -> str:
        """Commit on top of `expected` and move a branch to it, signed by GitHub; the new commit.

        Raises:
            SwapLost: the branch is not at `expected` any more; nothing has changed.
            ForgeUnavailable: nobody knows whether it was made; look at the branch.
        """
        additions = [
            {"path": path, "contents": base64.b64encode(data).decode()}
            for path, data in change.writes.items()
        ]
        given = {
            "branch": {"repositoryNameWithOwner": self._api.repository, "branchName": branch},
            "message": {"headline": change.subject, "body": message_body(change)},
            "expectedHeadOid": expected,
            "fileChanges": {
                "additions": additions,
                "deletions": [{"path": path} for path in change.deletes],
            },
        }
        name = "createCommitOnBranch"
        try:
            data = self._api.graphql(name, COMMIT, {"input": given})
        except ForgeRefused as error:
            if error.status == 409 or LATE in str(error):
                raise SwapLost(f"{branch} moved meanwhile; run again") from None
            raise
        return Shape(data, name).part(name).part("commit").text("oid")

    def propose(self, proposed: Proposed) -> PullRequest:
        """Open a pull request into main."""
        body = {
            "title": proposed.title,
            "body": _fitting(proposed.body),
            "head": proposed.branch,
            "base": "main",
        }
        opened = shapes.pull_request(shape(self._api.post("pulls", body=body), "POST pulls"))
        if proposed.labels:
            self.label(opened.number, proposed.labels)
        if proposed.reviewers:
            place = ("pulls", opened.number, "requested_reviewers")
            try:
                self._api.post(*place, body={"reviewers": list(proposed.reviewers)})
            except ForgeRefused as error:
                # Whoever has left the repository cannot be asked; the request is open all the same.
                if error.status != 422:
                    raise
        return opened

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Put labels on a pull request or an issue, beside those that it has."""
        self._api.post("issues", number, "labels", body={"labels": list(labels)})

    def close(self, number: int) -> None:
        """Close a pull request or an issue."""
        self._api.patch("issues", number, body={"state": "closed"})

    def open_issue(self, title: str, body: str, labels: Sequence[str]) -> int:
        """Open an issue; its number."""
        content = {"title": title, "body": _fitting(body), "labels": list(labels)}
        return shape(self._api.post("issues", body=content), "POST issues").number("number")

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow file on main."""
        body = {"ref": "main", "inputs": dict(inputs)}
        self._api.post("actions", "workflows", workflow, "dispatches", body=body)

    def _one(
        self,
        read: Callable[[Shape], A],
        *parts: str | int,
        query: Query = NO_QUERY,
        missing: tuple[int, ...],
    ) -> A | None:
        """One thing; None where GitHub answers with a status that means there is none."""
        try:
            content = self._api.get(*parts, query=query)
        except ForgeRefused as error:
            if error.status in missing:
                return None
            raise
        return read(shape(content, place_name(parts)))

    def _shapes(
        self,
        *parts: str | int,
        query: Query = NO_QUERY,
        key: str | None = None,
        most: int = PAGES_MAX,
    ) -> Iterator[Shape]:
        where = place_name(parts)
        for one in self._api.pages(*parts, query=query, key=key, most=most):
            yield shape(one, where)

    def _all(self, read: Callable[[Shape], A], *parts: str | int) -> tuple[A, ...]:
        return tuple(read(one) for one in self._shapes(*parts))


def message_body(change: Change) -> str:
    """The trailers of a commit message, a line each."""
    assert "\n" not in change.subject, "a subject is one line"
    for key, value in change.trailers.items():
        assert "\n" not in f"{key}{value}", "a trailer is one line"
    return "\n".join(f"{key}: {value}" for key, value in change.trailers.items())


def _fitting(body: str) -> str:
    assert len(body) <= BODY_MAX, "GitHub cuts no text, it refuses"
    return body
