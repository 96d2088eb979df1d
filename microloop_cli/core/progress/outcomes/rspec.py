"""RSpec. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = (" examples, ", "1 example, ", "Failed examples:")

_TOTAL = re.compile(
    r"(\d{1,9}) examples?, (\d{1,9}) failures?(?:, (\d{1,9}) pending)?"
    r"(?:, (\d{1,9}) errors? occurred outside of examples)?"
)
_LISTED = re.compile(r"rspec '?(\.{0,2}[^\s'\[:]{1,400})(?::\d{1,7}|\[[\d:]{1,80}\])'? # (.+)$")
_NUMBERED = re.compile(r"  {1,3}\d{1,6}\) (\S.*)$")
_CLASS = re.compile(r"\s{2,12}([A-Z][\w:]{1,200}):$")
_LOADING = re.compile(r"An error occurred (?:while loading |in an? )(\S{1,400}?)\.?(?: hook\.?)?$")
_MESSAGE_LINES = 4


def read(text: str) -> TestOutcome | None:
    """What the examples came to; crashed when a file could not be loaded. None without a total or a list."""
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    totals = [match for line in lines if line[:1].isdigit() and (match := _TOTAL.match(line))]
    listed = [
        (match[1], match[2]) for line in lines if line.startswith("rspec ") and (match := _LISTED.match(line))
    ]
    if not totals and not listed:
        return None
    total, failed, pending, outside = (sum(int(match[i] or 0) for match in totals) for i in (1, 2, 3, 4))
    said = _said(lines)
    tests = [failed_test(f"{file} # {name}", *said.get(name, ("", ""))) for file, name in listed]
    broken = list(_loading(lines)) if outside else []
    return build_outcome(
        "rspec",
        tests + broken,
        failed_count=failed + outside if totals else None,
        passed=max(0, total - failed - pending) if totals else None,
        skipped=pending,
        status="crashed" if outside and not total else None,
        complete=bool(totals),
    )


def _said(lines: list[str]) -> dict[str, tuple[str, str]]:
    """`(message, error type)` by the example's full description."""
    said: dict[str, tuple[str, str]] = {}
    failures = False
    for i, line in enumerate(lines):
        if line == "Failures:":
            failures = True
        elif line == "Pending:" or line.startswith(("Failed examples:", "Finished in ")):
            failures = False
        elif failures and (match := _NUMBERED.match(line)):
            said.setdefault(match[1], _failure(lines, i + 1))
    return said


def _failure(lines: list[str], start: int) -> tuple[str, str]:
    """Behind the failing source there is a blank line, perhaps the error's class, and the message."""
    at = start
    while at < len(lines) and at < start + 40 and lines[at]:
        at += 1
    error = "ExpectationNotMet"
    message: list[str] = []
    for line in lines[at + 1 : at + 40]:
        if (match := _CLASS.match(line)) and not message:
            error = match[1].rpartition("::")[2]
        elif line.lstrip().startswith("# ") or (not line and message) or len(message) == _MESSAGE_LINES:
            break
        elif line:
            message.append(line.strip())
    return " ".join(message), error


def _loading(lines: list[str]) -> Iterator[FailedTest]:
    for i, line in enumerate(lines):
        if match := _LOADING.match(line):
            error = next(
                (
                    at
                    for at in range(i, min(i + 40, len(lines)))
                    if re.match(r"[A-Z][\w:]{1,200}:$", lines[at])
                ),
                -1,
            )
            message = lines[error + 1].strip() if 0 <= error < len(lines) - 1 else ""
            yield failed_test(
                match[1],
                message,
                error=lines[error].rstrip(":").rpartition("::")[2] if error >= 0 else "error",
            )
