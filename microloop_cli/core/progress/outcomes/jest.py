"""Jest: its default and verbose reporters. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of, plain
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = ("Test Suites: ", "  ● ", "Tests:  ", "No tests found, exiting", "✕ ")

# In colour a space stands before it.
_FILE = re.compile(r" ?(FAIL|PASS) {1,3}(\S.*?)(?: \(\d[\d.,]{0,12} ?\w{1,3}\b[^()]{0,60}\))?$")
_HEADER = re.compile(r"  ● (\S.*)$")
_CROSS = re.compile(r" *✕ (\S.*?)(?: \(\d[\d.,]{0,12} ?\w{1,3}\))?$")
_COUNT = re.compile(r"(\d{1,9}) (failed|passed|skipped|todo|total)")
_SUITE = "Test suite failed to run"
# Headers of the same shape that announce no failure.
_TALK = ("Console", "process.exit called", "Cannot log after tests are done", "Deprecation Warning")


class _Reading:
    """What was seen so far of one output."""

    def __init__(self) -> None:
        self.file = ""
        self.failures: list[tuple[str, bool, list[str]]] = []  # id, is it a whole suite, its text
        self.failed_files: set[str] = set()
        self.crosses: list[str] = []
        self.tests: dict[str, int] = {}
        self.suites: dict[str, int] = {}
        self.none = False
        self.body: list[str] | None = None

    def take(self, line: str) -> None:
        if line.startswith(("FAIL", "PASS", " FAIL", " PASS")) and (match := _FILE.match(line)):
            self.file, self.body = match[2], None
            if match[1] == "FAIL":
                self.failed_files.add(self.file)
        elif line.startswith("  ● ") and (match := _HEADER.match(line)):
            self._begin(match[1])
        elif line.startswith("Test Suites:"):
            self._count(line, self.suites)
        elif line.startswith("Tests:"):
            self._count(line, self.tests)
        elif line.startswith("No tests found, exiting"):
            self.none = True
        elif self.body is not None and len(self.body) < BODY_LINES:
            self.body.append(line)
        elif "✕" in line and (match := _CROSS.match(line)):
            self.crosses.append(match[1])

    def _begin(self, title: str) -> None:
        self.body = []
        if title.startswith(_TALK):
            return
        suite = title == _SUITE
        name = self.file if suite else f"{self.file} \u203a {title}" if self.file else title
        self.failures.append((name or title, suite, self.body))

    def _count(self, line: str, counts: dict[str, int]) -> None:
        found = _COUNT.findall(line)
        self.body = None
        if any(word == "total" for _, word in found):
            for number, word in found:
                counts[word] = counts.get(word, 0) + int(number)


def read(text: str) -> TestOutcome | None:
    """A run of jest; None when the text shows none."""
    text = plain(text)
    if "Test Files  " in text or " RUN  v" in text:  # vitest, whose ` FAIL  ` is jest's in colour
        return None
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    if not (reading.tests or reading.suites):
        return _without_summary(reading)
    return _with_summary(reading)


def _without_summary(reading: _Reading) -> TestOutcome | None:
    """Cut off or filtered: which tests failed may be known, how many is not."""
    if reading.none:
        return build_outcome("jest", status="none_collected")
    tests = _named(reading)
    clear = reading.failed_files or any(" \u203a " in test.id for test in tests)
    if not clear or not (tests or reading.failed_files):
        return None
    return build_outcome("jest", tests, status="failed", complete=False)


def _with_summary(reading: _Reading) -> TestOutcome:
    tests = _named(reading)
    suites = len({name for name, suite, _ in reading.failures if suite})
    failed = reading.tests.get("failed", 0)
    named = len(tests) - suites
    ran = failed + reading.tests.get("passed", 0)
    broken = reading.suites.get("failed", 0)
    crashed = not ran and bool(suites or broken)
    known = named >= failed and (not broken or suites > 0 or failed > 0)
    return build_outcome(
        "jest",
        tests,
        failed_count=max(failed + suites, len(tests)),
        passed=reading.tests.get("passed", 0) if reading.tests else None,
        skipped=reading.tests.get("skipped", 0) + reading.tests.get("todo", 0),
        status="crashed" if crashed else "failed" if failed or broken else None,
        complete=known,
    )


def _named(reading: _Reading) -> set[FailedTest]:
    if reading.failures:
        return {thrown(name, _telling(body) if suite else body) for name, suite, body in reading.failures}
    where = f"{reading.file} \u203a " if reading.file else ""
    return {thrown(where + name, ()) for name in reading.crosses}


def _telling(body: list[str]) -> list[str]:
    """Of a suite that could not be parsed: what stands below jest's advice."""
    details = next((n for n, line in enumerate(body) if line.strip() == "Details:"), None)
    return body if details is None else body[details + 1 :]
