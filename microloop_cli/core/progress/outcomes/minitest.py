"""Ruby's minitest, alone or under Rails. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = (" assertions, ", " assertion, ")

_TOTAL = re.compile(
    r"(\d{1,9}) (?:runs?|tests), (\d{1,9}) assertions?, (\d{1,9}) failures?, (\d{1,9}) errors?, "
    r"(\d{1,9}) (?:skips?|pendings)"
)
_START = re.compile(r"(?:\s{0,6}\d{1,6}\) )?(Failure|Error):\s{0,4}$")
_NAME = re.compile(r"([\w:]{1,300}#.{1,400}?)(?: \[[^\]]{1,400}\])?:$")
_MESSAGE_LINES = 4


def read(text: str) -> TestOutcome | None:
    """What the run came to; None without minitest's totals."""
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    totals = [match for line in lines if line[:1].isdigit() and (match := _TOTAL.match(line))]
    if not totals:
        return None
    ran, _, failures, errors, skipped = (sum(int(match[i]) for match in totals) for i in range(1, 6))
    return build_outcome(
        "minitest",
        _failures(lines),
        failed_count=failures + errors,
        passed=max(0, ran - failures - errors - skipped),
        skipped=skipped,
    )


def _failures(lines: list[str]) -> Iterator[FailedTest]:
    for i, line in enumerate(lines[:-1]):
        if (
            line.endswith(("Failure:", "Error:"))
            and (start := _START.match(line))
            and (name := _NAME.match(lines[i + 1]))
        ):
            message: list[str] = []
            for said in lines[i + 2 : i + 2 + _MESSAGE_LINES]:
                if not said or said.startswith("    "):
                    break
                message.append(said.strip())
            text = " ".join(message)
            if start[1] == "Error":
                yield failed_test(name[1], text)
            else:
                yield failed_test(name[1], text, error="Failure")
