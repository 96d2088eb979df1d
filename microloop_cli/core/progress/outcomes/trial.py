"""Twisted's trial, in each of its reporters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.outcomes.python_traceback import last_error
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = ("[FAIL]\n", "[ERROR]\n", "PASSED (")

_RAN = re.compile(r"Ran (\d{1,9}) tests in [\d<]")
_RESULT = re.compile(r"(?:PASSED|FAILED) \(([a-zA-Z0-9=, ]{1,300})\)")
_COUNT = re.compile(r"(?:^|, )([a-zA-Z]{1,40})=(\d{1,9})")
_FAILED = ("failures", "errors", "unexpectedSuccesses")
_NAME = re.compile(r"[\w.]{1,400}$")


def read(text: str) -> TestOutcome | None:
    """What the run came to; None without trial's result line and its sections."""
    lines = text.split("\n")
    counts: dict[str, int] = {}
    ran = False
    for line in lines:
        if line[:1] in ("P", "F", "R"):
            ran = ran or _RAN.match(line) is not None
            if match := _RESULT.match(line[:LINE_CHARS]):
                counts |= {name: int(number) for name, number in _COUNT.findall(match[1])}
    tests = list(_failures(lines))
    if not tests and not (ran and "successes" in counts):
        return None
    expected = counts.get("expectedFailures", 0)
    passed = counts.get("successes", 0) if ran else None
    loading = [
        test
        for test in tests
        if test.error in ("ModuleNotFound", "ModuleNotFoundError", "SyntaxError", "ImportError")
    ]
    return build_outcome(
        "trial",
        tests,
        failed_count=sum(counts.get(name, 0) for name in _FAILED) or None,
        passed=passed,
        skipped=counts.get("skips", 0),
        status="crashed" if loading and len(loading) == len(tests) and not passed
        else "passed" if expected and not passed and not tests else None,
        complete=ran,
    )  # fmt: skip


def _failures(lines: list[str]) -> Iterator[FailedTest]:
    """A section: a line of `=`, `[FAIL]` or `[ERROR]`, the traceback, the names of all that failed so."""
    starts = [i for i, line in enumerate(lines) if line.startswith("======")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        if lines[start + 1 : start + 2] not in (["[FAIL]"], ["[ERROR]"]):
            continue
        body = lines[start + 2 : end]
        stop = next((i for i, line in enumerate(body) if line.startswith("------")), len(body))
        names = []
        for line in reversed(body[:stop]):
            if not _NAME.match(line[:LINE_CHARS]):
                break
            names.append(line)
        error = last_error(body[: stop - len(names)])
        yield from (failed_test(name, error) for name in names)
