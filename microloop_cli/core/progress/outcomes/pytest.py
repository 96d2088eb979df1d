"""pytest: alone, under xdist or tox, at any verbosity and with any style of traceback. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.core.progress.outcomes import pytest_sections
from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test, split_error
from microloop_cli.core.progress.outcomes.pytest_sections import Section
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus

MARKERS = (
    "test session starts", " passed", " failed", "FAILED ", " error", "no tests ran", "ERROR ", " skipped in",
    "INTERNALERROR>", "while loading conftest",
)  # fmt: skip

_WORDS = "failed|passed|skipped|deselected|xfailed|xpassed|warnings?|errors?|reruns?|subtests passed"
_COUNTED = rf"\d{{1,9}} (?:{_WORDS})"
_FINAL = re.compile(
    rf"=*\s?(?:{_COUNTED}|no tests ran|no tests run)(?:, {_COUNTED}){{0,10}} in (?:\d[\d.:]{{0,20}} ?s|<)"
)
_COUNT = re.compile(r"(\d{1,9}) ([a-z]{1,20})")
_VERBOSE = re.compile(r"(\S.{0,500}?::.{1,500}?) (FAILED|ERROR)(?:\s{1,80}\[ {0,3}\d{1,3}%\])?\s{0,10}$")
_WORKER = re.compile(r"\[gw\d{1,4}\] \[ {0,3}\d{1,3}%\] (FAILED|ERROR) (.{1,1000})$")
_SUBTEST = re.compile(r"SUBFAIL(?:ED)? ?((?:\[[^\]]{0,200}\])? ?(?:\([^)]{0,400}\))?) (\S.*)")
_SUMMARY = "short test summary info"
_NAMING = frozenset("FES")
_FINAL_STARTS = frozenset("=0123456789n")


class Counts(msgspec.Struct):
    """What the last lines count, summed over the sessions in the text."""

    failed: int = 0
    passed: int = 0
    skipped: int = 0
    expected: int = 0
    seen: bool = False

    def add(self, line: str) -> None:
        self.seen = True
        for number, word in _COUNT.findall(line):
            if word in ("failed", "error", "errors"):
                self.failed += int(number)
            elif word == "passed":
                self.passed += int(number)
            elif word == "skipped":
                self.skipped += int(number)
            elif word in ("xfailed", "xpassed"):
                self.expected += int(number)


def read(text: str) -> TestOutcome | None:
    """What a pytest session came to; None when the text shows none, or only its beginning."""
    counts = _counts(text)
    may_name = "FAILED" in text or "ERROR" in text
    if counts.passed and not counts.failed and not may_name:
        return _all_well(counts)
    lines = text.split("\n")
    named = _summary(text, lines) if may_name else []
    crash = None if counts.seen and (counts.passed or named) else _crash(text, lines)
    if crash is not None:
        return build_outcome("pytest", [crash], status="crashed", passed=counts.passed)
    sections = pytest_sections.read(lines) if counts.failed or named or not counts.seen else []
    tests = _explained(named, sections) if named else _from_sections(sections, counts, lines)
    if not counts.seen and not tests:
        return None
    if may_name and not tests:
        tests = _from_progress(lines)
    return build_outcome(
        "pytest",
        tests,
        failed_count=counts.failed if counts.seen else None,
        passed=counts.passed if counts.seen else None,
        skipped=counts.skipped,
        status=_status(counts, tests, text),
        complete=counts.seen,
    )


def _all_well(counts: Counts) -> TestOutcome:
    """Tests passed and nothing says that any did not: no line need be looked at."""
    return TestOutcome(runner="pytest", status="passed", passed=counts.passed)


def _status(counts: Counts, tests: list[FailedTest], text: str) -> TestStatus | None:
    if (counts.failed or tests) and not counts.passed and "collect" in text:
        ran = any("::" in test.id for test in tests)
        if not ran and ("ERROR collecting " in text or " during collection" in text):
            return "crashed"
    if not counts.failed and not tests and counts.expected:
        return "passed"
    return None


def _counts(text: str) -> Counts:
    counts = Counts()
    at = text.find(" in ")
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if text[start] in _FINAL_STARTS and (match := _FINAL.match(text, start, start + LINE_CHARS)):
            counts.add(match[0])
        at = text.find(" in ", end) if end >= 0 else -1
    return counts


def _header(text: str) -> int | None:
    """Which line is the summary's header."""
    at = text.find(_SUMMARY)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if text[start] == "=":
            return text.count("\n", 0, start)
        at = text.find(_SUMMARY, at + 1)
    return None


