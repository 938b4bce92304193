"""The design's Layout, held: floors, purity, sizes, names, folders and what a start loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from executor.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "executor"

FLOORS: tuple[frozenset[str], ...] = (
    # `executor/__init__.py` names the API modules; nothing imports a name from it.
    frozenset({"__init__", "__main__"}),
    frozenset({"cli"}),
    frozenset({"order_executor", "trading_instructions", "strategy_logger"}),
    frozenset({"commands"}),
    frozenset({"runs", "on_github"}),
    frozenset(
        {
            "wiring",
            "settings",
            "gather",
            "evidence",
            "record",
            "notes",
            "proposing",
            "history",
            "hosting",
            "checkpointing",
            "main_state",
            "judge_commit",
            "reviews",
            "console",
        }
    ),
    frozenset({"brokers", "exchange", "feeds", "repo", "agents"}),
    frozenset({"reports"}),
    frozenset({"decisions"}),
    frozenset({"checks", "triggers", "strategies"}),
    frozenset({"ports"}),
    frozenset({"model"}),
    frozenset({"errors"}),
)
"""From the top down. A module may import what lies on a lower floor, and modules of its own folder.

A folder that is not listed here fails until it is placed.
"""

MAY_IMPORT_EACH_OTHER = FLOORS[5]
"""One floor of plain modules, where facts are put together: each builds on the one before it."""

PURE = ("model", "checks", "triggers", "strategies", "decisions", "reports")
"""Folders whose functions touch nothing: same arguments, same answer."""

EVERYWHERE = frozenset(
    {
        "__future__",
        "ast",
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "inspect",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "statistics",
        "string",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
    }
)
"""What a pure module may import of the standard library: nothing here reaches outside the process.

`inspect` reads the source of our own models, where the schemas take their descriptions from.
"""

THIRD_PARTIES: Mapping[str, frozenset[str]] = {
    "model": frozenset({"pydantic", "pydantic_core", "simplejson"}),
    "decisions": frozenset({"jsonschema", "pydantic", "pydantic_core"}),
}
"""What a pure folder may import from elsewhere; a folder that is not named: nothing."""

EXCEPTIONS: Mapping[str, frozenset[str]] = {
    "executor.checks": frozenset({"importlib", "pkgutil"}),
}
"""`executor/checks/__init__.py` finds the checks by listing its own folder, once."""

IMPURE_CALLS = frozenset(
    {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
)
CLOCKS = frozenset({"now", "today", "utcnow"})
"""Methods that read the machine's clock, whatever they are called on."""

LINES_A_MODULE = 400
LINES_A_FUNCTION = 70

FOLDERS = frozenset(
    {
        ".github",
        "executor",
        "execution_results",
        "schemas",
        "strategy_reviews",
        "tests",
        "trading_instructions_history",
    }
)
"""The folders at the top; `.ci`, which holds the gate's script, may stand beside them."""


@dataclass(frozen=True)
class Import:
    """One import statement, wherever it stands in a module."""

    target: str
    """The module, in full."""
    line: int
    for_types_only: bool
    """True under `if TYPE_CHECKING`: it never happens when the program runs."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name; a folder's own is its `__init__.py`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text())


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    """Every import of a module, those inside functions and for types included."""
    return tuple(_imports(tree_of(module), for_types_only=False))


def _imports(node: ast.AST, *, for_types_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(name.name, child.lineno, for_types_only)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: imports are written in full"
            for name in child.names:
                whole = f"{child.module}.{name.name}"
                target = whole if whole in modules() else str(child.module)
                yield Import(target, child.lineno, for_types_only)
        elif isinstance(child, ast.If) and _asks_for_types(child.test):
            for statement in child.body:
                yield from _imports(ast.Module([statement], []), for_types_only=True)
            for statement in child.orelse:
                yield from _imports(ast.Module([statement], []), for_types_only=for_types_only)
        else:
            yield from _imports(child, for_types_only=for_types_only)


def _asks_for_types(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def place_of(module: str) -> str:
    """The folder, or the module beside the folders, that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def floor_of(module: str) -> int:
    place = place_of(module)
    found = [number for number, floor in enumerate(FLOORS) if place in floor]
    assert found, f"executor/{place} stands on no floor: place it in FLOORS, and in the design"
    return found[0]


def is_ours(name: str) -> bool:
    return name == "executor" or name.startswith("executor.")


def pure_modules() -> list[str]:
    return [name for name in modules() if place_of(name) in PURE]


def test_every_module_stands_on_one_floor() -> None:
    assert sum(map(len, FLOORS)) == len(frozenset().union(*FLOORS))
    for module in modules():
        floor_of(module)


