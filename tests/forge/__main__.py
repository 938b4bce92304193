"""Serve a loopback GitHub in the foreground: `python -m tests.forge --repo BARE`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.forge.server import Forge, run
from tests.forge.state import State


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the arguments and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m tests.forge", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--repo", type=Path, required=True, help="the bare repository")
    parser.add_argument("--name", default="octo-owner/invest", help="owner/name")
    parser.add_argument("--events", type=Path, help="folder for payloads of events")
    parser.add_argument(
        "--plan", choices=("public", "private_free", "private_paid"), default="public"
    )
    given = parser.parse_args()
    owner, _, name = given.name.partition("/")
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder), given.events)
        account = state.account(owner)
        if account is None:
            parser.error(f"--name: {owner} is no account here; octo-owner is")
        state.add_repository(
            name,
            account,
            path=given.repo,
            is_private=given.plan != "public",
            plan="pro" if given.plan == "private_paid" else "free",
        )
        run(Forge(state), given.port, _announce)
    return 0


if __name__ == "__main__":
    sys.exit(main())
