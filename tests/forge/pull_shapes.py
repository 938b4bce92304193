"""How issues, pull requests, reviews, comments and timeline events look in an answer."""

from __future__ import annotations

from typing import Any

from tests.forge.accounts import Account
from tests.forge.messages import stamp, stamp_or_none
from tests.forge.records import AutoMerge, Comment, Issue, Pull, Review, TimelineEvent
from tests.forge.rulesets import merge_refusals
from tests.forge.shapes import (
    Shown,
    commit_message,
    git_user,
    label,
    node_id,
    repository_fields,
    user,
    user_or_none,
    verification,
)
from tests.forge.state import Repository, State

COMMITS_LIMIT = 250
"""GitHub lists no more commits of a pull request."""
FILES_LIMIT = 3_000
"""GitHub lists no more files of a pull request."""


def association(repository: Repository, account: Account) -> str:
    """How an author stands to the repository."""
    if account.id == repository.owner.id:
        return "OWNER"
    if account.kind == "User" and account.id in repository.roles:
        return "COLLABORATOR"
    return "NONE"


def base_of(repository: Repository, pull: Pull) -> str:
    """The commit of the base branch that a pull request is compared with."""
    if pull.state == "open":
        return repository.git.branch(pull.base_ref) or pull.base
    return pull.base


def merge_result(state: State, repository: Repository, pull: Pull) -> str | None:
    """The commit that merging would make, as GitHub tries out; None where there is a conflict."""
    git = repository.git
    base = base_of(repository, pull)
    if pull.test_merge is None or pull.test_merge[:2] != (base, pull.head):
        tree = git.merge_tree(base, pull.head)
        made = None
        if tree is not None:
            person = pull.author.person(pull.updated_at)
            message = f"Merge {pull.head} into {base}"
            made = git.write_commit(tree, (base, pull.head), person, person, message, signed=True)
        pull.test_merge = (base, pull.head, made)
    return pull.test_merge[2]


def _side(base: str, state: State, full_name: str, owner: Account, ref: str, sha: str) -> Shown:
    repository = state.repository(full_name)
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(base, owner),
        "repo": None if repository is None else repository_fields(base, repository),
    }


def auto_merge(base: str, armed: AutoMerge | None) -> Shown | None:
    """How a pull request is to be merged by itself."""
    if armed is None:
        return None
    return {
        "enabled_by": user(base, armed.enabled_by),
        "merge_method": armed.method,
        "commit_title": armed.title,
        "commit_message": armed.message,
    }


def labels_of(base: str, repository: Repository, issue: Issue) -> list[Shown]:
    """The labels of an issue."""
    found = (repository.labels.get(name.lower()) for name in issue.labels)
    return [label(base, repository, one) for one in found if one is not None]


def pull_simple(base: str, state: State, repository: Repository, pull: Pull) -> Shown:
    """A pull request in a list."""
    url = f"{base}/repos/{repository.full_name}/pulls/{pull.number}"
    issue = f"{base}/repos/{repository.full_name}/issues/{pull.number}"
    page = f"{base}/{repository.full_name}/pull/{pull.number}"
    statuses = f"{base}/repos/{repository.full_name}/statuses/{pull.head}"
    merge = pull.merge_commit
    if pull.merged_at is None and pull.state == "open":
        merge = merge_result(state, repository, pull)
    links = {
        "self": url,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/repos/{repository.full_name}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PullRequest", f"{repository.full_name}#{pull.number}"),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user(base, pull.author),
        "body": pull.body,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp_or_none(pull.closed_at),
        "merged_at": stamp_or_none(pull.merged_at),
        "merge_commit_sha": merge,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [user(base, one) for one in pull.requested],
        "requested_teams": [],
        "labels": labels_of(base, repository, pull),
        "milestone": None,
        "draft": pull.is_draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses,
        "head": _side(base, state, pull.head_repository, pull.head_owner, pull.head_ref, pull.head),
        "base": _side(
            base, state, repository.full_name, repository.owner, pull.base_ref, pull.base
        ),
        "_links": {name: {"href": value} for name, value in links.items()},
        "author_association": association(repository, pull.author),
        "auto_merge": auto_merge(base, pull.auto_merge),
        "active_lock_reason": None,
    }


