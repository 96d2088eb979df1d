"""Gradle's test tasks on the plain console, and what stops a build before them. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, not_compiled, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (
    " tests completed, ",
    " test completed, ",
    "> Task :",
    "There were failing tests",
    "No tests found for given",
    " FAILED\n    ",
)

_COUNT = re.compile(r"(\d{1,9}) tests? completed(?:, (\d{1,9}) failed)?(?:, (\d{1,9}) skipped)?$")
_RESULT = re.compile(r"(\S.{0,2000}? > \S.*?) (FAILED|PASSED|SKIPPED|STANDARD_OUT|STANDARD_ERROR)$")
# Test tasks, none of those that only compile or copy for them.
_TASK = re.compile(r"> Task :(?:[\w.$-]{1,100}:){0,9}((?:[a-z]\w{0,80})?[tT]ests?)((?: [A-Z][\w-]{1,20})?)$")
_NOT_TESTS = ("compile", "process", "generate", "prepare", "bundle", "package", "merge", "lint", "clean")
_COMPILE_TASK = re.compile(r"> Task :\S{0,300}?(?:compile|kapt)\w{1,80} FAILED$")
_JAVAC = re.compile(r"(\S{1,400}\.(?:java|groovy|scala)):\d{1,7}: error: (.+)$")
_KOTLIN = re.compile(r"e: (?:file://)?(\S{1,400}?\.kts?):(?: \(\d{1,7}, \d{1,7}\):|\d{1,7}:\d{1,7}:?) (.+)$")
_BROKEN = ("Compilation failed; see the", "Compilation error. See log", "Could not execute test class",
           "finished with non-zero exit value")  # fmt: skip


class _Reading:
    def __init__(self) -> None:
        self.failures: list[tuple[str, list[str]]] = []
        self.body: list[str] | None = None
        self.ran = self.failed = self.skipped = self.passed_lines = self.skipped_lines = 0
        self.counted = self.broken = self.none = self.complained = self.good_end = False
        self.tasks: set[str] = set()  # how its test tasks ended: "", "UP-TO-DATE", "NO-SOURCE", "FAILED", ...
        self.compile_errors: list[tuple[str, str]] = []

    def take(self, line: str) -> None:
        if self.body is not None and line.startswith("    "):
            if len(self.body) < BODY_LINES:
                self.body.append(line)
            return
        if " > " in line and (match := _RESULT.match(line)):
            self._result(match[1], match[2])
        elif line.strip():
            self.body = None
            self._other(line)

    def _result(self, name: str, how: str) -> None:
        self.body = None
        if how == "FAILED":
            self.body = []
            self.failures.append((name, self.body))
        elif how == "PASSED":
            self.passed_lines += 1
        elif how == "SKIPPED":
            self.skipped_lines += 1

    def _other(self, line: str) -> None:
        if " completed" in line and (match := _COUNT.match(line)):
            self.counted = True
            self.ran += int(match[1])
            self.failed += int(match[2] or 0)
            self.skipped += int(match[3] or 0)
        elif line.startswith("> Task :"):
            self._task(line)
        elif "There were failing tests" in line:
            self.complained = True
        elif "No tests found for given" in line:
            self.none = True
        elif line.startswith("BUILD SUCCESSFUL"):
            self.good_end = True
        elif any(words in line for words in _BROKEN):
            self.broken = True
        elif match := _JAVAC.match(line) or _KOTLIN.match(line):
            self.compile_errors.append((match[1], match[2]))

    def _task(self, line: str) -> None:
        if _COMPILE_TASK.match(line):
            self.broken = True
        elif (match := _TASK.match(line)) and not match[1].startswith(_NOT_TESTS):
            self.tasks.add(match[2].strip())


def read(text: str) -> TestOutcome | None:
    """A run of tests by Gradle, all projects together; None when the text shows none.

    Gradle counts only when something failed; a good run is its test task and a build that was successful.
    """
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    tests = [thrown(name, body) for name, body in reading.failures]
    if reading.counted:
        return _counted(reading, tests)
    if (tests and reading.body is not None) or (tests and reading.tasks) or reading.complained:
        return build_outcome("gradle", tests, status="failed", complete=False)
    if reading.broken:
        return build_outcome("gradle", not_compiled(reading.compile_errors), status="crashed")
    if reading.none:
        return build_outcome("gradle", status="none_collected")
    return _without_count(reading)


def _counted(reading: _Reading, tests: list[FailedTest]) -> TestOutcome:
    passed = max(reading.ran - reading.failed - reading.skipped, 0)
    return listed_outcome("gradle", tests, reading.failed, passed=passed, skipped=reading.skipped)


def _without_count(reading: _Reading) -> TestOutcome | None:
    if not reading.good_end or not reading.tasks:
        return None
    if reading.tasks <= {"NO-SOURCE"}:
        return build_outcome("gradle", status="none_collected")
    if reading.tasks <= {"SKIPPED", "NO-SOURCE"}:
        return build_outcome("gradle", status="all_skipped")
    return build_outcome("gradle", passed=reading.passed_lines or None, status="passed")
