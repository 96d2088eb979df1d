"""`cargo test` and cargo-nextest. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS = ("test result: ", "tests run: ", "error: could not compile `", " ... FAILED")

_RESULT = re.compile(r"test result: (?:ok|FAILED)\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored;")
_SUMMARY = re.compile(r"\s{1,20}Summary \[[^\]]{1,40}\]\s{1,8}[\d/]{1,20} tests? run: (.{1,300})")
_COUNT = re.compile(r"(\d{1,9}) (passed|failed|timed out|skipped|exec failed)")
_LINE = re.compile(r"test (\S.{0,600}?)(?: - should panic(?: - compile| - compile fail)?)? \.\.\. FAILED")
_NEXTEST = re.compile(
    r"\s{1,20}(FAIL|TIMEOUT|ABORT|SIG[A-Z]{1,10}|LEAK-FAIL) {0,8}\[ {0,8}[^\]]{1,14}\] "
    r"(?:\( ?\d{1,7}/\d{1,7}\) )?\S{1,300} (\S.{0,600})$"
)
_SECTION = re.compile(r"---- (\S.{0,600}?) stdout ----$")
_PANIC = re.compile(r"thread '([^']{1,600})' (?:\([^()]{1,20}\) )?panicked at (?:'(.{0,2000}?)', )?")
_SIDE = re.compile(r"\s{1,8}(left|right): (.*)$")
_IN_DOC = re.compile(r" \(line \d{1,7}\)$")
_COMPILER = re.compile(r"error(?:\[(E\d{1,6})\])?: (.+)$")
_PLACE = re.compile(r"\s{1,20}--> (\S{1,500}?):\d{1,7}:\d{1,7}")
_NOT_THE_CAUSE = (
    "could not compile",
    "aborting due to",
    "test failed",
    "test run failed",
    "doctest failed",
    "build failed",
)


def read(text: str) -> TestOutcome | None:
    """What the run came to; crashed when the code does not compile. None when nothing of it is shown."""
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    counts = _counts(lines)
    names = list(dict.fromkeys(_names(lines)))
    if not counts and not names:
        broken = list(_compile_errors(lines)) if "error: could not compile `" in text else []
        return build_outcome("cargo", broken, status="crashed") if broken else None
    said = _said(lines)
    tests = [failed_test(_IN_DOC.sub("", name), *said.get(name, ("", ""))) for name in names]
    return build_outcome(
        "cargo",
        tests,
        failed_count=sum(counts.get(word, 0) for word in ("failed", "timed out", "exec failed"))
        if counts
        else None,
        passed=counts.get("passed", 0) if counts else None,
        skipped=counts.get("ignored", 0),
        complete=bool(counts),
    )


def _counts(lines: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        if line.startswith("test result: ") and (match := _RESULT.match(line)):
            found = list(zip(("passed", "failed", "ignored"), map(int, match.groups()), strict=True))
        elif "tests run: " in line and (match := _SUMMARY.match(line)):
            found = [(word, int(number)) for number, word in _COUNT.findall(match[1])]
        else:
            continue
        for word, number in found:
            counts[word] = counts.get(word, 0) + number
    return counts


def _names(lines: list[str]) -> Iterator[str]:
    """Of the failed tests: `test x ... FAILED`, the list behind `failures:`, nextest's `FAIL [...] x`."""
    listing = False
    for line in lines:
        if line == "failures:":
            listing = True
        elif listing and line.startswith("    ") and line[4:5] not in ("", " "):
            yield line.strip()
        elif listing and line:
            listing = False
        if line.startswith("test ") and (match := _LINE.match(line)):
            yield match[1]
        elif "] " in line and (match := _NEXTEST.match(line)):
            yield match[2]


def _said(lines: list[str]) -> dict[str, tuple[str, str]]:
    """`(message, error type)` of each test: of its section, or else of the thread that bears its name."""
    said: dict[str, tuple[str, str]] = {}
    section = ""
    for i, line in enumerate(lines):
        if line.startswith("---- ") and (match := _SECTION.match(line)):
            section = match[1]
        elif line in ("failures:", "") and lines[i + 1 : i + 2] == ["failures:"]:
            section = ""
        elif "panicked at " in line and (match := _PANIC.search(line)):
            said[section or match[1]] = (match[2] or _following(lines, i + 1), "panic")
        elif "] " in line and (match := _NEXTEST.match(line)):
            said.setdefault(match[2], ("", match[1] if match[1] != "FAIL" else ""))
        elif section and line.startswith("Error: "):
            said[section] = (line[len("Error: ") :], "Error")
        elif section and line.startswith("note: test did not panic"):
            said[section] = ("test did not panic as expected", "panic")
    return said


def _following(lines: list[str], at: int) -> str:
    """The panic's message, with the two sides of a failed comparison."""
    message = lines[at].strip() if at < len(lines) else ""
    sides = [" ".join(match.groups()) for line in lines[at + 1 : at + 4] if (match := _SIDE.match(line))]
    return ", ".join([message, *sides])


def _compile_errors(lines: list[str]) -> Iterator[FailedTest]:
    for i, line in enumerate(lines):
        if (
            line.startswith("error")
            and (match := _COMPILER.match(line))
            and not match[2].startswith(_NOT_THE_CAUSE)
        ):
            place = _PLACE.match(lines[i + 1]) if i + 1 < len(lines) else None
            yield failed_test(place[1] if place else "build", match[2], error=match[1] or "error")
