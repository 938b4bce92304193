"""The library that the client uses talks to the loopback GitHub as it does to GitHub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from github import Auth, Github, GithubException, UnknownObjectException
from github.Repository import Repository

from tests.forge.rig import NAME, Rig


@pytest.fixture
def repository(rig: Rig) -> Iterator[Repository]:
    client = Github(
        base_url=rig.server.url,
        auth=Auth.Token("actions-token"),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    yield client.get_repo(NAME)
    client.close()


def test_a_pull_request_is_read_whole(rig: Rig, repository: Repository) -> None:
    made = rig.pull({"plan.json": "{}\n"})
    pull = repository.get_pull(1)
    assert (pull.head.sha, pull.user.id) == (made["head"]["sha"], 1002)
    assert [one.filename for one in pull.get_files()] == ["plan.json"]
    (commit,) = pull.get_commits()
    assert commit.commit.verification.verified is False
    commit.create_status("success", description="fine", context="plan/schema")
    assert [one.creator.id for one in commit.get_statuses()] == [41898282]
    rig.owner.ok("POST", "pulls/1/reviews", {"event": "APPROVE"})
    assert [one.state for one in pull.get_reviews()] == ["APPROVED"]
    rig.owner.ok("PUT", "pulls/1/merge")
    assert [one.number for one in repository.get_commit(rig.main).get_pulls()] == [1]
    names = [one.event for one in pull.as_issue().get_timeline()]
    assert names == ["committed", "reviewed", "merged", "closed"]
    merged = repository.get_pulls(state="closed", sort="updated", direction="desc", base="main")
    assert [one.merged_at is not None for one in merged] == [True]


def test_what_we_do_arrives(rig: Rig, repository: Repository) -> None:
    issue = repository.create_issue("Look", body="x", labels=["needs-person"])
    comment = issue.create_comment("first")
    comment.edit("second")
    assert [one.body for one in repository.get_issue(1).get_comments()] == ["second"]
    assert [one.number for one in repository.get_issues(labels=["needs-person"])] == [1]
    issue.edit(state="closed")
    repository.create_git_ref("refs/heads/plan", rig.main)
    repository.get_git_ref("heads/plan").delete()
    workflow = repository.get_workflow("validate.yml")
    assert workflow.create_dispatch("main", {"pull_request": "7"}, throw=True)
    assert [one.display_title for one in workflow.get_runs()] == ["validate #7"]
    assert repository.get_collaborator_permission("octo-writer") == "write"


def test_lists_longer_than_a_page_are_read_to_their_end(rig: Rig, repository: Repository) -> None:
    rig.owner.ok("POST", "issues", {"title": "long"})
    for number in range(35):
        rig.actions.ok("POST", "issues/1/comments", {"body": str(number)})
    assert len(list(repository.get_issue(1).get_comments())) == 35


def test_a_stale_head_is_an_exception(rig: Rig, repository: Repository) -> None:
    given = {
        "branch": {"repositoryNameWithOwner": NAME, "branchName": "main"},
        "expectedHeadOid": "1" * 40,
        "message": {"headline": "x"},
        "fileChanges": {"additions": [], "deletions": []},
    }
    with pytest.raises(GithubException) as caught:
        repository.requester.graphql_named_mutation("createCommitOnBranch", given, "commit { oid }")
    assert caught.value.data["errors"][0]["type"] == "STALE_DATA"
    with pytest.raises(UnknownObjectException):
        repository.get_pull(99)
