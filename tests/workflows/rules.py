"""Our own rules for workflow files: each yields what it objects to, as one line."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Final

from executor.cli import COMMANDS
from tests.workflows.files import Job, Workflow, jobs

Files = Mapping[str, Workflow]

ON_MAIN: Final = "github.ref == 'refs/heads/main'"
SWITCHED_ON: Final = "vars.TRADING_ENABLED == 'true'"
SWITCHED_EVER: Final = "vars.TRADING_ENABLED != ''"

WITHOUT_MAIN: Final = {
    "pull-request.ring": "runs on the pull request's ref; it may ring main's validator and no more",
}
"""Jobs that write elsewhere than on main, with the reason."""

WITHOUT_SWITCH: Final = {
    "doctor.doctor": "reads; it is what one runs before trading is switched on",
    "ci.ci": "judges changes of the code, with no right to anything",
}
"""Jobs that run in a fresh copy, with the reason."""

WITHOUT_VERB: Final = frozenset({"ci", "pull-request"})

ENVIRONMENT: Final = {"name": "${{ vars.AUTOINVESTOR_ENVIRONMENT }}", "deployment": False}

ACTIONS: Final = frozenset(
    {
        "actions/checkout",
        "actions/create-github-app-token",
        "actions/download-artifact",
        "actions/setup-python",
        "actions/upload-artifact",
    }
)
"""Actions of others that are used at all: GitHub's own."""

PINNED: Final = re.compile(r"^ *(?:- )?uses: ([\w/-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")

LINES_A_JOB: Final = 72
"""One screen; a workflow of three jobs may have two."""

MINUTES_MAX: Final = 20
"""How long a job may hang; the one that runs the whole gate has more."""


def rights(files: Files) -> Iterator[str]:
    """Nothing is granted at the top, and each right of a job stands beside its reason."""
    for name, workflow in files.items():
        if workflow.keys.get("permissions") != {}:
            yield f"{name}: permissions at the top are not {{}}"
        for line in workflow.text.splitlines():
            granted = re.match(r"^ {6}([a-z-]+): (read|write)( # .{8,})?$", line)
            if granted and not granted.group(3):
                yield f"{name}: {granted.group(1)}: {granted.group(2)} has no reason beside it"
    for job in jobs(files):
        if not job.permissions:
            yield f"{job.where}: lists no permission"
        if set(job.permissions.values()) - {"read", "write"}:
            yield f"{job.where}: permissions other than read and write"


def main_only(files: Files) -> Iterator[str]:
    """What has secrets or writes runs for main only, and nothing runs in a fresh copy."""
    for job in jobs(files):
        terms = job.condition.split(" && ")
        armed = job.has_secrets or job.writes
        if armed and terms[0] != ON_MAIN and job.where not in WITHOUT_MAIN:
            yield f"{job.where}: has secrets or writes, and its condition does not begin: {ON_MAIN}"
        switch = SWITCHED_EVER if job.workflow == "halt" else SWITCHED_ON
        starts = "needs" not in job.keys and job.where not in WITHOUT_SWITCH
        if starts and switch not in terms[:2]:
            yield f"{job.where}: not inert, its condition lacks {switch}"


def time_limits(files: Files) -> Iterator[str]:
    """Every job ends."""
    for job in jobs(files):
        limit = job.keys.get("timeout-minutes")
        most = 60 if job.workflow == "ci" else MINUTES_MAX
        if not isinstance(limit, int) or not 1 <= limit <= most:
            yield f"{job.where}: timeout-minutes {limit}, it takes 1 to {most}"


def pins(files: Files) -> Iterator[str]:
    """Each action is a commit with its version, GitHub's own, and one version everywhere."""
    seen: dict[str, str] = {}
    for name, workflow in files.items():
        for line in workflow.text.splitlines():
            if not re.match(r" *(- )?uses:", line):
                continue
            pin = PINNED.match(line)
            if pin is None:
                yield f"{name}: {line.strip()}: no commit with its version"
                continue
            action, commit = pin.groups()
            if action not in ACTIONS:
                yield f"{name}: {action}: an action that is not on the list"
            if seen.setdefault(action, commit) != commit:
                yield f"{name}: {action}: another commit than elsewhere"


def secrets(files: Files) -> Iterator[str]:
    """Secrets come from the environment that the variable names; the agent has none."""
    for job in jobs(files):
        environment = job.keys.get("environment")
        if job.has_secrets and environment != ENVIRONMENT:
            yield f"{job.where}: secrets without the environment of the variable"
        if environment is not None and not job.has_secrets:
            yield f"{job.where}: an environment that it does not need"
        if job.has_secrets and set(files[job.workflow].triggers) & {"pull_request"}:
            yield f"{job.where}: secrets in a run of a pull request's own file"
        if "toJSON(secrets)" in str(job.keys) or job.keys.get("secrets") == "inherit":
            yield f"{job.where}: all secrets at once"
    found = [job for job in jobs(files) if job.name == "agent"]
    if len(found) != 1:
        yield f"{len(found)} jobs are named agent, not 1"
    for job in found:
        if job.permissions != {"contents": "read"} or job.has_secrets or "environment" in job.keys:
            yield f"{job.where}: more than a token that reads the repository"
        if "token" in str(job.keys).lower():
            yield f"{job.where}: the agent is handed a token"


def tokens(files: Files) -> Iterator[str]:
    """An App's token is scoped down to what its job has; the validator takes none."""
    for job in jobs(files):
        for step in job.uses("actions/create-github-app-token"):
            given = step["with"]
            scoped = {
                key.removeprefix("permission-"): value
                for key, value in given.items()
                if key.startswith("permission-")
            }
            extra = {"administration": "read"} if job.workflow == "doctor" else {}
            if scoped != {**job.permissions, **extra}:
                yield f"{job.where}: the App's token has other rights than the job"
            if step.get("if") != "vars.APP_CLIENT_ID != ''":
                yield f"{job.where}: an App's token where no App may be"
    if "create-github-app-token" in files["validate"].text:
        yield "validate: a status counts only where the Actions app posted it"


