"""`dotnet test`: the VSTest console and MSBuild's terminal logger; a build that failed before it. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of, masked
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (
    "Failed!  - ",
    "Passed!  - ",
    "Skipped! - ",
    "Total tests: ",
    "Test summary: total: ",
    "  Failed ",
    "error CS",
    "error FS",
    "error TESTERROR",
    "No test matches the given",
    "No test is available in",
    "Test Run Aborted",
    " [FAIL]",
)

_ASSEMBLY = re.compile(
    r"(?:Failed!|Passed!|Skipped!) {1,2}- Failed: +(\d{1,9}), Passed: +(\d{1,9}), Skipped: +(\d{1,9}),"
)
_TOTAL = re.compile(r"(Total tests|  +Passed|  +Failed|  +Skipped): (\d{1,9})$")
_SUMMARY = re.compile(
    r"Test summary: total: \d{1,9}, failed: (\d{1,9}), succeeded: (\d{1,9}), skipped: (\d{1,9})"
)
_TIME = r"(?:< )?[\d.,]{1,12} ?\w{1,3}(?: [\d.,]{1,12} ?\w{1,3})?"
_FAILED = re.compile(rf"  Failed (\S.*?)(?: \[{_TIME}\])?$")
_LOGGED = re.compile(rf"\s{{0,40}}(\S.{{0,1000}}?) \({_TIME}\): Error Message: (.*)$")
_XUNIT = re.compile(r"\[xUnit\.net [\d:.]{1,20}\] +(\S.*) \[FAIL\]$")
_COMPILE = re.compile(
    r"\s{0,40}(\S{1,400}\.(?:cs|fs|vb))\(\d{1,7},\d{1,7}(?:,\d{1,7},\d{1,7})?\): error "
    r"((?:CS|FS|BC)\d{1,6}): (.+?)(?: \[[^\[\]]{1,400}\])?$"
)
_NONE = ("No test matches the given", "No test is available in")
_RESULT = re.compile(r"  (?:Passed|Skipped) \S")


class _Reading:
    def __init__(self) -> None:
        self.failures: list[tuple[str, list[str]]] = []
        self.marked: list[str] = []  # xUnit's own `[FAIL]` lines
        self.compile_errors: set[FailedTest] = set()
        self.failed = self.passed = self.skipped = self.total = 0
        self.counted = self.none = self.aborted = self.in_message = False

    def take(self, line: str) -> None:
        if "Failed: " in line and (match := _ASSEMBLY.match(line)):
            self._count(int(match[1]), int(match[2]), int(match[3]))
        elif line.startswith("Test summary: ") and (match := _SUMMARY.match(line)):
            self.failed = self.passed = self.skipped = 0  # of all assemblies
            self._count(int(match[1]), int(match[2]), int(match[3]))
        elif line.endswith(tuple("0123456789")) and (match := _TOTAL.match(line)):
            self._total(match[1].strip(), int(match[2]))
        elif line.startswith("  Failed ") and (match := _FAILED.match(line)):
            self._begin(match[1])
        elif "Error Message: " in line and (match := _LOGGED.match(_after_code(line))):
            self._begin(match[1])
            self.failures[-1][1].append(match[2])
            self.in_message = True
        elif ": error " in line and (match := _COMPILE.match(line)):
            self.compile_errors.add(FailedTest(id=match[1], error=match[2], message=masked(match[3])))
        else:
            self._other(line)

    def _count(self, failed: int, passed: int, skipped: int) -> None:
        self.counted, self.in_message = True, False
        self.failed += failed
        self.passed += passed
        self.skipped += skipped

    def _total(self, word: str, number: int) -> None:
        self.counted, self.in_message = True, False
        if word != "Total tests":
            setattr(self, word.lower(), getattr(self, word.lower()) + number)

    def _begin(self, name: str) -> None:
        self.failures.append((name, []))
        self.in_message = False

    def _other(self, line: str) -> None:
        said = line.strip()
        if said == "Error Message:":
            self.in_message = bool(self.failures)
        elif said in ("Stack Trace:", "Standard Output Messages:") or _RESULT.match(line):
            self.in_message = False
        elif self.in_message and len(self.failures[-1][1]) < BODY_LINES:
            self.failures[-1][1].append(said)
        elif line.startswith("[xUnit.net") and (match := _XUNIT.match(line)):
            self.marked.append(match[1])
        elif said.startswith(_NONE):
            self.none = True
        elif said.startswith(("Test Run Aborted", "The active test run was aborted")):
            self.aborted = True


def _after_code(line: str) -> str:
    return line.rpartition("error TESTERROR: ")[2]


def read(text: str) -> TestOutcome | None:
    """A run of tests by dotnet, all assemblies together; None when the text shows none."""
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    tests = [thrown(name, _unwrapped(body)) for name, body in reading.failures]
    if not tests:
        tests = [thrown(name, ()) for name in reading.marked]
    if reading.counted:
        return _counted(reading, tests)
    if reading.compile_errors:
        return build_outcome("dotnet", reading.compile_errors, status="crashed")
    if any(body for _, body in reading.failures) or reading.marked:
        return build_outcome("dotnet", tests, status="failed", complete=False)
    if reading.aborted:
        return build_outcome("dotnet", status="crashed")
    return build_outcome("dotnet", status="none_collected") if reading.none else None


def _counted(reading: _Reading, tests: list[FailedTest]) -> TestOutcome:
    crashed = (reading.compile_errors or reading.aborted) and not reading.failed and not reading.passed
    return listed_outcome(
        "dotnet",
        [*tests, *reading.compile_errors] if crashed else tests,
        reading.failed,
        passed=reading.passed,
        skipped=reading.skipped,
        status="crashed" if crashed else "failed" if reading.aborted else None,
        complete=not reading.aborted,
    )


def _unwrapped(body: list[str]) -> list[str]:
    """MSTest's `Test method A.B threw exception: ` is no message; the next line is."""
    lines = [line for line in body if line]
    return lines[1:] if len(lines) > 1 and lines[0].endswith("threw exception:") else lines
