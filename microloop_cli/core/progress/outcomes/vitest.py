"""Vitest: its default, verbose and dot reporters. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of, plain
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (
    "Test Files  ",
    " FAIL  ",
    "No test files found, exiting",
    " \xd7 ",
    "Tests  ",
    "⎯ Startup Error ⎯",
)

_HEADER = re.compile(r" FAIL  (\S.*?)(?: \[ [^\]]{1,400} \])?$")
_UNHANDLED = re.compile(r"⎯+ (?:(?:Unhandled|Uncaught) [A-Z]\w{1,30}|Startup Error) ⎯+$")
_CROSS = re.compile(r" *[\xd7✗] (\S.*?)(?: \d{1,9}m?s)?(?: \(retry x\d{1,4}\))?$")
_SUMMARY = re.compile(r" *(Test Files|Tests|Errors)  +(.*)$")
_COUNT = re.compile(r"(\d{1,9}) (failed|passed|skipped|todo|error)")


class _Reading:
    def __init__(self) -> None:
        self.failures: list[tuple[list[str], list[str]]] = []  # headers that share a text, the text
        self.bare: list[str] = []
        self.counts: dict[str, dict[str, int]] = {}
        self.none = self.startup = self.runs = False

    def take(self, line: str) -> None:
        if line.startswith(" FAIL  ") and (match := _HEADER.match(line)):
            self._begin(match[1])
        elif line.startswith("⎯"):
            if _UNHANDLED.match(line):
                self.startup |= "Startup" in line
                self._begin("(unhandled error)", alone=True)
            elif self.failures and self.failures[-1][1]:
                self.failures.append(([], []))
        elif (line.lstrip().startswith(("Test", "Errors "))) and (match := _SUMMARY.match(line)):
            self._count(match[1], match[2])
        elif line.startswith("No test files found, exiting"):
            self.none = True
        elif line.startswith(" RUN  "):
            self.runs = True
        elif self.failures and self.failures[-1][0] and len(self.failures[-1][1]) < BODY_LINES:
            if line.strip():
                self.failures[-1][1].append(line)
        elif ("\xd7" in line or "✗" in line) and (match := _CROSS.match(line)):
            self.bare.append(match[1])

    def _begin(self, name: str, alone: bool = False) -> None:
        if alone or not self.failures or self.failures[-1][1]:
            self.failures.append(([], []))
        self.failures[-1][0].append(name)

    def _count(self, what: str, numbers: str) -> None:
        found = _COUNT.findall(numbers)
        if not found and numbers != "no tests":
            return
        counts = self.counts.setdefault(what, {})
        for number, word in found:
            counts[word] = counts.get(word, 0) + int(number)


def read(text: str) -> TestOutcome | None:
    """A run of vitest; None when the text shows none."""
    text = plain(text)
    if "Test Suites: " in text:  # jest, whose coloured output has ` FAIL  ` as well
        return None
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    if reading.counts:
        return _with_summary(reading)
    if reading.none:
        return build_outcome("vitest", status="none_collected")
    tests = _named(reading)
    if not tests or not (reading.runs or reading.startup or any(" > " in test.id for test in tests)):
        return None
    if reading.startup:
        return build_outcome("vitest", tests, status="crashed")
    return build_outcome("vitest", tests, status="failed", complete=False)


def _with_summary(reading: _Reading) -> TestOutcome:
    tests, counts = _named(reading), reading.counts.get("Tests", {})
    suites = sum(" > " not in test.id for test in tests) if reading.failures else 0
    failed, passed = counts.get("failed", 0), counts.get("passed", 0)
    files, errors = reading.counts.get("Test Files", {}).get("failed", 0), "Errors" in reading.counts
    crashed = not failed and not passed and (files > 0 or errors)
    return listed_outcome(
        "vitest",
        tests,
        failed + suites,
        passed=passed if "Tests" in reading.counts else None,
        skipped=counts.get("skipped", 0) + counts.get("todo", 0),
        status="crashed" if crashed else "failed" if failed or files or errors else None,
        complete=bool(tests or not (files or errors)),
    )


def _named(reading: _Reading) -> list[FailedTest]:
    if any(names for names, _ in reading.failures):
        return [thrown(name, body) for names, body in reading.failures for name in names]
    return [thrown(name, ()) for name in reading.bare]
