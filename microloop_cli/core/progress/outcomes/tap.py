"""The Test Anything Protocol, and what bats prints on a terminal. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = ("ok 1", "\u2717 ", "\u2713 ")

_PLAN = re.compile(r"1\.\.(\d{1,9})\s*(?:#\s*(.*))?$")
_POINT = re.compile(r"(not )?ok {1,4}(\d{1,9})(?: {1,4}- | {1,4})?(.*)$")
_DIRECTIVE = re.compile(r"(?:^|\s)# ?(skip|todo)\b", re.IGNORECASE)
_MESSAGE = re.compile(r"\s{0,8}(?:message|error): ['\"]?(.+?)['\"]?$")
_PRETTY_TOTAL = re.compile(r"(\d{1,9}) tests?, (\d{1,9}) failures?(?:, (\d{1,9}) skipped)?")
_PRETTY_FAILED = re.compile(r"\u2717 (\S.*)$")
_DETAIL_LINES = 20


def read(text: str) -> TestOutcome | None:
    """What the points came to; None without a plan and points, or bats' totals."""
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    plans = [int(match[1]) for line in lines if line[:3] == "1.." and (match := _PLAN.match(line))]
    points = [
        (i, match)
        for i, line in enumerate(lines)
        if line[:2] in ("ok", "no") and (match := _POINT.match(line))
    ]
    if not plans or not points:
        return _pretty(lines)
    skipped = [match for _, match in points if _DIRECTIVE.search(match[3])]
    failed = [(i, match) for i, match in points if match[1] and not _DIRECTIVE.search(match[3])]
    return build_outcome(
        "tap",
        [
            failed_test(match[3].strip() or match[2], _detail(lines, i + 1), error="not ok")
            for i, match in failed
        ],
        passed=len(points) - len(failed) - len(skipped),
        skipped=len(skipped),
        complete=len(points) >= sum(plans),
    )


def _detail(lines: list[str], start: int) -> str:
    """The message of the YAML block, or else the last comment below the point."""
    said = ""
    for line in lines[start : start + _DETAIL_LINES]:
        if match := _MESSAGE.match(line):
            return match[1]
        if line.startswith("#"):
            said = line[1:].strip() or said
        elif not line.startswith(" "):
            break
    return said


def _pretty(lines: list[str]) -> TestOutcome | None:
    totals = [match for line in lines if line[:1].isdigit() and (match := _PRETTY_TOTAL.match(line))]
    tests = list(_marked(lines))
    if not totals or not any("\u2717 " in line or "\u2713 " in line for line in lines):
        return None
    ran, failed, skipped = (sum(int(match[i] or 0) for match in totals) for i in (1, 2, 3))
    return build_outcome(
        "tap", tests, failed_count=failed, passed=max(0, ran - failed - skipped), skipped=skipped
    )


def _marked(lines: list[str]) -> Iterator[FailedTest]:
    for i, line in enumerate(lines):
        if "\u2717" in line and (match := _PRETTY_FAILED.search(line)):
            detail = lines[i + 2].strip() if i + 2 < len(lines) and lines[i + 1].startswith("   (") else ""
            yield failed_test(match[1], detail, error="not ok")