def test_imports_run_downwards_only() -> None:
    wrong = []
    for module in modules():
        for one in imports_of(module):
            if not is_ours(one.target) or place_of(one.target) == place_of(module):
                continue
            mates = {place_of(module), place_of(one.target)} <= MAY_IMPORT_EACH_OTHER
            if floor_of(one.target) <= floor_of(module) and not mates:
                wrong.append(f"{module}:{one.line} imports {one.target}")
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    # An import for types never happens when the program runs, so it closes no circle.
    followers = {
        module: sorted(
            {
                one.target
                for one in imports_of(module)
                if one.target in modules() and not one.for_types_only
            }
        )
        for module in modules()
    }
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' → '.join((*way[way.index(module) :], module))}"
        if module not in done:
            for following in followers[module]:
                walk(following, (*way, module))
            done.add(module)

    for module in modules():
        walk(module, ())


def test_pure_folders_import_nothing_that_reaches_outside() -> None:
    wrong = []
    for module in pure_modules():
        allowed = (
            EVERYWHERE
            | THIRD_PARTIES.get(place_of(module), frozenset())
            | EXCEPTIONS.get(module, frozenset())
        )
        for one in imports_of(module):
            if not is_ours(one.target) and one.target.split(".")[0] not in allowed:
                wrong.append(f"{module}:{one.line} imports {one.target}")
    assert not wrong


def test_pure_folders_neither_ask_the_clock_nor_touch_the_machine() -> None:
    wrong = []
    for module in pure_modules():
        for node in ast.walk(tree_of(module)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            is_clock = isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
            if is_clock or name in IMPURE_CALLS:
                wrong.append(f"{module}:{node.lineno} calls {name}")
    assert not wrong


def test_each_exception_is_still_needed() -> None:
    for module, names in EXCEPTIONS.items():
        assert names <= {one.target.split(".")[0] for one in imports_of(module)}


def test_no_module_is_too_long() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert not {name: lines for name, lines in lengths.items() if lines > LINES_A_MODULE}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{module}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules()
        for node in ast.walk(tree_of(module))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert not {name: lines for name, lines in lengths.items() if lines > LINES_A_FUNCTION}


def stems(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}


def test_each_verb_is_one_command_one_module_one_test_file() -> None:
    assert stems(PACKAGE / "commands") == set(COMMANDS)
    wanted = {f"test_{name}" for name in COMMANDS}
    assert not wanted - stems(ROOT / "tests" / "commands")


def test_each_check_trigger_and_strategy_has_its_test_file() -> None:
    for folder in ("checks", "triggers", "strategies"):
        wanted = {f"test_{name}" for name in stems(PACKAGE / folder)}
        assert not wanted - stems(ROOT / "tests" / folder), folder


def files_in_git() -> list[str]:
    """Files that are in git, or will be with the next commit."""
    printed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [name for name in printed.split("\0") if name and (ROOT / name).is_file()]


def test_the_folders_at_the_top_are_those_of_the_design() -> None:
    found = {name.split("/", 1)[0] for name in files_in_git() if "/" in name}
    assert found - {".ci"} == FOLDERS


# Put together here, so that this file does not hold what it looks for.
MACHINE = re.compile(
    r"(?<![\w.-])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/"
    r"|--(?:extra-)?" + "index-url" + r"|--find-" + "links" + r"|files\.python" + "hosted"
)


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for name in files_in_git():
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), 1):
            if MACHINE.search(line.decode("utf-8", "replace")):
                found.append(f"{name}:{number}: {line.decode('utf-8', 'replace')[:120]}")
    assert not found


HEAVY = frozenset(
    {"aiohttp", "alpaca", "github", "holidays", "numpy", "pandas", "requests", "rich"}
)
"""Libraries that cost more to load than most commands take."""


def loaded_by(*arguments: str, folder: Path = ROOT) -> set[str]:
    """Run a command of ours as a process and name the libraries that it loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "executor", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    names = re.findall(r"^import time:[ 0-9]+\|[ 0-9]+\| +(\S+)$", done.stderr, re.MULTILINE)
    assert "executor.cli" in names, "the command was started"
    return {name.split(".")[0] for name in names}


def test_help_loads_none_of_the_libraries() -> None:
    assert not loaded_by("--help") & (HEAVY | {"jsonschema", "pydantic", "simplejson"})


def test_a_file_is_validated_without_the_libraries_of_broker_and_exchange(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(
        '{"strategy_type": "test", "reason": "a test", "instructions": [{"action": "SELL",'
        ' "ticker": "MU", "quantity": 1, "reason": "a test"}]}'
    )
    loaded = loaded_by("validate", "--file", str(plan))
    assert {"jsonschema", "pydantic"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", ["OrderExecutor", "TradingInstruction", "StrategyReviewLogger"])
def test_the_public_names_are_loaded_when_they_are_used(name: str) -> None:
    code = (
        "import sys, executor\n"
        "before = 'pydantic' in sys.modules\n"
        f"executor.{name}\n"
        "print(before, 'pydantic' in sys.modules, 'alpaca' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True", "False"]
