"""What was thrown in a test, as the runners of JavaScript, Java, C# and PHP print it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from microloop_cli.core.progress.outcomes.messages import masked
from microloop_cli.core.progress.signals import FailedTest

BODY_LINES = 64
_ID_CHARS = 500
_PARTS = 6

# `Error: x`, `TypeError [CODE]: x`, `System.InvalidOperationException : x`, `App\Wrong: x`, `Error` alone.
_TYPED = re.compile(
    r"(?:Uncaught )?((?:[\w$]{1,80}[.\\]){0,12})([A-Za-z_$][\w$]{0,120})(?: \[[\w$]{1,80}\])?"
    r"(?: ?:(?: (.*)|$)|$| at [\w$.]{1,120}:\d{1,7}$)"
)
_TYPE_WORD = re.compile(r"(?:Error|Exception|Failure|Rejection|Throwable|Failed)\d{0,3}$")
# What a matcher shows of its values, each on a line of its own.
_VALUES = ("Expected", "Received", "Actual", "But was", "Failed asserting", "left: ", "right: ", "Which is")
_STACK = ("at ", "\u276f ", "+ expected", "- Expected  -", "Stack Trace:")


def thrown(test_id: str, body: Iterable[str]) -> FailedTest:
    """A failed test from the lines its failure shows; what was expected and received counts as message."""
    lines = [line for line in (line.strip() for line in body) if line]
    error, first = split_type(lines[0]) if lines else ("", "")
    parts = [first] if first else []
    for line in lines[1:]:
        if line.startswith(_STACK) or len(parts) == _PARTS:
            break
        if not parts or parts[-1].endswith(":") or line.startswith(_VALUES):
            parts.append(line)
    return FailedTest(id=test_id.strip()[:_ID_CHARS], error=error, message=masked(" ".join(parts)))


def split_type(line: str) -> tuple[str, str]:
    """`(error type without its module, message)`; `("", line)` when the line begins with no type."""
    match = _TYPED.match(line)
    if match is None:
        return "", line
    qualified = match[1] != "" and match[2][:1].isupper()
    if not qualified and not _TYPE_WORD.search(match[2]):
        return "", line
    return match[2], match[3] or ""


def not_compiled(errors: Iterable[tuple[str, str]]) -> set[FailedTest]:
    """What a compiler said, `(file, message)` each, as what failed of a run that never began."""
    return {
        FailedTest(id=file[:_ID_CHARS], error="compilation", message=masked(said)) for file, said in errors
    }
