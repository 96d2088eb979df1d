"""Where the traceback of a fault of microloop goes: a private file in the state directory of the user."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from microloop_cli import __version__


def write_crash_log(error: BaseException) -> Path | None:
    """Write `crash-*.log` (mode 0600) and return its path; None when no directory takes it.

    The command line is left out on purpose: it may hold secrets (`--env KEY=...`).
    """
    lines = [f"microloop {__version__}, Python {platform.python_version()}, {platform.platform()}\n"]
    lines += traceback.format_exception(type(error), error, error.__traceback__)
    text = "".join(lines).encode("utf-8", "backslashreplace")
    for folder in (state_folder(), Path(tempfile.gettempdir())):
        path = _write(folder, text)
        if path is not None:
            return path
    return None


def state_folder() -> Path:
    """`$XDG_STATE_HOME/microloop`, by default `~/.local/state/microloop`."""
    named = os.environ.get("XDG_STATE_HOME", "")
    base = Path(named) if named.startswith("/") else Path(os.path.expanduser("~/.local/state"))  # noqa: PTH111
    return base / "microloop"


def _write(folder: Path, text: bytes) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="crash-", suffix=".log", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
    except OSError as problem:
        sys.stderr.write(f"microloop: {folder}: {problem.strerror}\n")
        return None
    return Path(name)