def checkouts(files: Files) -> Iterator[str]:
    """A checkout leaves no credential; for anything but ci it is main as it is now."""
    for job in jobs(files):
        for step in job.uses("actions/checkout"):
            if step["with"].get("persist-credentials") is not False:
                yield f"{job.where}: checkout leaves its credential"
            if job.workflow != "ci" and step["with"].get("ref") != "main":
                yield f"{job.where}: checks out another ref than main"


def installs(files: Files) -> Iterator[str]:
    """What trades is the core from the hashed list, and nothing that an earlier run left."""
    for job in jobs(files):
        if re.search(r"actions/cache|restore-key|'cache'", str(job.keys)):
            yield f"{job.where}: a cache"
        runs = [str(one["run"]) for one in job.steps if "run" in one]
        if any(".venv/bin/autoinvestor" in one for one in runs):
            others = [one for one in runs if re.search(r"\b(pip|uv|apt|npm|make|curl)\b", one)]
            if others != ["make .venv/core"]:
                yield f"{job.where}: installs something else than make .venv/core"


def scripts(files: Files) -> Iterator[str]:
    """No expression stands in a script, whatever it expands to."""
    for job in jobs(files):
        for step in job.steps:
            if "${{" in str(step.get("run", "")):
                yield f"{job.where}: an expression in a script"
            if "github-script" in str(step.get("uses", "")):
                yield f"{job.where}: a script in an action's input"


def writers(files: Files) -> Iterator[str]:
    """Who writes to main stands in one queue that drops nobody; halt stands in none of theirs."""
    for job in jobs(files):
        group = job.keys.get("concurrency") or files[job.workflow].keys.get("concurrency")
        if group is None:
            yield f"{job.where}: no concurrency"
            continue
        if group.get("queue") == "max" and group.get("cancel-in-progress") is not False:
            yield f"{job.where}: queue: max with cancel-in-progress"
        if job.permissions.get("contents") == "write":
            wanted = "halt" if job.workflow == "halt" else "main"
            if (group["group"], group.get("queue")) != (wanted, "max"):
                yield f"{job.where}: writes to main outside the queue {wanted}"
        elif group["group"] in ("main", "halt"):
            yield f"{job.where}: stands in a writer's queue and writes nothing"


def triggers(files: Files) -> Iterator[str]:
    """One schedule; nothing that runs a stranger's change with our rights; ci never on plans."""
    scheduled = [name for name, one in files.items() if "schedule" in one.triggers]
    if scheduled != ["tick"]:
        yield f"scheduled are {scheduled}, it is tick alone"
    for name, workflow in files.items():
        for trigger in {"pull_request_target", "workflow_run"} & set(workflow.triggers):
            yield f"{name}: {trigger}"
        for trigger in {"issues", "issue_comment"} & set(workflow.triggers):
            if name not in ("halt", "settle"):
                yield f"{name}: {trigger}"
    ignored = files["ci"].triggers["pull_request"]["paths-ignore"]
    if not {"trading_instructions.json", "strategy_reviews/**"} <= set(ignored):
        yield "ci: would run on a plan's pull request"


def one_verb(files: Files) -> Iterator[str]:
    """A workflow is named like its verb and calls it, with flags that it has."""
    for name, workflow in files.items():
        called = [words for job in workflow.jobs for words in _calls(job)]
        if name not in WITHOUT_VERB and name not in {words[0] for words in called}:
            yield f"{name}: does not call its verb"
        for words in called:
            yield from (f"{name}: {problem}" for problem in _misfit(words))


def _calls(job: Job) -> Iterator[list[str]]:
    for step in job.steps:
        for call in re.findall(r"\.venv/bin/autoinvestor ([^;\n]+)", str(step.get("run", ""))):
            yield shlex.split(call)


def _misfit(words: list[str]) -> Iterator[str]:
    if words[0] not in COMMANDS:
        yield f"autoinvestor {words[0]}: no such verb"
        return
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(f"executor.commands.{words[0]}").configure(parser)
    given = [re.sub(r"^\$PULL_REQUEST$", "7", one) for one in words[1:]]
    try:
        parser.parse_args(given)
    except (argparse.ArgumentError, SystemExit) as error:
        yield f"autoinvestor {' '.join(words)}: {error}"


def sizes(files: Files) -> Iterator[str]:
    """One screen each."""
    for name, workflow in files.items():
        lines, most = workflow.text.count("\n"), LINES_A_JOB + 25 * (len(workflow.jobs) - 1)
        if lines > most:
            yield f"{name}: {lines} lines, at most {most}"


def silences(files: Files) -> Iterator[str]:
    """What a linter is told to overlook has its reason beside it."""
    for name, workflow in files.items():
        for line in workflow.text.splitlines():
            quiet = re.search(
                r"(zizmor: ignore|actionlint|shellcheck disable)(\[[\w-]+\])?(.*)", line
            )
            if quiet and (quiet.group(2) is None or len(quiet.group(3).strip()) < 30):
                yield f"{name}: overlooked without a reason: {line.strip()}"


RULES: Final[tuple[Callable[[Files], Iterator[str]], ...]] = (
    rights,
    main_only,
    time_limits,
    pins,
    secrets,
    tokens,
    checkouts,
    installs,
    scripts,
    writers,
    triggers,
    one_verb,
    sizes,
    silences,
)


def objections(files: Files) -> list[str]:
    """Everything that the rules object to."""
    return [problem for rule in RULES for problem in rule(files)]
