"""argv to one command to an exit code; a command's module is loaded when it is named."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from executor.errors import AutoInvestorError, ExitCode

TYPE_CHECKING = False  # as in `typing`, which is a quarter of the time of `autoinvestor --help`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from executor.console import Console

COMMANDS: Final = {
    "demo": "run the whole cycle on the embedded exchange, in a scratch repository",
    "review": "gather what an agent needs for a review",
    "agent": "run the built-in agent on what was gathered: it holds",
    "validate": "judge a plan: a file, a commit or a pull request with the account",
    "propose": "judge what an agent hands over, and open its pull request",
    "execute": "show what would be sent; with --submit, send it",
    "settle": "follow orders that were still open",
    "tick": "find what is due and start the workflow that does it",
    "halt": "exits only from now on, or nothing; withdraw what would open",
    "resume": "write the plan that loosens the trading state",
    "flatten": "write the plan that closes what is held",
    "withdraw": "take the plan that waits off main",
    "adopt": "begin the ledger of an account that already holds something",
    "ack": "take over what no commit explains",
    "audit": "prove the history: append-only, chained, every result with its plan",
    "setup": "show what the set-up on GitHub lacks; with --apply, mend it",
    "doctor": "read the set-up on GitHub back: drifts, who could trade, who sees it",
    "schema": "write the JSON Schemas from the models",
    "exchange": "serve the embedded Alpaca-compatible exchange",
}
"""Every verb with its one line of help; the module of the same name holds it."""

ENDINGS: Final = """exit codes:
  0 done, nothing pending, already executed, or not now   1 refused, or a breach found
  2 usage   3 a mistake of ours   4 run again   5 a person looks first   130 interrupted"""


def run(argv: Sequence[str]) -> int:
    """Run one command line; never raises."""
    # Reports hold characters beyond ASCII; a C locale must not turn them into a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _dispatch(list(argv))
    except SystemExit as ending:
        return int(ending.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing is lost, run the same command again\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); point the rest of it nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _dispatch(argv: list[str]) -> int:
    name = argv[0] if argv else ""
    if name not in COMMANDS:
        _top_parser().parse_args(argv or ["--help"])
        return ExitCode.USAGE
    from pathlib import Path

    from executor.console import Console

    command = import_module(f"executor.commands.{name}")
    parser = argparse.ArgumentParser(
        prog=f"autoinvestor {name}",
        description=COMMANDS[name],
        epilog=ENDINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--repo", type=Path, default=Path(), metavar="DIR", help="the repository (default: here)"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    command.configure(parser)
    options = parser.parse_args(argv[1:])
    console = Console(as_json=options.json)
    try:
        return console.finish(command.run(options, console))
    except AutoInvestorError as error:
        return _failed(console, error)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(console, _from_system(error))
    except Exception as error:
        return _report_bug(console, name, error)


def _top_parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="autoinvestor",
        usage="autoinvestor COMMAND [OPTIONS]   (autoinvestor COMMAND --help for each)",
        description=f"Plans by pull request, orders once, git log as the audit trail.\n\n{lines}",
        epilog=ENDINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "command", choices=tuple(COMMANDS), metavar="COMMAND", help=argparse.SUPPRESS
    )
    return parser


def _failed(console: Console, error: AutoInvestorError) -> int:
    for line in str(error).splitlines():
        console.error(line)
    return _finish(console, error.exit_code, str(error))


def _finish(console: Console, code: ExitCode, error: str) -> int:
    """Answer in JSON where JSON was asked for, also when it went wrong."""
    from executor.reports.reply import Reply

    return console.finish(Reply(code, {"error": error, "exit_code": code}))


def _from_system(error: OSError) -> AutoInvestorError:
    """A disk that is full or a folder that is read-only is no mistake of ours."""
    from executor.errors import BookUnavailable

    name = f" {error.filename}" if error.filename else ""
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return BookUnavailable(f"the system refused{name}: {reason}; mend that and run again")


def _report_bug(console: Console, name: str, error: Exception) -> int:
    import platform
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    console.error(f"a mistake of ours in `autoinvestor {name}`: {type(error).__name__}: {error}")
    console.error("nothing was lost; please report the lines below", "plain")
    console.error(f"  Python {platform.python_version()} on {platform.system()}", "plain")
    for frame in frames[-8:]:
        where = f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}"
        console.error(f"  {where}: {frame.line}", "plain")
    return _finish(console, ExitCode.BUG, f"{type(error).__name__}: {error}")
