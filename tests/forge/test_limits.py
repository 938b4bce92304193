"""What GitHub cuts: 250 commits and 3,000 files of a pull request."""

from __future__ import annotations

from tests.forge.rig import Rig


def stream(commits: int, files: int) -> str:
    """A branch of many commits for `git fast-import`, the last of which adds many files."""
    lines = []
    for number in range(commits):
        start = ["from refs/heads/main"] if number == 0 else []
        lines += ["commit refs/heads/many", "committer A <a@example.com> 1700000000 +0000"]
        lines += ["data 1", "x", *start]
    for number in range(files):
        lines += [f"M 100644 inline f/{number:05}", "data 1", "y"]
    return "\n".join(lines) + "\n"


def test_long_lists_are_cut(rig: Rig) -> None:
    git = rig.server.state.repositories["octo-owner/invest"].git
    git.run("fast-import", "--quiet", stdin=stream(260, 3_010).encode())
    rig.owner.ok("POST", "pulls", {"title": "many", "head": "many", "base": "main"})
    shown = rig.owner.get("pulls/1")
    assert (shown["commits"], shown["changed_files"]) == (260, 3_010)
    assert len(rig.owner.get("pulls/1/commits?per_page=100&page=3")) == 50
    assert rig.owner.get("pulls/1/commits?per_page=100&page=4") == []
    assert len(rig.owner.get("pulls/1/files?per_page=100&page=30")) == 100
    assert rig.owner.get("pulls/1/files?per_page=100&page=31") == []
