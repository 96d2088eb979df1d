"""unittest and what prints as it does: Django's runners, nose and nose2, under tox or not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.outcomes.python_traceback import last_error
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus

MARKERS = ("Ran ", "FAIL: ", "ERROR: ")

_RAN = re.compile(r"Ran (\d{1,9}) tests? in [\d<]")
_RESULT = re.compile(r"(?:OK|FAILED|NO TESTS RAN)(?: \(([a-zA-Z0-9=, ]{1,300})\))?\s*$")
_COUNT = re.compile(r"([a-zA-Z ]{1,40})=(\d{1,9})")
_HEADER = re.compile(r"(FAIL|ERROR|UNEXPECTED SUCCESS): (\S.*)")
_NAMED = re.compile(r"(\S{1,400}) \(([^\s()]{1,400})\)(.*)$")
_VERBOSE = re.compile(r"\s{0,8}(\w{1,300}) \(([\w.]{1,400})\)(.{0,400}?) \.\.\. (?:FAIL|ERROR)\s*$")
_UNEXPECTED = "unexpected success"
_NO_TEST = (".setUpClass", ".tearDownClass", ".setUpModule", ".tearDownModule", "_ErrorHolder")
_UNDER_HEADER = 6
_LOADER = ("unittest.loader._FailedTest.", "unittest.loader.ModuleImportFailure.", "nose.failure.Failure.")


def read(text: str) -> TestOutcome | None:
    """What the run came to; None when neither `Ran N tests` nor a failure's section is in the text."""
    lines = text.split("\n")
    ran = [int(match[1]) for line in lines if (match := _ran(line))]
    tests = list(_failures(lines)) if "FAIL" in text or "ERROR: " in text or "UNEXPECTED" in text else []
    if not ran and not tests:
        return None
    counts = _counts(lines) if ran else {}
    failed = counts.get("failures", 0) + counts.get("errors", 0)
    if not tests or any(test.error == _UNEXPECTED for test in tests):  # older versions only count them
        failed += counts.get("unexpected successes", 0)
    skipped = counts.get("skipped", 0) + counts.get("SKIP", 0)
    expected = counts.get("expected failures", 0)
    passed = _passed(sum(ran), failed, tests, skipped + expected) if ran else None
    return build_outcome(
        "unittest",
        tests or (list(_verbose(lines)) if failed else []),
        failed_count=failed if counts or not tests else None,
        passed=passed,
        skipped=skipped,
        status=_status(tests, passed, expected),
        complete=bool(ran),
    )


def _passed(ran: int, failed: int, tests: list[FailedTest], others: int) -> int:
    """Subtests fail several times in a test that ran once, a class's set-up in none."""
    if len(tests) >= failed:
        failed = len({test.id.partition(" (")[0] for test in tests if not test.id.endswith(_NO_TEST)})
    return max(0, ran - failed - others)


def _ran(line: str) -> re.Match[str] | None:
    return _RAN.match(line) if line.startswith("Ran ") else None


def _status(tests: list[FailedTest], passed: int | None, expected: int) -> TestStatus | None:
    if tests and not passed and all(test.id.startswith(_LOADER) for test in tests):
        return "crashed"
    return "passed" if not tests and not passed and expected else None


def _counts(lines: list[str]) -> dict[str, int]:
    """`failures`, `errors`, `skipped`... summed over the result lines."""
    counts: dict[str, int] = {}
    for line in lines:
        if line[:1] in ("F", "O") and (match := _RESULT.match(line[:LINE_CHARS])) and match[1]:
            for name, number in _COUNT.findall(match[1]):
                counts[name.strip()] = counts.get(name.strip(), 0) + int(number)
    return counts


def _failures(lines: list[str]) -> Iterator[FailedTest]:
    """A section: a line of `=`, the test's name, perhaps its docstring, a line of `-`, the traceback."""
    starts = [
        i + 1
        for i, line in enumerate(lines[:-1])
        if line.startswith("======")
        and lines[i + 1].startswith(("FAIL: ", "ERROR: ", "UNEXPECTED SUCCESS: "))
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        header = _HEADER.match(lines[start].rstrip()[:LINE_CHARS])
        if header is None:
            continue
        body = _body(lines, start, end)
        error = _UNEXPECTED if header[1].startswith("UNEXPECTED") else ""
        yield failed_test(_id(header[2]), last_error(body), error=error)


def _body(lines: list[str], start: int, end: int) -> list[str]:
    """The section's lines without the test's own output (`Stdout:`) and what follows the last failure."""
    body: list[str] = []
    for i in range(start + 1, end):
        line = lines[i]
        if line.startswith(("Stdout:", "Stderr:", "-------------------- >> begin")):
            break
        if (
            line.startswith("------")
            and i > start + _UNDER_HEADER
            and i + 1 < len(lines)
            and _ran(lines[i + 1])
        ):
            break
        body.append(line)
    return body


def _id(name: str) -> str:
    """`module.Class.test (subtest)`, whatever the version: newer ones repeat the test in the parentheses."""
    match = _NAMED.match(name)
    if match is None:
        return name
    test, where, subtest = match.groups()
    return (where if where.endswith("." + test) else f"{where}.{test}") + subtest.rstrip()


def _verbose(lines: list[str]) -> Iterator[FailedTest]:
    """Ids from what `-v` prints, when the sections were cut off."""
    for line in lines:
        if line.rstrip().endswith((" ... FAIL", " ... ERROR")) and (
            match := _VERBOSE.match(line[:LINE_CHARS])
        ):
            yield failed_test(_id(f"{match[1]} ({match[2]}){match[3]}"))
