"""Python's doctest run alone: `python -m doctest`, `doctest.testmod()`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.outcomes.python_traceback import last_error
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = ("***Test Failed***", "Failed example:", "\nTest passed.")

_PLACE = re.compile(r'File "([^"]{1,1000})", line \d{1,9}, in (\S{1,500})\s*$')
_FAILED = re.compile(r"\*\*\*Test Failed\*\*\* (\d{1,9}) failure")
_TESTS = re.compile(r"(\d{1,9}) tests? in \d{1,9} items?\.$")
_PASSED = re.compile(r"(\d{1,9}) (?:passed and \d{1,9} failed|passed)\.$")
_STARS = "*" * 70


def read(text: str) -> TestOutcome | None:
    """What the examples came to; None when none is shown to fail and no count is given."""
    lines = text.split("\n")
    tests = list(_failures(lines))
    said = [int(match[1]) for line in lines if line[:3] == "***" and (match := _FAILED.match(line))]
    passed = [
        int(match[1]) for line in lines if line[:1].isdigit() and (match := _PASSED.match(line.rstrip()))
    ]
    if not tests and not said and not (passed and "\nTest passed." in text):
        return None
    return build_outcome(
        "doctest",
        tests,
        failed_count=sum(said) if said else None,
        passed=sum(passed) if passed else None,
        complete=bool(said) or not tests,
    )


def _failures(lines: list[str]) -> Iterator[FailedTest]:
    """Each failed example, by the object it belongs to and its place among the failures of that object."""
    starts = [
        i
        for i, line in enumerate(lines)
        if line.startswith('File "') and lines[i + 1 : i + 2] == ["Failed example:"]
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        if match := _PLACE.match(lines[start][:LINE_CHARS]):
            body = _body(lines, start + 2, end)
            yield failed_test(f"{match[2]}: {_under(body, '')}", *_failure(body))


def _body(lines: list[str], start: int, end: int) -> list[str]:
    body = []
    for line in lines[start:end]:
        if line.startswith((_STARS, "Trying:")):
            break
        body.append(line)
    return body


def _failure(body: list[str]) -> tuple[str, str]:
    """`(text, error type)`."""
    if "Exception raised:" in body:
        return last_error(body), ""
    return f"expected {_under(body, 'Expected:')}, got {_under(body, 'Got:')}", "DocTestFailure"


def _under(body: list[str], title: str) -> str:
    at = body.index(title) + 1 if title in body else 0 if not title else len(body)
    return body[at].strip()[:200] if at < len(body) else "nothing"
