"""GoogleTest. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = ("[  FAILED  ] ", "[  PASSED  ] ", " tests from ", " test from ")

_TEST = r"([\w/]{1,300}\.[\w/<>, ]{1,300}?)(?:, where .*?)?"
_FAILED = re.compile(r"\[  FAILED  \] " + _TEST + r"(?: \([^()]{1,20}\))?$")
_TOTAL = re.compile(r"\[==========\] (\d{1,9}) tests? from \d{1,9} test (?:suites?|cases?) ran\.")
_COUNTED = re.compile(r"\[  (PASSED|FAILED|SKIPPED) {1,2}\] (\d{1,9}) tests?")
_PLACE = re.compile(r"(?:\S{1,400}?:\d{1,9}|\S{1,400}\(\d{1,9}\)|unknown file): (?:Failure|error:.*)$")
_MESSAGE_LINES = 6


class _Run(msgspec.Struct):
    """What is known so far. `said` is the first failure of the test that runs."""

    failed: dict[str, str] = {}
    running: str = ""
    said: str = ""
    counts: dict[str, int] = {}
    ended: bool = False
    ran: int = 0


def read(text: str) -> TestOutcome | None:
    """What the program's tests came to; crashed when it died within a test. None when no test is shown."""
    run = _Run()
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    for i, line in enumerate(lines):
        if line[:1] == "[":
            _take(run, line)
        elif not run.said and line.endswith(": Failure") and _PLACE.match(line):
            run.said = _message(lines, i + 1)
    tests = [failed_test(name, said, error="Failure") for name, said in run.failed.items()]
    if run.running and not run.ended and "[==========] Running" in text:
        tests.append(failed_test(run.running, run.said, error="crash"))
        return build_outcome("googletest", tests, status="crashed")
    if not tests and not run.ended:
        return None
    return _built(run, tests)


def _built(run: _Run, tests: list[FailedTest]) -> TestOutcome:
    return build_outcome(
        "googletest",
        tests,
        failed_count=run.counts.get("FAILED", 0) if run.ended else None,
        passed=run.counts.get("PASSED", 0) if run.ended else None,
        skipped=run.counts.get("SKIPPED", 0),
        complete=run.ended,
    )


def _take(run: _Run, line: str) -> None:
    if line.startswith("[ RUN      ] "):
        run.running, run.said = line[13:], ""
    elif (
        line.startswith(("[       OK ] ", "[  SKIPPED ] "))
        and run.running
        and line[13:].startswith(run.running)
    ):
        run.running = ""
    elif match := _TOTAL.match(line):
        run.ended, run.ran = True, run.ran + int(match[1])
    elif match := _COUNTED.match(line):
        run.counts[match[1]] = run.counts.get(match[1], 0) + int(match[2])
    elif match := _FAILED.match(line):
        run.failed.setdefault(match[1], run.said)
        run.running, run.said = "", ""


def _message(lines: list[str], start: int) -> str:
    """An expectation takes several lines (`Expected equality of these values:` ...); they belong together."""
    said: list[str] = []
    for line in lines[start : start + _MESSAGE_LINES]:
        if not line or line.startswith("[") or _PLACE.match(line):
            break
        said.append(line.strip())
    return " ".join(said)