def _summary(text: str, lines: list[str]) -> list[tuple[str, str, str]]:
    """`(subtest, id, message)` of each line of the summary. Without its header a line must look like one."""
    start = _header(text)
    found = []
    for line in lines if start is None else lines[start + 1 :]:
        if line[:1] not in _NAMING:
            continue
        subtest, rest = "", ""
        if line.startswith(("FAILED ", "ERROR ")):
            rest = line[6:LINE_CHARS].strip()
        elif match := _SUBTEST.match(line[:LINE_CHARS]):
            subtest, rest = " " + match[1].strip(), match[2].strip()
        test_id, message = _split(rest)
        if test_id and _is_id(test_id, in_summary=start is not None):
            found.append((subtest, test_id, message))
    return found


def _split(rest: str) -> tuple[str, str]:
    """The id up to the ` - ` that is not in a parameter, and the message behind it."""
    at = rest.find(" - ")
    while at >= 0:
        head = rest[:at]
        if "[" not in head or head.endswith("]"):
            return head, rest[at + 3 :]
        at = rest.find(" - ", at + 3)
    return rest, ""


def _is_id(test_id: str, in_summary: bool) -> bool:
    if "::" in test_id:
        return not test_id.startswith(("::", "(")) and (in_summary or " " not in test_id.partition("[")[0])
    if " " in test_id or test_id.endswith(":"):
        return False
    return in_summary or test_id.endswith(".py")


def _explained(named: list[tuple[str, str, str]], sections: list[Section]) -> list[FailedTest]:
    """Each named test with the failure its section shows in full, or else with what the summary says."""
    by_title: dict[str, list[Section]] = {}
    for section in reversed(sections):
        by_title.setdefault(section.title, []).append(section)
    tests = []
    for subtest, test_id, message in named:
        matching = by_title.get(pytest_sections.title_of(test_id) + subtest)
        shown = matching.pop().failure if matching else ""
        tests.append(failed_test(test_id + subtest, shown or _uncut(message)))
    return tests


def _uncut(message: str) -> str:
    """A message cut to the terminal's width, without the word that was cut, for it may be one that is masked.

    Cut within the name of the error it says nothing (`asse...`, `Type...`).
    """
    if not message.endswith("..."):
        return message
    return message.rpartition(" ")[0] + " ..." if split_error(message)[0] else ""


def _from_sections(sections: list[Section], counts: Counts, lines: list[str]) -> list[FailedTest]:
    """Ids put together from the titles, when no summary names the tests."""
    if counts.seen and not counts.failed:
        return []
    sections = [section for section in sections if section.counts]
    files = [pytest_sections.file_of(section, lines) for section in sections]
    known = set(files) - {""}
    only = known.pop() if len(known) == 1 else ""
    return [
        failed_test(section.test_id(file or only), section.failure)
        for section, file in zip(sections, files, strict=True)
    ]


def _from_progress(lines: list[str]) -> list[FailedTest]:
    """Ids from the lines `-v` prints, when that is all there is."""
    found = []
    for line in lines:
        if "FAILED" in line or "ERROR" in line:
            line = line[:LINE_CHARS]
            if match := _WORKER.match(line):
                found.append(failed_test(match[2]))
            elif "::" in line and (match := _VERBOSE.match(line)):
                found.append(failed_test(match[1]))
    return found


def _crash(text: str, lines: list[str]) -> FailedTest | None:
    """What ended the session before a test could fail or pass."""
    if "INTERNALERROR> " in text:
        last = [line for line in lines if line.startswith("INTERNALERROR> ") and line[15:16] not in ("", " ")]
        return failed_test("INTERNALERROR", last[-1][15:LINE_CHARS] if last else "")
    if "while loading conftest" in text:
        return _conftest(lines)
    if "test session starts" in text and "Fatal Python error: " in text:
        return failed_test(
            "session", text.partition("Fatal Python error: ")[2][:LINE_CHARS], error="Fatal Python error"
        )
    if ": error: " in text and text.lstrip().startswith(("ERROR: usage: ", "usage: ")) and "pytest" in text:
        return failed_test("command line", text.partition(": error: ")[2][:LINE_CHARS], error="usage")
    return None


def _conftest(lines: list[str]) -> FailedTest | None:
    at = next((i for i, line in enumerate(lines) if "while loading conftest" in line), 0)
    place = lines[at][:LINE_CHARS].partition("while loading conftest")[2].strip(" '.\"")
    shown = [line for line in lines[at:] if line.startswith("E ")]
    return failed_test(place, pytest_sections.first_line(shown))
