"""What the documents say is so: links, commands, flags, settings, targets and paths."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from executor.cli import COMMANDS
from executor.decisions.schemas import MODELS
from executor.model.settings import LIMITS_BY_CHECK, Settings

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""When the README's commands are run: a test wants the same prices every time."""

BESIDES = {".demo", ".git", ".venv", "node_modules"}


def _documents() -> list[Path]:
    found = ROOT.rglob("*.md")
    return sorted(
        one
        for one in found
        if not any(
            part in BESIDES or part.endswith("_cache") for part in one.relative_to(ROOT).parts
        )
    )


DOCUMENTS = [pytest.param(one, id=str(one.relative_to(ROOT))) for one in _documents()]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def _without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def _code(text: str) -> list[str]:
    """Every piece of code of a document: fenced and indented blocks, and spans."""
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`]+)`", rest)
    return [*fenced, *spans, *re.findall(r"^ {4}(\S.*)$", rest, flags=re.MULTILINE)]


def _marked(text: str, mark: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block that stands behind a comment."""
    pattern = rf"^<!-- {mark} -->\n```(\w*)\n(.*?)^```$"
    return re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL)


def _anchors(document: Path) -> set[str]:
    """GitHub's anchors of a document's headings."""
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = _without_code(document.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        led = (document.parent / path).resolve() if path else document
        assert led.is_relative_to(ROOT), f"{target} leads out of the repository"
        assert led.exists(), target
        if anchor:
            assert anchor in _anchors(led), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_of_the_program_that_is_named_exists(document: Path) -> None:
    for code in _code(document.read_text("utf-8")):
        for path in re.findall(r"(?<![\w./-])(?:executor|tests|schemas)/[\w./*-]+", code):
            invented = "whole_shares" in path or "<" in code
            assert invented or list(ROOT.glob(path.rstrip("/.*"))), path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_place_of_a_machine_is_named(document: Path) -> None:
    text = document.read_text("utf-8")
    found = re.search(r"/(?:work|root|home|Users|opt|tmp)/\w|pypi\.org|pythonhosted", text)
    assert found is None, found


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-contracts.txt"]
)
def test_no_list_names_an_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text("utf-8")


# Commands.


@cache
def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--repo")
    parser.add_argument("--json")
    import_module(f"executor.commands.{command}").configure(parser)
    return parser


def _flags(command: str) -> set[str]:
    return set(_parser(command)._option_string_actions)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_flag_that_is_named_exists(document: Path) -> None:
    for code in _code(document.read_text("utf-8")):
        calls = re.findall(r"\bautoinvestor ([a-z]+\b)([^\n|;`]*)", code)
        for command, rest in calls:
            if rest.startswith(", coming"):
                continue
            assert command in COMMANDS, f"autoinvestor {command}"
            unknown = set(re.findall(r"(?<!\S)--[a-z-]+", rest)) - _flags(command)
            assert not unknown, f"autoinvestor {command}{rest}"


def test_the_table_of_commands_has_each_with_its_flags() -> None:
    rows = re.findall(r"^\| `autoinvestor (\w+)` \| ([^|]*) \|", README, flags=re.MULTILINE)
    assert [command for command, _ in rows] == list(COMMANDS)
    for command, flags in rows:
        own = {one for one in _flags(command) if one.startswith("--")} - {
            "--help",
            "--json",
            "--repo",
        }
        assert set(re.findall(r"--[a-z-]+", flags)) == own, command


def test_the_help_is_what_the_program_prints() -> None:
    ((_, block),) = _marked(README, "help")
    done = subprocess.run(
        [sys.executable, "-m", "executor", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert block == done.stdout


# Settings, limits and targets.


def _keys(model: type[BaseModel]) -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        found.add(name)
        for inner in _models(field.annotation):
            found |= _keys(inner)
    return found


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _models(one)


SETTINGS = tomllib.loads((ROOT / "autoinvestor.toml").read_text("utf-8"))
KNOWN = set().union(*(_keys(model) for model in MODELS.values())) | set(LIMITS_BY_CHECK)
UNIT = re.compile(r"[a-z_]+_(?:pct|seconds|minutes|shares|usd|bps|days|max|max_x)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    for code in _code(document.read_text("utf-8")):
        for table, key in re.findall(r"(?<!\w)\[([a-z]+)\] ([a-z_]+)", code):
            model = next(_models(Settings.model_fields[table].annotation))
            assert key in model.model_fields, f"[{table}] {key}"
        if UNIT.fullmatch(code):
            elsewhere = code in {"reset_seconds", "advance_seconds", "rest_seconds"}
            checks = {path.stem for path in (ROOT / "executor" / "checks").glob("*.py")}
            assert elsewhere or code in KNOWN | checks, code


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_that_is_named_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    for code in _code(document.read_text("utf-8")):
        for call in re.findall(r"(?:^|\s)make((?: [\w=.-]+)+)", code):
            named = {one for one in call.split() if "=" not in one}
            assert named <= targets, f"make{call}"


def test_every_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)) - {"help"}
    rows = set(re.findall(r"^\| `make ([a-z-]+)` \|", CONTRIBUTING, flags=re.MULTILINE))
    assert rows == explained


# What is run.


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the product as a newcomer has it: the settings on main, and the program at hand."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("autoinvestor.toml", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    shim = tools / "autoinvestor"
    shim.write_text(
        "#!/bin/sh\n"
        'case "$1" in validate|execute|settle|halt|resume) '
        f'set -- "$@" --now {NOW:%Y-%m-%dT%H:%M:%SZ};; esac\n'
        f'exec "{sys.executable}" -m executor "$@"\n'
    )
    shim.chmod(0o755)
    _run(folder, "git init -q -b main && git add -A && git commit -q -m 'Start'")
    return folder


def _run(folder: Path, script: str, interpreter: tuple[str, ...] = ("sh", "-e", "-c")) -> str:
    person = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "You"), ("EMAIL", "you@example.com"), ("DATE", f"{NOW}"))
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        [*interpreter, script],
        cwd=folder,
        env={
            **inherited,
            **person,
            "PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_readme_works_from_top_to_bottom(copy: Path) -> None:
    printed = []
    for language, block in _marked(README, "run"):
        interpreter = (sys.executable, "-c") if language == "python" else ("sh", "-e", "-c")
        printed.append(_run(copy, block, interpreter))
    shell, python = "\n".join(printed[:-1]), printed[-1]
    assert shell.count("completed") == 2
    assert "trading is ACTIVE" in shell
    assert "holds: " in shell
    assert python.startswith("completed")
    # The first plan, what settle found, the halt, the resume, and the plan in Python.
    assert len(list(copy.glob("execution_results/*/result_*.json"))) == 4
    assert len(list(copy.glob("strategy_reviews/*/review_*.json"))) == 1


def test_the_excerpt_is_what_the_demo_prints(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "executor", "demo", "--into", str(tmp_path / "demo")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    ((_, block),) = _marked(README, "demo")
    printed = done.stdout.splitlines()
    for line in block.splitlines():
        assert line in printed


def test_the_stop_in_the_security_page_stops(copy: Path) -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    (halt,) = re.findall(r"^    (autoinvestor halt .*)$", text, flags=re.MULTILINE)
    (write_plan, *_) = [block for _, block in _marked(README, "run")]
    _run(copy, write_plan)
    _run(copy, "git add -A && git commit -q -m 'Plan' && git switch -q -C main")
    assert "REDUCE_ONLY" in _run(copy, halt)
    assert "REDUCE_ONLY" in _run(copy, "autoinvestor execute || test $? -eq 1")


def test_every_attack_is_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    rows = re.findall(
        r"^\| .* \| \[[\w.]+\]\(([\w./]+)\) `(test_\w+)` \|$", text, flags=re.MULTILINE
    )
    assert len(rows) >= 39
    for path, name in rows:
        assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8"), f"{path}: {name}"


def test_the_first_plan_on_github_is_valid(tmp_path: Path) -> None:
    (found,) = re.findall(r"with a plan such as this[^`]+```json\n([^`]+)```", README)
    (tmp_path / "trading_instructions.json").write_text(found)
    shutil.copy(ROOT / "autoinvestor.toml", tmp_path)
    command = ("validate", "--repo", str(tmp_path), "--file", "trading_instructions.json")
    done = subprocess.run(
        [sys.executable, "-m", "executor", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("mark", "document"), [("resume", "trading_instructions"), ("resume by the bot", "proposal")]
)
def test_the_way_back_from_a_halt_is_valid(tmp_path: Path, mark: str, document: str) -> None:
    ((_, found),) = _marked(README, mark)
    (tmp_path / "document.json").write_text(found)
    shutil.copy(ROOT / "autoinvestor.toml", tmp_path)
    command = ("validate", "--repo", str(tmp_path), "--document", document, "--file")
    done = subprocess.run(
        [sys.executable, "-m", "executor", *command, "document.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_of_a_check_works(monkeypatch: pytest.MonkeyPatch) -> None:
    ((name, code),) = re.findall(
        r"^<!-- check: (\w+) -->\n```python\n(.*?)^```$",
        CONTRIBUTING,
        flags=re.MULTILINE | re.DOTALL,
    )
    assert not (ROOT / "executor" / "checks" / f"{name}.py").exists()
    module = types.ModuleType(f"executor.checks.{name}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, f"{name}.py", "exec"), module.__dict__)
    assert module.RULE.id == name
    ((_, tests),) = _marked(CONTRIBUTING, "test of the check")
    scope: dict[str, object] = {}
    exec(compile(tests, f"test_{name}.py", "exec"), scope)
    ran = [one for key, one in scope.items() if key.startswith("test_") and callable(one)]
    for test in ran:
        test()
    assert len(ran) == 2
