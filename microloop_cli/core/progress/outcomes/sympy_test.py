"""SymPy's own runner, `bin/test`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus

MARKERS = (" tests finished: ",)

_FINISHED = re.compile(r"=* tests finished: \d")
_COUNT = re.compile(r"(\d{1,9}) ([a-z ]{1,40})")
_TITLE = re.compile(r"_{0,80} (\S{1,500}?\.py(?::\w{1,300})?)(?: _{0,80})?\s*$")


def read(text: str) -> TestOutcome | None:
    """What the run came to; None when neither its last line nor a failure's section is in the text."""
    lines = text.split("\n")
    finished = [
        line[:LINE_CHARS]
        for line in lines
        if " tests finished: " in line and _FINISHED.match(line[:LINE_CHARS])
    ]
    tests = list(_failures(lines))
    if not finished and not tests:
        return None
    counts: dict[str, int] = {}
    for line in finished:
        for number, name in _COUNT.findall(line.partition(" tests finished: ")[2]):
            counts[name.strip()] = counts.get(name.strip(), 0) + int(number)
    passed = counts.get("passed", 0)
    failed = counts.get("failed", 0) + counts.get("exceptions", 0)
    return build_outcome(
        "sympy",
        tests,
        failed_count=failed if finished else None,
        passed=passed if finished else None,
        skipped=counts.get("skipped", 0),
        status=_status(tests, failed, counts),
        complete=bool(finished),
    )


def _status(tests: list[FailedTest], failed: int, counts: dict[str, int]) -> TestStatus | None:
    if tests and not counts.get("passed") and not any(":" in test.id for test in tests):
        return "crashed"
    return "passed" if not tests and not failed and counts.get("expected to fail") else None


def _failures(lines: list[str]) -> Iterator[FailedTest]:
    """A section is `____ file:test ____` and a traceback without its first line."""
    starts = [
        (i, match[1])
        for i, line in enumerate(lines)
        if lines[i - 1][:6] == "______" and i and (match := _TITLE.match(line[:LINE_CHARS]))
    ]
    for (start, name), (end, _) in zip(starts, [*starts[1:], (len(lines), "")], strict=False):
        yield failed_test(name, _error(lines, start + 1, end))


def _error(lines: list[str], start: int, end: int) -> str:
    """The first line behind the frames (`  File ...`, their source) at the margin."""
    error = ""
    after_frame = False
    for line in lines[start:end]:
        if line.startswith(("______", "= tests", "=====", " tests finished: ")):
            break
        if line.startswith("  "):
            after_frame = True
        elif after_frame and line.strip():
            error = line[:LINE_CHARS]
            after_frame = False
    return error
