"""The linters that know GitHub: none of them has anything to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.files import FOLDER, ROOT, workflows

BIN = Path(sys.executable).parent
AUDITOR = ("zizmor", "--offline", "--no-progress", "--color", "never", "--persona", "auditor")
SILENCED = 2
"""`issue_comment` in halt and settle; each has its reason beside it, see `rules.silences`."""


def ran(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    name, *arguments = command
    return subprocess.run(
        [str(BIN / name), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_zizmor_as_an_auditor_finds_nothing() -> None:
    done = ran(*AUDITOR, ".github")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"No findings to report. Good job! ({SILENCED} ignored)" in done.stdout + done.stderr


def test_actionlint_finds_nothing() -> None:
    done = ran("actionlint", "-no-color", *(str(one) for one in sorted(FOLDER.glob("*.yml"))))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_schema_of_workflows_holds() -> None:
    files = [str(one) for one in sorted(FOLDER.glob("*.yml"))]
    done = ran("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("command", "old", "new", "says"),
    [
        (AUDITOR, "persist-credentials: false", "persist-credentials: true", "artipacked"),
        (("actionlint", "-no-color"), "queue: max", "queue: most", "queue"),
        (
            ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
            "timeout-minutes: 20",
            "timeout-minutes: never",
            "timeout-minutes",
        ),
    ],
    ids=["zizmor", "actionlint", "schema"],
)
def test_they_see_what_is_wrong(
    command: tuple[str, ...], old: str, new: str, says: str, tmp_path: Path
) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "execute.yml").write_text(workflows()["execute"].text.replace(old, new))
    done = ran(*command, str(folder / "execute.yml"), cwd=tmp_path)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
