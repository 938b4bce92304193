from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from executor.cli import COMMANDS, run
from executor.console import Console
from executor.errors import ExitCode
from executor.reports.blocks import Line, Table
from tests.examples.corpus import FOLDER, ROOT

PLAN = FOLDER / "valid/trading_instructions/mission_deployment.json"


PROGRAM = "from executor.__main__ import main; main()"


def command(*argv: object, program: str = PROGRAM) -> list[str]:
    return [sys.executable, "-c", program, *map(str, argv)]


def test_help_names_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name, line in COMMANDS.items():
        assert name in text
        assert line in text
    for code in ExitCode:
        assert f" {code.value} " in text


def test_nothing_asked_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert capsys.readouterr().out.startswith("usage: autoinvestor COMMAND")


@pytest.mark.parametrize("argv", [["frobnicate"], ["--json"], ["validat"], ["-x"], [""]])
def test_what_is_no_command_is_a_matter_of_usage(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: autoinvestor" in captured.err


@pytest.mark.parametrize("name", ["validate", "schema"])
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--repo", "--json", "exit codes:"):
        assert option in text


def test_an_error_is_told_on_standard_error_and_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["validate", "--json", "--file", "none.json"]) == 2
    captured = capsys.readouterr()
    problem = "none.json: no such file; name a file that can be read"
    assert captured.err == f"{problem}\n"
    # The settings are read before the plan, and from here they can be.
    assert json.loads(captured.out) == {"error": problem, "exit_code": 2}


class Broken(io.StringIO):
    """A stream that fails as ours never should."""

    def write(self, text: str) -> int:
        raise RuntimeError("a mistake in the stream")


def test_a_mistake_of_ours_is_reported_ready_to_paste(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    assert run(["schema", "--check", "--repo", str(ROOT)]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "a mistake of ours in `autoinvestor schema`: RuntimeError: a mistake in the stream"
    )
    assert lines[1] == "nothing was lost; please report the lines below"
    assert lines[2].startswith("  Python 3.")
    assert "in write: raise RuntimeError" in lines[-1]
    assert not [line for line in lines if "Traceback" in line]


def test_a_reader_that_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("validate", "--json", "--file", PLAN),
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_is_told_as_one() -> None:
    # Where the tests run in the background an interrupt is ignored, and that would be inherited.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    reading, writing = os.pipe()
    process = subprocess.Popen(
        command("validate", "--file", f"/dev/fd/{reading}", program=f"{listens}; {PROGRAM}"),
        cwd=ROOT,
        pass_fds=[reading],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        os.close(reading)
        # More than a pipe holds: once it is written, the command reads, and waits for more.
        os.write(writing, b" " * 70_000)
        # A signal just before a read is seen after it only: let it read, and do not rely on it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        out, err = process.communicate()
    os.close(writing)
    assert (process.returncode, out) == (130, b"")
    assert err == b"interrupted; nothing is lost, run the same command again\n"


def test_a_locale_without_our_letters_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "gr\u00f6\u00dfe.json"
    file.write_bytes(PLAN.read_bytes())
    done = subprocess.run(
        command("validate", "--file", file),
        cwd=ROOT,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"valid: ")


def test_help_loads_nothing_that_it_does_not_need() -> None:
    heavy = "pydantic jsonschema alpaca pandas numpy github aiohttp rich simplejson holidays typing"
    script = (
        "import sys; from executor.cli import run; run(['--help']);"
        f"print([one for one in {heavy.split()} if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_validating_a_file_loads_nothing_that_it_does_not_need() -> None:
    heavy = (
        "alpaca pandas numpy github aiohttp rich simplejson holidays requests executor.model.result"
    )
    script = (
        f"import sys; from executor.cli import run; run(['validate', '--file', {str(PLAN)!r}]);"
        f"print([one for one in {heavy.split()} if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# The console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


TABLE = Table("title", ("name", "price"), (("MU", "331.44"),), frozenset({"price"}))


def test_a_terminal_gets_a_table_and_a_pipe_plain_text() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        Console(out=stream).show((Line("a line", "good"), TABLE))
    assert "331.44" in terminal.getvalue()
    assert terminal.getvalue() != pipe.getvalue()
    assert pipe.getvalue() == "a line\ntitle\n  name   price\n  MU    331.44\n"


def test_no_text_moves_the_cursor() -> None:
    for stream in (Terminal(), io.StringIO()):
        console = Console(out=stream, err=stream)
        console.show((Line("\x1b[31mred\u202e"), Table("", ("a",), (("\x07",),))))
        console.error("\x9b")
        console.say("\x00")
        text = stream.getvalue()
        for piece in ("\\u001b[31mred\\u202e", "\\u0007", "\\u009b", "\\u0000"):
            assert piece in text


def test_progress_is_no_part_of_the_answer() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(as_json=True, out=out, err=err)
    console.say("waiting")
    console.show((Line("ahead of the answer"),))
    assert (out.getvalue(), err.getvalue()) == ("", "waiting\n")