def pull_full(base: str, state: State, repository: Repository, pull: Pull) -> Shown:
    """A pull request by itself."""
    shown = pull_simple(base, state, repository, pull)
    git = repository.git
    start = git.merge_base(base_of(repository, pull), pull.head) or pull.base
    changes = git.changes(start, pull.head)
    comments = [one for one in repository.comments.values() if one.number == pull.number]
    is_open = pull.state == "open"
    clean = is_open and shown["merge_commit_sha"] is not None
    shown.update(
        {
            "merged": pull.merged_at is not None,
            "mergeable": clean if is_open else None,
            "rebaseable": clean if is_open else None,
            "mergeable_state": _mergeable_state(repository, pull, clean=clean),
            "merged_by": user_or_none(base, pull.merged_by),
            "comments": len(comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": git.count_between(base_of(repository, pull), pull.head),
            "additions": sum(one.additions for one in changes),
            "deletions": sum(one.deletions for one in changes),
            "changed_files": len(changes),
        }
    )
    return shown


def _mergeable_state(repository: Repository, pull: Pull, *, clean: bool) -> str:
    if pull.state != "open":
        return "unknown"
    if not clean:
        return "dirty"
    if pull.is_draft:
        return "draft"
    if merge_refusals(repository, pull, None, "merge"):
        return "blocked"
    return "clean"


def issue_shape(base: str, state: State, repository: Repository, issue: Issue) -> Shown:
    """An issue, or a pull request where it is listed among issues."""
    root = f"{base}/repos/{repository.full_name}"
    url = f"{root}/issues/{issue.number}"
    is_pull = isinstance(issue, Pull)
    page = f"{base}/{repository.full_name}/{'pull' if is_pull else 'issues'}/{issue.number}"
    comments = [one for one in repository.comments.values() if one.number == issue.number]
    shown: dict[str, Any] = {
        "url": url,
        "repository_url": root,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": issue.id,
        "node_id": node_id("Issue", f"{repository.full_name}#{issue.number}"),
        "number": issue.number,
        "title": issue.title,
        "user": user(base, issue.author),
        "labels": labels_of(base, repository, issue),
        "state": issue.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(comments),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp_or_none(issue.closed_at),
        "closed_by": user_or_none(base, issue.closed_by),
        "author_association": association(repository, issue.author),
        "active_lock_reason": None,
        "body": issue.body,
        "timeline_url": f"{url}/timeline",
        "state_reason": issue.state_reason,
    }
    if isinstance(issue, Pull):
        pull_url = f"{root}/pulls/{issue.number}"
        shown["draft"] = issue.is_draft
        shown["pull_request"] = {
            "url": pull_url,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": stamp_or_none(issue.merged_at),
        }
    return shown


def comment_shape(base: str, repository: Repository, comment: Comment) -> Shown:
    """One comment."""
    root = f"{base}/repos/{repository.full_name}/issues"
    kind = "pull" if repository.pull(comment.number) else "issues"
    page = f"{base}/{repository.full_name}/{kind}/{comment.number}"
    return {
        "url": f"{root}/comments/{comment.id}",
        "html_url": f"{page}#issuecomment-{comment.id}",
        "issue_url": f"{root}/{comment.number}",
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "user": user(base, comment.author),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(repository, comment.author),
        "body": comment.body,
        "performed_via_github_app": None,
    }


def review_shape(base: str, repository: Repository, pull: Pull, review: Review) -> Shown:
    """One review."""
    url = f"{base}/repos/{repository.full_name}/pulls/{pull.number}"
    page = f"{base}/{repository.full_name}/pull/{pull.number}#pullrequestreview-{review.id}"
    return {
        "id": review.id,
        "node_id": node_id("PullRequestReview", review.id),
        "user": user(base, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(repository, review.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": stamp(review.submitted_at),
        "commit_id": review.commit,
    }


def timeline(base: str, state: State, repository: Repository, issue: Issue) -> list[Shown]:
    """Everything that happened to an issue or pull request, the oldest first."""
    found = [
        ((one.at, one.id), _event_shape(base, state, repository, issue, one))
        for one in issue.events
    ]
    for comment in repository.comments.values():
        if comment.number == issue.number:
            shown = comment_shape(base, repository, comment)
            shown.update({"event": "commented", "actor": user(base, comment.author)})
            found.append(((comment.created_at, comment.id), shown))
    for review in issue.reviews if isinstance(issue, Pull) else []:
        assert isinstance(issue, Pull), "only a pull request has reviews"
        shown = review_shape(base, repository, issue, review)
        shown["state"] = shown["state"].lower()
        found.append(((review.submitted_at, review.id), {**shown, "event": "reviewed"}))
    return [shown for _, shown in sorted(found, key=lambda one: one[0])]


def _event_shape(
    base: str, state: State, repository: Repository, issue: Issue, event: TimelineEvent
) -> Shown:
    root = f"{base}/repos/{repository.full_name}"
    if event.name == "committed":
        assert event.commit is not None, "a committed event names its commit"
        commit = repository.git.commit(event.commit)
        page = f"{base}/{repository.full_name}/commit"
        git = f"{root}/git"
        return {
            "event": "committed",
            "sha": commit.sha,
            "node_id": node_id("Commit", commit.sha),
            "url": f"{git}/commits/{commit.sha}",
            "html_url": f"{page}/{commit.sha}",
            "author": git_user(commit.author),
            "committer": git_user(commit.committer),
            "tree": {"sha": commit.tree, "url": f"{git}/trees/{commit.tree}"},
            "message": commit_message(commit),
            "parents": [
                {"sha": one, "url": f"{git}/commits/{one}", "html_url": f"{page}/{one}"}
                for one in commit.parents
            ],
            "verification": verification(commit),
        }
    shown = {
        "id": event.id,
        "node_id": node_id("IssueEvent", event.id),
        "url": f"{root}/issues/events/{event.id}",
        "actor": user_or_none(base, event.actor),
        "event": event.name,
        "commit_id": event.commit,
        "commit_url": None if event.commit is None else f"{root}/commits/{event.commit}",
        "created_at": stamp(event.at),
        "performed_via_github_app": None,
    }
    for name, value in event.facts.items():
        shown[name] = user(base, value) if isinstance(value, Account) else value
    return shown
