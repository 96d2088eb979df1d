"""The one error boundary: every failure becomes a message, a hint and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from microloop_cli.errors import MicroloopError

USAGE = 2
FAILED = 125
INTERRUPTED = 130
BROKEN_PIPE = 141


def guarded(command: Callable[[], int]) -> int:
    """The exit code of `command`; whatever it raises is told on stderr and turned into one.

    MicroloopError: its own code. A mistake in the command line: 2. ^C: 130. A reader that went away: 141, as
    a shell reports SIGPIPE. Anything else is a fault of microloop: 125 and a crash log.
    """
    _prepare_streams()
    code = _code_of(command)
    _settle(sys.stdout)
    _settle(sys.stderr)
    return code


def _code_of(command: Callable[[], int]) -> int:
    try:
        code = command()
        sys.stdout.flush()
    except MicroloopError as error:
        _tell(error.message, [error.hint] if error.hint else [])
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        return _full_disk(error) or _crash(error)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED if leaving.code else 0
    except Exception as error:  # noqa: BLE001  the boundary: a traceback belongs into a file, not on the terminal
        return _typer_error(error) or _crash(error)
    return code


def _full_disk(error: OSError) -> int | None:
    """The exit code of an output that could not be written, told; None for any other error of the OS."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
        return None
    _abandon(sys.stdout)
    where = f" to {error.filename}" if error.filename else ""
    _tell(f"cannot write{where}: {error.strerror}", ["make room, or write somewhere else"])
    return FAILED


def _typer_error(error: Exception) -> int | None:
    """The exit code of an error that typer raised, told; None for any other.

    Told by shape: typer carries its own copy of click in some versions, so there is no one class to name.
    """
    describe = getattr(error, "format_message", None)
    if describe is None or not hasattr(error, "show"):
        return None
    from microloop_cli.cli.usage import usage_message

    _tell(*usage_message(error, str(describe())))
    return USAGE


def _crash(error: Exception) -> int:
    from microloop_cli.cli.crashlog import write_crash_log

    where = write_crash_log(error)
    summary = f"{type(error).__name__}: {error}"
    if where is None:
        _tell(f"this is a bug in microloop: {summary}", ["no crash log could be written"])
    else:
        _tell(f"this is a bug in microloop: {summary}", [f"please report it with {where}"])
    return FAILED


def _tell(message: str, hints: Iterable[str]) -> None:
    from microloop_cli.bundle.harmless import harmless

    lines = [f"microloop: {message}", *(f"  hint: {line}" for hint in hints for line in hint.splitlines())]
    try:
        _settle(sys.stdout)
        sys.stderr.write("".join(harmless(line) + "\n" for line in lines))
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody is left to tell
        _abandon(sys.stderr)


def _prepare_streams() -> None:
    """A stream that is closed is one that nobody reads; what a stream cannot encode is written as `\\xNN`."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  for the rest of the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _settle(stream: TextIO) -> None:
    """Flush what is left, so that the interpreter has nothing to complain about at its end."""
    try:
        stream.flush()
    except (OSError, ValueError):
        _abandon(stream)


def _abandon(stream: TextIO) -> None:
    """Nobody reads this stream any more: let the interpreter's last flush go nowhere, quietly."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
