"""A failure's message made comparable: its first line, with what differs from run to run masked. Pure.

Ordinary small values stay, for the same test failing in a new way is progress; a float with four or more
fraction digits is a measurement and does not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from microloop_cli.core.progress.signals import FailedTest

MESSAGE_CHARS = 200
LINE_CHARS = 4096
_RAW_CHARS = 1000
_ID_CHARS = 500
_NAME_CHARS = 400

_TERMINAL = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)|[@-Z\\^_])?"
)
_ERROR_WORDS = (
    "Error", "Exception", "Warning", "Exit", "Interrupt", "Fail", "Failed", "Failure", "Timeout", "Iteration",
    "Expired", "Skipped",
)  # fmt: skip

# Each begins with a sign or at a word's beginning and is bounded: linear.
_MASKS: tuple[tuple[str, str], ...] = (
    ("tmp", r"/(?:private/)?(?:tmp|var/tmp)/"
            r"(?:pytest-of-[\w.-]{1,64}/pytest-(?:\d{1,10}|<\w{1,12}>)(?:/popen-gw\d{1,4})?"
            r"|(?=[^/\s'\"]{0,80}\d|tmp)[^/\s'\":;,)\]>]{1,200})"),
    ("folder", r"/var/folders/\w{1,8}/\w{1,64}/T/[^/\s'\":;,)\]>]{1,200}"),
    ("line", r"(?<=\.py|\.js|\.ts|\.go|\.rs|\.rb|\.cc|\.kt|\.cs):\d{1,7}(?::\d{1,6})?"
             r"|(?<=\.tsx|\.jsx|\.mjs|\.cjs|\.cpp|\.php|\.exs):\d{1,7}(?::\d{1,6})?|(?<=\.java):\d{1,7}"
             r"|(?<=\.[ch]):\d{1,7}(?::\d{1,6})?|(?<=\.py\", line )\d{1,7}|(?<=\.py, line )\d{1,7}"
             r"|(?<=>, line )\d{1,7}|(?<=>\", line )\d{1,7}"),
    ("address", r"\b0[xX][0-9a-fA-F]{6,64}\b"),
    ("uuid", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    ("clock", r"\b(?:\d{4}-\d\d-\d\d[T ])?[0-2]\d:[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?(?:Z\b|[+-]\d\d:?\d\d\b)?"),
    ("port", r"(?:\blocalhost|\b127\.0\.0\.1|\b0\.0\.0\.0|\[::1?\]):\d{2,5}\b"),
    ("pid", r"\b(?:[pP][iI][dD]|[sS]eed|SEED|[pP]rocess|[tT]hread|goroutine|worker)[ =:#(]{1,3}\d{1,12}\b"),
    ("float", r"(?<![\w.])-?\d{1,20}\.\d{4,40}(?:[eE][+-]?\d{1,4})?(?![\w.]|\d)"
              r"|(?<![\w.])-?\d(?:\.\d{1,40})?[eE][+-]\d{1,4}\b"),
    ("time", r"(?<![\w.])\d{1,18}(?:\.\d{1,18})? ?"
             r"(?:ns|us|\u00b5s|\u03bcs|ms|msecs?|secs?|seconds?|milliseconds?|microseconds?|minutes?|mins?|hours?|s)\b"),
    ("stamp", r"\b1[4-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d{1,9})?\b|\b\d{12,20}\b"),
    ("hex", r"\b(?=[a-fA-F]{0,63}\d)(?=\d{0,63}[a-fA-F])[0-9a-fA-F]{8,64}\b"),
)  # fmt: skip
_DIGIT = re.compile(r"[0-9]")


@functools.cache
def _masks() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _MASKS))


def _mask(match: re.Match[str]) -> str:
    return ":<line>" if match[0][0] == ":" else f"<{match.lastgroup}>"


def plain(text: str) -> str:
    """Without terminal sequences."""
    return _TERMINAL.sub("", text) if "\x1b" in text else text


def lines_of(text: str) -> Iterator[str]:
    r"""The lines, without terminal sequences and `\r`, each cut at LINE_CHARS."""
    for line in plain(text).split("\n"):
        yield line[:LINE_CHARS].rstrip("\r")


def masked(text: str) -> str:
    """The first line that says something, masked, at most MESSAGE_CHARS long. Idempotent, but for the cut."""
    line = text.strip()[:_RAW_CHARS].split("\n", 1)[0].strip()
    if _DIGIT.search(line) or "/tmp" in line:
        line = _masks().sub(_mask, line)
    return line[:MESSAGE_CHARS].rstrip()


def split_error(text: str) -> tuple[str, str]:
    """`(error type, rest)` of `pkg.ValueError: x`; `("", text)` when it names no type. Python's manner.

    The type loses its module. A bare `assert ...` is an AssertionError.
    """
    text = text.strip()
    if text.startswith("assert "):
        return "AssertionError", text
    head, colon, rest = text.partition(": ")
    head = head if colon else head.removesuffix(":")
    name = head[:_NAME_CHARS].rpartition(".")[2]
    if not name.isidentifier() or not head.replace(".", "").isidentifier():
        return "", text
    if name.endswith(_ERROR_WORDS) or (colon and name[0].isupper()):
        return name, rest
    return "", text


def failed_test(test_id: str, text: str = "", error: str = "") -> FailedTest:
    """A failed test from its id and the text its failure shows (`ValueError: x`, or a message alone).

    error: the type when the runner states it apart; else it is read off the text.
    """
    if not error:
        error, text = split_error(text)
    elif text.startswith(error + ": "):
        text = text[len(error) + 2 :]
    return FailedTest(id=test_id.strip()[:_ID_CHARS], error=error[:MESSAGE_CHARS], message=masked(text))
