"""Maven's Surefire and Failsafe on the console, and what stops a build before its tests. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, not_compiled, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (
    "Tests run: ",
    "COMPILATION ERROR",
    "Compilation failure",
    "No tests ",
    "The forked VM terminated",
    "Tests are skipped.",
    "<<< FAILURE!",
    "<<< ERROR!",
)

_LEVEL = re.compile(r"\[(?:ERROR|INFO|WARNING|WARN)\] ?")
_RUN = re.compile(r"Tests run: ?(\d{1,9}), Failures: ?(\d{1,9}), Errors: ?(\d{1,9}), Skipped: ?(\d{1,9})")
# `com.example.CalcTest.adds -- Time elapsed: 1 s <<< FAILURE!`; older: `adds(com.example.CalcTest)  Time...`.
_FAILED = re.compile(r"(\S.*?) {1,3}(?:-- )?Time elapsed: ?[\d.,]{1,20} ?\w{1,3} {1,3}<<< (?:FAILURE|ERROR)!")
_OLD_ID = re.compile(r"([^() ]{1,300})\(([\w.$]{1,300})\)$")
_SECTION = re.compile(r"(Failures|Errors|Failed tests|Tests in error|Flakes): ?(.*)$")
_LISTED = re.compile(
    r"([\w$]{1,200}(?:(?:\.|->)[^\s:(]{1,200}){0,9}(?:\([\w.$]{1,200}\))?)(?::\d{1,7})?:? ?(.*)$"
)
_COMPILE = re.compile(
    r"([^\s:\[\]]{1,400}\.(?:java|kt|scala|groovy)):[\[(]?\d{1,7}[,:]\d{1,7}[\])]? ?(?:error)?:? ?(.+)$"
)
_BROKEN = ("COMPILATION ERROR", "Compilation failure", "The forked VM terminated")
_NO_TESTS = ("No tests were executed", "No tests to run", "No tests matching pattern", "No tests found")


class _Reading:
    def __init__(self) -> None:
        self.failures: list[tuple[str, list[str]]] = []
        self.listed: list[tuple[str, str]] = []
        self.compile_errors: list[tuple[str, str]] = []
        self.run = self.failed = self.skipped = 0
        self.summaries = self.classes = self.class_failed = 0
        self.section = ""
        self.body: list[str] | None = None
        self.broken = self.none = self.not_wanted = False

    def take(self, raw: str) -> None:
        match = _LEVEL.match(raw) if raw.startswith("[") else None
        line = raw[match.end() :] if match else raw
        if "Tests run:" in line and (found := _RUN.search(line)):
            self._count(found, "Time elapsed" in line)
        elif "<<< " in line and (found := _FAILED.match(line)):
            self.section, self.body = "", []
            self.failures.append((_id(found[1]), self.body))
        elif found := _SECTION.match(line):
            self.section, self.body = found[1], None
            if found[2]:
                self._list("  " + found[2].lstrip())
        elif match or not line:
            self.body = None
            self._say(raw, line)
        elif self.body is not None:
            if len(self.body) < BODY_LINES:
                self.body.append(line)
        else:
            self._say(raw, line)

    def _count(self, found: re.Match[str], of_class: bool) -> None:
        run, failures, errors, skipped = (int(found[n]) for n in range(1, 5))
        self.section, self.body = "", None
        if of_class:
            self.classes += run
            self.class_failed += failures + errors
            return
        self.summaries += 1
        self.run += run
        self.failed += failures + errors
        self.skipped += skipped

    def _say(self, raw: str, line: str) -> None:
        if not line.strip():
            self.section = self.section if raw else ""
        elif self.section:
            self._list(line)
        elif any(words in line for words in _BROKEN):
            self.broken = True
        elif raw is not line and any(words in line for words in _NO_TESTS):  # Maven's own, with its level
            self.none = True
        elif line.startswith("Tests are skipped"):
            self.not_wanted = True
        elif self.broken and (found := _COMPILE.match(line)):
            self.compile_errors.append((found[1], found[2]))

    def _list(self, line: str) -> None:
        # A message of several lines goes on without an indent.
        if self.section != "Flakes" and line.startswith("  ") and (found := _LISTED.match(line, 2)):
            self.listed.append((found[1], found[2]))


def _id(shown: str) -> str:
    old = _OLD_ID.match(shown)
    return f"{old[2]}.{old[1]}" if old else shown


def read(text: str) -> TestOutcome | None:
    """A run of tests by Maven, all modules together; None when the text shows none."""
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    tests = _named(reading)
    if reading.summaries or reading.classes:
        return _counted(reading, tests)
    if reading.broken:
        return build_outcome("maven", not_compiled(reading.compile_errors), status="crashed")
    if tests:
        return build_outcome("maven", tests, status="failed", complete=False)
    if reading.none:
        return build_outcome("maven", status="none_collected")
    return build_outcome("maven", status="all_skipped") if reading.not_wanted else None


def _counted(reading: _Reading, tests: list[FailedTest]) -> TestOutcome:
    ends = reading.summaries > 0
    failed = reading.failed if ends else reading.class_failed
    run = reading.run if ends else reading.classes
    return listed_outcome(
        "maven",
        tests,
        failed,
        passed=max(run - failed - reading.skipped, 0),
        skipped=reading.skipped,
        status="crashed" if reading.broken and not failed and not run else None,
        complete=ends or not failed,
    )


def _named(reading: _Reading) -> list[FailedTest]:
    """From the reports of the classes, which say more, unless the list at the end knows of more."""
    if len(reading.failures) >= min(len(reading.listed), reading.failed or len(reading.listed)):
        return [thrown(name, body) for name, body in reading.failures]
    return [thrown(_id(name), [said]) for name, said in reading.listed]
