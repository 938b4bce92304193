"""One run of a workflow under act: the real file, without the keys that act does not know."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ACT: Final = Path(sys.executable).with_name("act")

SECONDS_MAX: Final = 120
"""How long one run may take here before the test gives up."""

UNKNOWN_TO_ACT: Final = (
    re.compile(r"^ +queue: max\n", re.MULTILINE),
    re.compile(r", queue: max(?=[,} ])"),
    re.compile(r"^ +timezone: .*\n", re.MULTILINE),
    re.compile(r", deployment: false(?= \})"),
)
"""Keys of GitHub's that act refuses; only the copy that it runs goes without them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be run."""

    workflow: str
    """File name with its ending."""
    text: str
    """The file's content, as it is at the commit that GitHub takes it from."""
    event: str
    payload: Mapping[str, Any]
    run: int
    actor: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run."""

    conclusion: str
    """`success`, `failure`, or `skipped` where no job's condition held."""
    jobs: tuple[str, ...]
    """The jobs that ran, in order."""
    log: str


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine that runs workflows: act in host mode, and stand-ins for others' actions."""

    folder: Path
    environment: Mapping[str, str]
    """What GitHub would set, and what the stand-ins read."""
    variables: dict[str, str] = field(default_factory=dict)
    """`vars`: may be changed between two runs."""
    secrets: Mapping[str, str] = field(default_factory=dict)

    def run(self, asked: Asked) -> Ran:
        """Run one workflow to its end."""
        place = self.folder / "runs" / str(asked.run)
        workflows = place / ".github" / "workflows"
        workflows.mkdir(parents=True)
        (workflows / asked.workflow).write_text(stripped(asked.text))
        (place / "event.json").write_text(json.dumps(asked.payload))
        for words in (("init", "--quiet", "--initial-branch=main"), ("add", "."), _COMMIT):
            subprocess.run(["git", *words], cwd=place, check=True, capture_output=True)
        done = subprocess.run(
            self._command(asked, place),
            cwd=place,
            env={**os.environ, "HOME": str(self.folder / "home")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        return _outcome(done.returncode, done.stdout, done.stderr)

    def _command(self, asked: Asked, place: Path) -> list[str]:
        environment = {
            **self.environment,
            "GITHUB_RUN_ID": str(asked.run),
            "GITHUB_RUN_ATTEMPT": "1",
        }
        return [
            *(str(ACT), asked.event, "--json", "-C", str(place), "-e", "event.json"),
            *("-W", f".github/workflows/{asked.workflow}", "-P", "ubuntu-24.04=-self-hosted"),
            *("--actor", asked.actor, "--defaultbranch", "main", "--no-cache-server"),
            *("--action-cache-path", str(place / "cache")),
            *_repeated("--local-repository", stand_ins(asked.text)),
            *_repeated("--env", environment),
            *_repeated("--var", self.variables),
            *_repeated("--secret", self.secrets),
        ]


_COMMIT: Final = (
    *("-c", "user.name=test", "-c", "user.email=test@localhost"),
    *("commit", "--quiet", "--message=run"),
)


def stripped(text: str) -> str:
    """A workflow without the keys that act does not know."""
    for key in UNKNOWN_TO_ACT:
        text = key.sub("", text)
    return text


def stand_ins(text: str) -> dict[str, str]:
    """The folder of each action that a workflow uses."""
    used = set(re.findall(r"uses: (actions/([\w-]+)@\w+)", text))
    return {reference: str(HERE / "actions" / name) for reference, name in used}


def _repeated(flag: str, pairs: Mapping[str, str]) -> list[str]:
    return [word for key, value in pairs.items() for word in (flag, f"{key}={value}")]


def _outcome(code: int, out: str, err: str) -> Ran:
    results: dict[str, str] = {}
    lines = []
    for line in out.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        lines.append(f"{told.get('jobID', '')}: {told.get('msg', '').rstrip()}")
        if "jobResult" in told:
            results[told["jobID"]] = told["jobResult"]
    ran = tuple(name for name, result in results.items() if result != "skipped")
    conclusion = "success" if ran else "skipped"
    if code or "failure" in results.values():
        conclusion = "failure"
    return Ran(conclusion, ran, "\n".join((*lines, err)))
