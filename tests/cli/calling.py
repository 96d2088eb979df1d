"""Calling microloop as a shell does: a real process, its exit code and what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = (sys.executable, "-m", "microloop_cli.cli.main")


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what changes how output looks."""
    plain = {
        key: value for key, value in os.environ.items() if key not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}
    }
    return {**plain, **more}


def microloop(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**more),
        timeout=60,
        check=False,
    )
