"""CTest. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import TestOutcome

MARKERS = ("% tests passed, ", "The following tests FAILED:", "No tests were found!!!", "***Failed")

_TOTAL = re.compile(r"\d{1,3}% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})")
_LISTED = re.compile(r"\s{1,20}\d{1,9} - (\S.{0,400}?) \(([A-Za-z ]{1,40})\)")
_LINE = re.compile(
    r"\s{0,10}\d{1,9}/\d{1,9} {1,4}Test {1,8}#\d{1,9}: (\S{1,400}) [ .]{1,200}"
    r"(\*\*\*)?([A-Z][A-Za-z ]{1,30}?)(?::? \w{1,40})? {1,20}(?:\d[\d.]{0,20} sec|<)"
)
_NEXT = re.compile(r"\s{0,20}(?:Start {1,8}\d{1,9}: |\d{1,9}/\d{1,9} {1,4}Test )|\d{1,3}% tests passed")
_SKIPPED = ("Skipped", "Not Run (Disabled)")
_CALLED = {
    "SEGFAULT": "Exception",
    "Exception": "Exception",
    "Subprocess aborted": "Exception",
    "ILLEGAL": "Exception",
}


def read(text: str) -> TestOutcome | None:
    """What the run came to; None when neither its totals nor a failed test is shown."""
    if "No tests were found!!!" in text and "% tests passed" not in text:
        return build_outcome("ctest", passed=0)
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    failed, total, seen = 0, 0, False
    for line in lines:
        if "% tests passed, " in line and (match := _TOTAL.match(line)):
            failed, total, seen = failed + int(match[1]), total + int(match[2]), True
    skipped, said = _lines(lines)
    names = _listed(lines) or {name: error for name, (error, _) in said.items()}
    if not seen and not names:
        return None
    return build_outcome(
        "ctest",
        [
            failed_test(name, said.get(name, ("", ""))[1], error=_CALLED.get(error, error))
            for name, error in names.items()
        ],
        failed_count=failed if seen else None,
        passed=max(0, total - failed - skipped) if seen else None,
        skipped=skipped,
        complete=seen,
    )


def _listed(lines: list[str]) -> dict[str, str]:
    """Name and kind of failure, from the list at the end."""
    listed: dict[str, str] = {}
    listing = False
    for line in lines:
        if line.startswith("The following tests FAILED:"):
            listing = True
        elif listing:
            match = _LISTED.match(line)
            if match is None:
                listing = False
            else:
                listed[match[1]] = match[2]
    return listed


def _lines(lines: list[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    """How many were skipped, and of each failed test the kind of failure and the last line it printed."""
    skipped = 0
    said: dict[str, tuple[str, str]] = {}
    for i, line in enumerate(lines):
        if " Test " not in line or (match := _LINE.match(line)) is None or match[3] == "Passed":
            continue
        if match[3] in _SKIPPED:
            skipped += 1
        else:
            said[match[1]] = (match[3], _output(lines, i + 1))
    return skipped, said


def _output(lines: list[str], start: int) -> str:
    said = ""
    for line in lines[start : start + 2000]:
        if _NEXT.match(line):
            break
        said = line.strip() or said
    return said
