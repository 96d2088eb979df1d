"""PHPUnit (its list of failures, or --testdox), and Pest, which prints its own. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import TestOutcome

MARKERS: tuple[str, ...] = (
    "PHPUnit",
    "Assertions: ",
    "assertion)",
    "assertions)",
    "No tests executed!",
    "There was 1 error:",
    "There was 1 failure:",
    "s:\n\n1) ",
)

_SECTION = re.compile(r"There (?:was|were) \d{1,9} (.{1,60}?)s?:$")
_NUMBERED = re.compile(r"\d{1,9}\) (\S.*)$")
_COUNTS = re.compile(r"Tests: \d{1,9}, Assertions: \d{1,9}\b.*$")
_COUNT = re.compile(r"(Tests|Errors|Failures|Skipped|Incomplete|Risky|Warnings): (\d{1,9})")
_OK = re.compile(r"OK \((\d{1,9}) tests?, \d{1,9} assertions?\)$")
_PEST_COUNTS = re.compile(r" +Tests: +(.{0,200}) \(\d{1,9} assertions?\)$")
_PEST_COUNT = re.compile(r"(\d{1,9}) (failed|passed|skipped|todo|risky|incomplete|warnings?|deprecated)")
_PEST_FAILED = re.compile(r" {1,6}FAILED {1,4}(\S.*?)(?: {3,}(\S{1,200}))?$")
_DOX_CLASS = re.compile(r"\S.{0,300} \(([\w\\]{1,300})\)$")
_DOX_FAILED = re.compile(r" ✘ (\S.*?)(?: \[\d{1,9}(?:\.\d{1,9})? ms\])?$")
_NONE = ("No tests executed!", 'Cannot open file "', "No tests found", 'Test file "')
_FATAL = re.compile(r"(?:PHP )?(?:Fatal|Parse) error: ")
_PLACE = re.compile(r"/\S{1,400}\.php:\d{1,7}$")


class _Reading:
    def __init__(self) -> None:
        self.section: str | None = None
        self.failures: list[tuple[str, list[str]]] = []
        self.dox: list[tuple[str, list[str]]] = []
        self.dox_class = ""
        self.body: list[str] | None = None
        self.counts: dict[str, int] = {}
        self.passed: int | None = None
        self.pest: dict[str, int] = {}
        self.none = self.phpunit = self.ended = False
        self.fatal = ""

    def take(self, line: str) -> None:
        if line.startswith("There ") and (match := _SECTION.match(line)):
            self.section, self.body = match[1], None
        elif self.section is not None and line[:1].isdigit() and (match := _NUMBERED.match(line)):
            self._numbered(match[1])
        elif line.startswith("Tests: ") and _COUNTS.match(line):
            self._count(line)
        elif line.startswith("OK (") and (match := _OK.match(line)):
            self.passed, self.ended = (self.passed or 0) + int(match[1]), True
        elif line.startswith("  ") and "Tests:" in line and (match := _PEST_COUNTS.match(line)):
            for number, word in _PEST_COUNT.findall(match[1]):
                self.pest[word] = self.pest.get(word, 0) + int(number)
        elif "FAILED  " in line and (match := _PEST_FAILED.match(line)):
            self.body = [match[2] + ":"] if match[2] else []
            self.failures.append((match[1], self.body))
        else:
            self._other(line)

    def _numbered(self, name: str) -> None:
        self.body = []
        if self.section in ("error", "failure", "PHPUnit error"):
            self.failures.append((name, self.body))

    def _count(self, line: str) -> None:
        self.section, self.body, self.ended = None, None, True
        for word, number in _COUNT.findall(line):
            self.counts[word] = self.counts.get(word, 0) + int(number)

    def _other(self, line: str) -> None:
        if self.body is not None:
            self._text(line.removeprefix("   │").strip())
        if line.startswith(" ✘ ") and (match := _DOX_FAILED.match(line)):
            self.body = []
            self.dox.append((f"{self.dox_class}::{match[1]}" if self.dox_class else match[1], self.body))
        elif line.endswith(")") and (match := _DOX_CLASS.match(line)):
            self.dox_class = match[1]
        elif line.startswith(_NONE):
            self.none = True
        elif "PHPUnit" in line:
            self.phpunit = True
        if not self.fatal and "rror:" in line and _FATAL.match(line):
            self.fatal = line
        elif line.startswith("An error occurred inside PHPUnit"):
            self.fatal, self.phpunit = line, True

    def _text(self, said: str) -> None:
        if said and self.body is not None and len(self.body) < BODY_LINES and not _PLACE.match(said):
            self.body.append(said)


def read(text: str) -> TestOutcome | None:
    """A run of PHPUnit or Pest; None when the text shows none."""
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    if reading.pest:
        return _of_pest(reading)
    if reading.ended:
        return _counted(reading)
    if reading.fatal and reading.phpunit:
        return build_outcome("phpunit", [thrown("(loading)", [_cause(reading.fatal)])], status="crashed")
    if reading.none and reading.phpunit:
        return build_outcome("phpunit", status="none_collected")
    tests = {thrown(name, body) for name, body in reading.failures if "::" in name}
    return build_outcome("phpunit", tests, status="failed", complete=False) if tests else None


def _counted(reading: _Reading) -> TestOutcome:
    counts = reading.counts
    failed = counts.get("Errors", 0) + counts.get("Failures", 0)
    skipped = counts.get("Skipped", 0) + counts.get("Incomplete", 0)
    passed = max(counts.get("Tests", 0) - failed - skipped, 0) + (reading.passed or 0)
    return _outcome("phpunit", reading.failures or reading.dox, failed, passed, skipped)


def _of_pest(reading: _Reading) -> TestOutcome:
    counts = reading.pest
    passed = counts.get("passed", 0) + counts.get("deprecated", 0) + counts.get("risky", 0)
    skipped = counts.get("skipped", 0) + counts.get("todo", 0) + counts.get("incomplete", 0)
    return _outcome("pest", reading.failures, counts.get("failed", 0), passed, skipped)


def _outcome(
    runner: str, failures: list[tuple[str, list[str]]], failed: int, passed: int, skipped: int
) -> TestOutcome:
    tests = [thrown(name, _joined(body)) for name, body in failures] if failed else []
    return listed_outcome(runner, tests, failed, passed=passed, skipped=skipped)


def _joined(body: list[str]) -> list[str]:
    """Pest's error type stands at the right end of the header: put before its message."""
    apart = len(body) > 1 and body[0].endswith(":") and " " not in body[0]
    return [f"{body[0]} {body[1]}", *body[2:]] if apart else body


def _cause(fatal: str) -> str:
    said = fatal.partition("rror:")[2].strip().removeprefix("Uncaught ")
    return re.sub(r" in /\S{1,400}(?::\d{1,7}| on line \d{1,7})$", "", said)
