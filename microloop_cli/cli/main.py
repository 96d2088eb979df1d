"""The console script: everything happens inside the error boundary, imports included."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from microloop_cli.cli.boundary import guarded


def entry() -> None:
    """What the `microloop` command calls; ends the process with the exit code."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    gc.disable()  # nothing made while importing is garbage: a twentieth of the start; a run turns it on again
    return guarded(lambda: _dispatch(arguments))


def _dispatch(arguments: Sequence[str]) -> int:
    from microloop_cli.cli.commands import run_command_line

    return run_command_line(list(arguments))


if __name__ == "__main__":
    entry()
