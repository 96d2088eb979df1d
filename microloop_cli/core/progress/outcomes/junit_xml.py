"""JUnit's XML, as pytest, Surefire, Gradle, jest-junit, PHPUnit, ctest and many others write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, split_type, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus

ROOTS = ("testsuites", "testsuite")

_NAMED = 10_000
_NO_NAMES = ("", "(empty)", "pytest")  # suites nobody named
_SKIPPED_STATES = ("notrun", "disabled", "skipped")
# PHPUnit 9 files a test without assertions under errors; its console does not.
_RISKY = "RiskyTestError"
# Messages that only say that it failed; the text below says more.
_EMPTY_TALK = ("", "failed", "failure", "error", "test failed", "collection failure", "test failure")
# Lines that are no message: a place, go's frame around a test's output, the panic before its message.
_NO_MESSAGE = re.compile(
    r"\S{1,400}:\d{1,7}(?::\d{1,7})?:?$|(?:===|---) |.{0,200}panicked at .{1,300}:\d{1,7}:\d{1,7}:?$"
)
_GO_PLACE = re.compile(r"\S{1,200}_test\.go:\d{1,7}: ")
_PYTEST_ERROR = "E   "


class _Case:
    """A test case while it is read."""

    def __init__(self, attributes: Mapping[str, str], suites: list[str]) -> None:
        self.attributes = attributes
        self.suites = suites
        self.skipped = attributes.get("status", "").lower() in _SKIPPED_STATES
        self.failure: tuple[str, str] | None = None  # its type and message
        self.text = ""

    def test(self) -> FailedTest:
        kind, message = self.failure or ("", "")
        name = _identity(self.attributes, self.suites)
        found = thrown(name, _telling(name, message, self.text))
        if not found.error and found.message.startswith("assert "):
            return msgspec.structs.replace(found, error="AssertionError")
        if not found.error and kind:
            return msgspec.structs.replace(found, error=split_type(kind)[0])
        return found


class JUnit:
    """Takes the elements of a document, and says what the run came to."""

    def __init__(self) -> None:
        self.suites: list[str] = []
        self.case: _Case | None = None
        self.failed: list[FailedTest] = []
        self.cases = self.skipped = self.failed_count = 0
        self.only_collection = True

    def start(self, name: str, attributes: Mapping[str, str]) -> bool:
        if name in ROOTS:
            self.suites.append(attributes.get("name", "") if name == "testsuite" else "")
        elif name == "testcase":
            self.case = _Case(attributes, self.suites)
        elif name in ("failure", "error"):
            return self._failure(attributes)
        elif name == "skipped" and self.case is not None:
            self._skip(self.case, attributes.get("message", ""))
        return False

    def _skip(self, case: _Case, why: str) -> None:
        """ctest calls a program that was not built "skipped", and fails for it."""
        gone = why.startswith("Unable to find executable")
        case.skipped = not gone
        if gone:
            case.failure = ("", why)
            self.only_collection = False

    def _failure(self, attributes: Mapping[str, str]) -> bool:
        """The first of a case says most; one of a suite makes the suite a case that failed."""
        if self.case is None:
            self.case = _Case({"name": next((name for name in reversed(self.suites) if name), "")}, [])
        if self.case.failure is not None:
            return False
        message = attributes.get("message", "")
        self.case.failure = (attributes.get("type", ""), message)
        self.only_collection &= message == "collection failure"
        return True

    def end(self, name: str, text: str) -> None:
        if name in ROOTS and self.suites:
            self.suites.pop()
            self._close()  # of a suite's own error
        elif name == "testcase":
            self._close()
        elif name in ("failure", "error") and self.case is not None and text:
            self.case.text = text

    def _close(self) -> None:
        case, self.case = self.case, None
        if case is None:
            return
        self.cases += 1
        if case.skipped:  # one that failed as well was expected to (a todo)
            self.skipped += 1
        elif case.failure is not None and not case.failure[0].endswith(_RISKY):
            self.failed_count += 1
            if len(self.failed) < _NAMED:
                self.failed.append(case.test())

    def outcome(self, whole: bool) -> TestOutcome:
        passed = self.cases - self.failed_count - self.skipped
        status: TestStatus | None = "crashed" if self.failed and self.only_collection and not passed else None
        return listed_outcome(
            "junit",
            self.failed,
            self.failed_count,
            passed=passed,
            skipped=self.skipped,
            status=status,
            complete=whole,
        )


def _identity(attributes: Mapping[str, str], suites: list[str]) -> str:
    name, owner = attributes.get("name", ""), attributes.get("classname", "")
    if attributes.get("class"):  # PHPUnit
        return f"{attributes['class']}::{name}"
    if owner in ("", name, "test"):
        inner = [suite for suite in suites if suite not in _NO_NAMES and suite != name]
        return " > ".join([*inner, name])
    if not name:  # what failed is the class
        return owner
    plain = " " not in name and all(part.replace("$", "_").isidentifier() for part in owner.split("."))
    return f"{owner}.{name}" if plain else f"{owner} > {name}"


def _telling(test_id: str, message: str, text: str) -> list[str]:
    """The lines that say what went wrong: of the message, or of the text where that has them better."""
    below = list(_lines(test_id, text))
    if len(below) > 1 and below[1].endswith(f": {below[0]}"):  # mocha: the message, then the stack
        del below[0]
    if message.strip().lower() in _EMPTY_TALK:
        raised = [line[len(_PYTEST_ERROR) :] for line in text.splitlines() if line.startswith(_PYTEST_ERROR)]
        return raised[:1] or below or [message]
    # Line ends within an attribute are spaces to XML; the text still has its lines.
    if below and message.startswith(split_type(below[0])[1] or below[0]):
        return below
    return list(_lines(test_id, message)) or below or [message]


def _lines(test_id: str, text: str) -> Iterator[str]:
    for line in text[: 64 << 10].splitlines()[:BODY_LINES]:
        line = line.strip()
        if not line or _NO_MESSAGE.match(line) or (line.startswith(test_id) and "::" in test_id):
            continue
        yield _GO_PLACE.sub("", line, count=1)
