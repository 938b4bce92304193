"""`python -m executor` and the console script `autoinvestor`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run one command and end with its exit code."""
    from executor.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
