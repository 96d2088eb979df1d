"""TRX, the result file of `dotnet test --logger trx`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.thrown import thrown
from microloop_cli.core.progress.signals import TestOutcome

ROOTS = ("TestRun",)

_FAILED = ("Failed", "Error", "Timeout", "Aborted")
_PASSED = ("Passed", "Warning", "PassedButRunAborted", "Completed")
_RESULTS = ("UnitTestResult", "TestResultAggregation", "GenericTestResult")


class _Result:
    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.test_id = attributes.get("testId", "")
        self.name = attributes.get("testName", "")
        self.how = attributes.get("outcome", "")
        self.message = ""
        self.has_inner = False


class Trx:
    """Takes the elements of a document, and says what the run came to."""

    def __init__(self) -> None:
        self.open: list[_Result] = []
        self.failed: list[_Result] = []
        self.passed = self.skipped = 0
        self.definition = ""
        self.classes: dict[str, str] = {}  # a test's id -> the class it is in
        self.broken = False

    def start(self, name: str, attributes: Mapping[str, str]) -> bool:
        if name in _RESULTS:
            if self.open:
                self.open[-1].has_inner = True
            self.open.append(_Result(attributes))
        elif name == "UnitTest":
            self.definition = attributes.get("id", "")
        elif name == "TestMethod" and self.definition:
            self.classes[self.definition] = attributes.get("className", "").partition(",")[0]
        elif name == "RunInfo":
            self.broken |= attributes.get("outcome") == "Error"
        return name == "Message" and bool(self.open)

    def end(self, name: str, text: str) -> None:
        if name == "Message" and self.open and not self.open[-1].message:
            self.open[-1].message = text
        elif name in _RESULTS and self.open:
            self._close(self.open.pop())
        elif name == "UnitTest":
            self.definition = ""

    def _close(self, result: _Result) -> None:
        if result.has_inner:  # a table of cases: each was counted
            return
        if result.how in _FAILED:
            self.failed.append(result)
        elif result.how in _PASSED:
            self.passed += 1
        else:
            self.skipped += 1

    def outcome(self, whole: bool) -> TestOutcome:
        tests = [thrown(self._identity(result), result.message.splitlines()[:64]) for result in self.failed]
        crashed = self.broken and not tests and not self.passed
        return listed_outcome(
            "trx",
            tests,
            len(tests),
            passed=self.passed,
            skipped=self.skipped,
            status="crashed" if crashed else "failed" if self.broken else None,
            complete=whole and not self.broken,
        )

    def _identity(self, result: _Result) -> str:
        owner = self.classes.get(result.test_id, "")
        return result.name if not owner or result.name.startswith(owner) else f"{owner}.{result.name}"
