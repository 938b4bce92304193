"""`python -m executor` and the console script `autoinvestor`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run one command and end with its exit code."""
    # Most commands live for less than a second, much of it spent on loading modules: looking for
    # garbage among what is being loaded, and for plugins of pydantic that could look into a plan,
    # would cost a tenth of it.
    gc.set_threshold(500_000)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from executor.cli import run

    code = run(sys.argv[1:])
    # What is left goes with the process: to walk through it for garbage once more, as the
    # interpreter does when it ends, would cost another tenth.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
