"""How accounts, repositories and commits look in an answer."""

from __future__ import annotations

import base64
from typing import Any, Final

from tests.forge.accounts import ROLES, Account
from tests.forge.commitobjects import CommitObject, FileChange, Person
from tests.forge.messages import stamp
from tests.forge.records import Label
from tests.forge.state import Repository, State

Shown = dict[str, Any]


def node_id(kind: str, number: object) -> str:
    """An opaque id as the GraphQL API has."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def read_node_id(value: str) -> str:
    """What a node id of ours stands for; empty where it is none."""
    try:
        return base64.b64decode(value.encode(), validate=True).decode()
    except ValueError:
        return ""


_USER_URLS: Final = {
    "followers_url": "followers",
    "following_url": "following{/other_user}",
    "gists_url": "gists{/gist_id}",
    "starred_url": "starred{/owner}{/repo}",
    "subscriptions_url": "subscriptions",
    "organizations_url": "orgs",
    "repos_url": "repos",
    "events_url": "events{/privacy}",
    "received_events_url": "received_events",
}


def user(base: str, account: Account) -> Shown:
    """An account."""
    url = f"{base}/users/{account.login.replace('[', '%5B').replace(']', '%5D')}"
    page = account.login.removesuffix("[bot]")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("User", account.id),
        "avatar_url": f"{base}/avatars/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{base}/apps/{page}" if account.kind == "Bot" else f"{base}/{page}",
        **{key: f"{url}/{tail}" for key, tail in _USER_URLS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_or_none(base: str, account: Account | None) -> Shown | None:
    """An account that may be absent."""
    return None if account is None else user(base, account)


_REPOSITORY_URLS: Final = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def minimal_repository(base: str, repository: Repository) -> Shown:
    """A repository as it stands inside other things."""
    url = f"{base}/repos/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.is_private,
        "owner": user(base, repository.owner),
        "html_url": f"{base}/{repository.full_name}",
        "description": repository.settings["description"],
        "fork": repository.parent is not None,
        "url": url,
        **{key: f"{url}/{tail}" for key, tail in _REPOSITORY_URLS.items()},
    }


def repository_fields(base: str, repository: Repository) -> Shown:
    """A repository as it stands in a pull request."""
    open_issues = sum(1 for one in repository.issues.values() if one.state == "open")
    at = stamp(repository.created_at)
    settings = repository.settings
    return {
        **minimal_repository(base, repository),
        "git_url": f"git://{repository.full_name}.git",
        "ssh_url": f"git@github.com:{repository.full_name}.git",
        "clone_url": f"{base}/{repository.full_name}.git",
        "svn_url": f"{base}/{repository.full_name}",
        "mirror_url": None,
        "homepage": settings["homepage"],
        "language": None,
        "license": None,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "size": 1,
        "default_branch": repository.default_branch,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "is_template": False,
        "topics": [],
        "has_issues": settings["has_issues"],
        "has_projects": settings["has_projects"],
        "has_wiki": settings["has_wiki"],
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": settings["archived"],
        "disabled": False,
        "visibility": "private" if repository.is_private else "public",
        "pushed_at": at,
        "created_at": at,
        "updated_at": at,
        "allow_forking": True,
        "web_commit_signoff_required": settings["web_commit_signoff_required"],
    }


_MERGE_SETTINGS: Final = (
    "allow_merge_commit",
    "allow_squash_merge",
    "allow_rebase_merge",
    "allow_auto_merge",
    "allow_update_branch",
    "delete_branch_on_merge",
    "squash_merge_commit_title",
    "squash_merge_commit_message",
    "merge_commit_title",
    "merge_commit_message",
)


def permissions(role: str) -> dict[str, bool]:
    """What a role may, as five flags."""
    flags = ("pull", "triage", "push", "maintain", "admin")
    return {flag: ROLES.index(role) > number for number, flag in enumerate(flags)}


def full_repository(base: str, state: State, repository: Repository, role: str | None) -> Shown:
    """A repository by itself; merge settings are shown to whoever may push."""
    shown = {
        **repository_fields(base, repository),
        "network_count": 0,
        "subscribers_count": 1,
        "temp_clone_token": None,
    }
    if role is not None:
        shown["permissions"] = permissions(role)
    if role in ("write", "maintain", "admin"):
        shown.update({name: repository.settings[name] for name in _MERGE_SETTINGS})
        shown["use_squash_pr_title_as_default"] = False
    parent = state.repository(repository.parent) if repository.parent else None
    if parent is not None:
        shown["parent"] = shown["source"] = repository_fields(base, parent)
    return shown


def git_user(person: Person) -> Shown:
    """A name and address in a commit."""
    return {"name": person.name, "email": person.email, "date": stamp(person.at)}


def verification(commit: CommitObject) -> Shown:
    """What GitHub says of a commit's signature."""
    if commit.signature is None:
        facts = {"verified": False, "reason": "unsigned", "signature": None, "payload": None}
        return {**facts, "verified_at": None}
    valid = commit.is_signed_by_us
    return {
        "verified": valid,
        "reason": "valid" if valid else "unknown_key",
        "signature": commit.signature,
        "payload": commit.payload,
        "verified_at": stamp(commit.committer.at) if valid else None,
    }


def commit_message(commit: CommitObject) -> str:
    """The message as GitHub shows it: without the end of the line."""
    return commit.message.rstrip("\n")


def commit_shape(base: str, state: State, repository: Repository, sha: str) -> Shown:
    """A commit in a list."""
    commit = repository.git.commit(sha)
    url = f"{base}/repos/{repository.full_name}/commits/{sha}"
    page = f"{base}/{repository.full_name}/commit"
    git_url = f"{base}/repos/{repository.full_name}/git"
    return {
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "commit": {
            "author": git_user(commit.author),
            "committer": git_user(commit.committer),
            "message": commit_message(commit),
            "tree": {"sha": commit.tree, "url": f"{git_url}/trees/{commit.tree}"},
            "url": f"{git_url}/commits/{sha}",
            "comment_count": 0,
            "verification": verification(commit),
        },
        "url": url,
        "html_url": f"{page}/{sha}",
        "comments_url": f"{url}/comments",
        "author": user_or_none(base, state.account_of(commit.author.email)),
        "committer": user_or_none(base, state.account_of(commit.committer.email)),
        "parents": [
            {
                "sha": one,
                "url": f"{base}/repos/{repository.full_name}/commits/{one}",
                "html_url": f"{page}/{one}",
            }
            for one in commit.parents
        ],
    }


_STATUS: Final = {
    "A": "added",
    "M": "modified",
    "D": "removed",
    "R": "renamed",
    "C": "copied",
    "T": "changed",
}


def file_change(base: str, repository: Repository, head: str, change: FileChange) -> Shown:
    """One file of a commit or of a pull request."""
    page = f"{base}/{repository.full_name}"
    contents = f"{base}/repos/{repository.full_name}/contents/{change.path}?ref={head}"
    shown = {
        "sha": change.sha,
        "filename": change.path,
        "status": _STATUS[change.letter],
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{head}/{change.path}",
        "raw_url": f"{page}/raw/{head}/{change.path}",
        "contents_url": contents,
    }
    if change.previous is not None:
        shown["previous_filename"] = change.previous
    return shown


def label(base: str, repository: Repository, shown: Label) -> Shown:
    """One label."""
    return {
        "id": shown.id,
        "node_id": node_id("Label", shown.id),
        "url": f"{base}/repos/{repository.full_name}/labels/{shown.name}",
        "name": shown.name,
        "color": shown.color,
        "default": False,
        "description": shown.description,
    }
