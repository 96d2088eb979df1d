"""Mocha: the failures that end its spec, dot, list and min reporters (Cypress prints them, too). Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (" passing", " failing", "Exception during run:", "No test files found:", "mocha/")

_COUNT = re.compile(r" +(\d{1,9}) (passing|failing|pending)(?: \(\w{1,20}\))?$")
_FIRST = re.compile(r"  \d{1,9}\) (\S.*)$")
_NUMBERED = re.compile(r" {1,200}(?:\d{1,9}\)|✖) (\S.*)$")
_NONE = re.compile(r"(?:Error: |Warning: )?No test files found:")
_MOCHA_FRAME = re.compile(r"(?:\(|at )[^ ]{0,400}/mocha/(?:lib|bin)/")
_TITLES = 50


class _Reading:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.failures: list[tuple[list[str], list[str]]] = []  # the parts of the name, the text
        self.in_title = False
        self.numbered: list[str] = []
        self.none = False
        self.crash: list[str] | None = None
        self.thrown_at_load: list[str] = []

    def take(self, line: str) -> None:
        if (line.endswith((")", "ing"))) and (match := _COUNT.match(line)):
            self.counts[match[2]] = self.counts.get(match[2], 0) + int(match[1])
            self.in_title = False
            self.failures = self.failures if "failing" in self.counts else []
        elif match := _FIRST.match(line):
            self.failures.append(([match[1]], []))
            self.in_title = True
            self.numbered.append(match[1])
        elif self.in_title:
            self._title(line)
        elif self.failures and len(self.failures[-1][1]) < BODY_LINES:
            self.failures[-1][1].append(line)
        else:
            self._outside(line)
        self._crash(line)

    def _title(self, line: str) -> None:
        """Each suite below another is two columns deeper; what was thrown never is."""
        names, body = self.failures[-1]
        indent = " " * (5 + 2 * len(names))
        if line.startswith(indent) and line[len(indent) : len(indent) + 1].strip() and len(names) < _TITLES:
            names.append(line.strip())
            return
        self.in_title = False
        body.append(line)

    def _outside(self, line: str) -> None:
        if match := _NUMBERED.match(line):
            self.numbered.append(match[1])

    def _crash(self, line: str) -> None:
        if _NONE.match(line):
            self.none = True
        elif "Exception during run:" in line:
            self.crash = [line.partition("Exception during run:")[2]]
        elif self.crash is not None and len(self.crash) < BODY_LINES:
            self.crash.append(line)
        elif "/mocha/" in line and _MOCHA_FRAME.search(line):
            self.crash = list(self.thrown_at_load)
        elif line[:1].isalpha() and "Error" in line[:120]:
            self.thrown_at_load = [line]


def read(text: str) -> TestOutcome | None:
    """A run of mocha; None when the text shows none."""
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    if reading.counts:
        return _with_summary(reading)
    if reading.none:
        return build_outcome("mocha", status="none_collected")
    tests = _named(reading)
    if tests:
        return build_outcome("mocha", tests, status="failed", complete=False)
    if reading.crash is not None:
        return build_outcome("mocha", _crashed(reading.crash), status="crashed")
    return None


def _with_summary(reading: _Reading) -> TestOutcome:
    failed = reading.counts.get("failing", 0)
    tests = _named(reading) or [thrown(name, ()) for name in reading.numbered if failed]
    passed, pending = reading.counts.get("passing"), reading.counts.get("pending", 0)
    return listed_outcome("mocha", tests, failed, passed=passed, skipped=pending)


def _named(reading: _Reading) -> list[FailedTest]:
    """The failures listed at the end: their last title line ends in a colon."""
    listed = [
        (names, body) for names, body in reading.failures if names[-1].endswith(":") and _indented(body)
    ]
    return [thrown(" > ".join(names)[:-1], body) for names, body in listed]


def _indented(body: list[str]) -> bool:
    """As mocha prints what was thrown, and minitest, whose list looks alike, does not."""
    return next((line.startswith("     ") for line in body if line.strip()), True)


def _crashed(body: list[str]) -> list[FailedTest]:
    """What ended the run while its files were loaded. A syntax error stands below the line it is in."""
    error = next((line for line in body if line[:1].isalpha() and "Error" in line[:120]), "")
    return [thrown("(loading)", [error])] if error else [thrown("(loading)", body[:2])]
