"""The error a failed command ended with: its type and message, so that the same failure compares equal. Pure.

Of exceptions the last one counts (it ended the program), of compilers' errors the first (the others may
follow from it, and it goes when one gets ahead). Lines that only sum up (`make: *** ...`) count when nothing
says more.
"""

from __future__ import annotations

from microloop_cli.core.progress.error_lines import ErrorLine, message_of, read_exception, read_line
from microloop_cli.core.progress.refusals import edit_error
from microloop_cli.core.progress.signals import ErrorSignature

_TAIL_CHARS = 8192
_LINES_READ = 80
_REFUSAL_CHARS = 2000
_TRACEBACK = "Traceback (most recent call last)"
# What harnesses write around an output.
_WRAPPING = (
    "<output",
    "</output",
    "<returncode>",
    "</returncode>",
    "Command exited with code",
    "(Open file:",
    "(Current directory:",
    "bash-$",
)


def error_signature(normalised: str, exit_code: int | None) -> ErrorSignature | None:
    """The error in the last 8 KiB of a command's normalised output; None when it ended with 0.

    Without an exit code only what surely is an error counts; with one, the last line does if nothing else.
    Any text can be read; `kind` is an exception's or program's name, `edit` (a refused edit), else `exit N`.
    """
    if exit_code == 0:
        return None
    if len(normalised) <= _REFUSAL_CHARS and (refusal := edit_error(normalised)):
        return ErrorSignature("edit", refusal)
    lines = [line for line in normalised[-_TAIL_CHARS:].split("\n") if line and not line.isspace()]
    lines = [line for line in lines[-_LINES_READ:] if not line.lstrip().startswith(_WRAPPING)]
    found = _telling(lines)
    if found is not None and (exit_code is not None or found.rank in ("exception", "compiler")):
        return ErrorSignature(found.kind, found.message)
    if exit_code is None or not lines:
        return None
    return ErrorSignature(f"exit {exit_code}", message_of(lines[-1]))


def _telling(lines: list[str]) -> ErrorLine | None:
    raised = _end_of_traceback(lines)
    summary = None
    for index in range(len(lines) - 1, -1, -1):
        found = read_exception(lines[index]) if index == raised else read_line(lines[index])
        if found is None:
            continue
        if found.rank == "compiler":
            return _first_compiler_error(lines) or found
        if found.rank != "summary":
            return found
        summary = summary or found
    return summary


def _end_of_traceback(lines: list[str]) -> int | None:
    """Where the last traceback names its exception: the first line behind it indented like its head."""
    for start in range(len(lines) - 1, -1, -1):
        if _TRACEBACK in lines[start]:
            indent = len(lines[start]) - len(lines[start].lstrip())
            for index in range(start + 1, len(lines)):
                if not lines[index][indent : indent + 1].isspace():
                    return index
            return None
    return None


def _first_compiler_error(lines: list[str]) -> ErrorLine | None:
    for line in lines:
        found = read_line(line)
        if found is not None and found.rank == "compiler":
            return found
    return None
