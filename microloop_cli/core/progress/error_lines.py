"""Single lines of output that name an error: what kind, and its message without positions. Pure."""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

MESSAGE_CHARS = 200
_LINE_CHARS = 600

# exception: the last of them ended the program. compiler: the first of them matters. plain: a program's own
# words. summary: says that something failed, not what.
Rank = Literal["exception", "compiler", "plain", "summary"]


class ErrorLine(msgspec.Struct, frozen=True):
    """One line that names an error."""

    rank: Rank
    kind: str
    message: str


_NAME = r"(?:[A-Za-z_$][\w$]{0,60}\.){0,8}[A-Za-z_$][\w$]{0,60}"
_PROGRAM = r"(?:[\w.+@/-]{0,200}/)?(?P<kind>[\w.+-]{1,60})"
_ERRNO = (
    r"(?:No such file or directory|Permission denied|Is a directory|Not a directory|File exists"
    r"|Directory not empty"
    r"|Operation not permitted|Exec format error|Argument list too long|Text file busy|cannot execute.{0,40})"
)
_COMPLAINT = (
    r"(?:-e expression|\(\d{1,3}\) |(?:illegal|invalid|unrecognized|unknown|unexpected|ambiguous"
    r"|missing|extra|too many|too few|cannot|can't|could not|couldn't|unable|failed|no |not a"
    r"|syntax error|command not found)\b)"
)
# Rank, the kind where no group says it, words of which one must be there, the pattern; tried in this order on
# a line without the space around it; all bounded.
_PATTERNS: tuple[tuple[Rank, str, tuple[str, ...], str], ...] = (
    ("summary", "make", ("***",), r"(?:g?make|mingw32-make)(?:\[[^\]]{0,8}\])?: \*\*\* (?P<message>.*)"),
    ("plain", "npm", (" code ",), r"npm (?:ERR!|error) code (?P<message>.*)"),
    ("summary", "npm", ("npm ",), r"npm (?:ERR!|error) (?!A complete log)(?P<message>.*)"),
    (
        "summary",
        "build",
        (
            "could not compile",
            "aborting due",
            "collect2",
            "build stopped",
            "BUILD FAIL",
            "Build failed",
            "exit code",
            "exited with code",
            "Failed to execute goal",
            "ompilation failed",
        ),
        r"(?P<message>.*)",
    ),
    ("compiler", "", ("error[",), r"(?P<kind>error\[E\d{1,5}\]): (?P<message>.*)"),
    (
        "compiler",
        "",
        ("error",),
        r"(?:\[ERROR\] )?[^\s:()\[\]]{1,200}"
        r"(?::\d{1,7}|\(\d{1,7}|:?\[\d{1,7})(?:[:,]\d{1,7})?[)\]]?:?(?: -)? "
        r"(?:fatal )?(?P<kind>error(?: [A-Z]{1,4}\d{1,6})?): (?P<message>.*)",
    ),
    ("compiler", "ld", ("undefined reference to",), r".{0,400}?(?P<message>undefined reference to .*)"),
    ("compiler", "go", (".go:",), r"(?:vet: )?[\w./-]{1,200}\.go:\d{1,7}(?::\d{1,5})?: (?P<message>.*)"),
    ("exception", "panic", ("panic: ",), r"panic: (?P<message>.*)"),
    (
        "exception",
        "panic",
        ("panicked at",),
        r"thread '[^']{0,80}' (?:\([^)]{0,20}\) )?panicked at (?P<message>.*)",
    ),
    (
        "exception",
        "",
        ("Caused by: ", "Exception in thread "),
        r"(?:Caused by: |Exception in thread \"[^\"]{0,80}\" )(?P<kind>"
        + _NAME
        + r")(?:: (?P<message>.*))?$",
    ),
    (
        "exception",
        "",
        ("Error", "Exception", "Exit", "Interrupt", "Timeout"),
        r"(?:E   +|Uncaught |Unhandled exception[.:] )?"
        r"(?P<kind>(?:[A-Za-z_$][\w$]{0,60}\.){0,8}[A-Za-z_$]?[\w$]{0,60}?"
        r"(?:Error|Exception|Exit|Interrupt|Timeout))(?: \[[A-Z_0-9]{1,40}\])?(?:: (?P<message>.*)|$)",
    ),
    ("exception", "", ("E   ",), r"E   +(?P<kind>" + _NAME + r"): (?P<message>.*)"),
    ("plain", "", (" daemon: ",), r"(?P<kind>Error response from daemon): (?P<message>.*)"),
    (
        "plain",
        "command not found",
        ("not found",),
        r"(?:.{0,200}: )?(?P<message>[^\s:]{1,200}): (?:command )?not found$",
    ),
    ("plain", "command not found", ("command not found: ",), r".{0,80}command not found: (?P<message>.*)"),
    (
        "plain",
        "",
        ("No module named",),
        r"(?:\S{0,200}/)?(?P<kind>python)[\d.]{0,8}: (?P<message>No module named .*)",
    ),
    ("plain", "", ("fatal", "FATAL"), r"(?P<kind>fatal|FATAL): (?P<message>.*)"),
    ("plain", "", ("rror", "RROR"), r"(?P<kind>error|ERROR|\[ERROR\]|E(?=: )):? (?P<message>.*)"),
    ("plain", "", ("error: ", "Error: "), _PROGRAM + r"(?: [\w-]{1,40}){0,2}: (?:[eE]rror: )(?P<message>.*)"),
    (
        "plain",
        "shell",
        ("syntax error", "unexpected EOF"),
        r"(?:.{0,80}: )?(?P<message>(?:syntax error|unexpected EOF).*)",
    ),
    (
        "plain",
        "",
        (
            "No such file",
            "ermission denied",
            " directory",
            "File exists",
            "not permitted",
            "xec",
            "list too",
            "busy",
        ),
        _PROGRAM + r": (?P<message>.{0,400}?" + _ERRNO + r")$",
    ),
    ("plain", "", (": ",), _PROGRAM + r": (?P<message>" + _COMPLAINT + r".*)"),
)


# How lines end that name an error and hold no `: `; all others are turned away at once.
_WITHOUT_COLON = (
    "Error",
    "Exception",
    "Exit",
    "Interrupt",
    "Timeout",
    "FAILURE",
    "FAILED",
    "failed",
    ":",
    "stopped.",
)


class _Rule(msgspec.Struct, frozen=True):
    rank: Rank
    kind: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]


@functools.cache
def _rules() -> tuple[_Rule, ...]:
    """Compiled at the first failed command."""
    return tuple(_Rule(rank, kind, words, re.compile(text)) for rank, kind, words, text in _PATTERNS)


def read_line(line: str) -> ErrorLine | None:
    """The error this line names, or None."""
    text = line.strip()[:_LINE_CHARS]
    if ": " not in text and not text.endswith(_WITHOUT_COLON) and not text.startswith("npm "):
        return None
    for rule in _rules():
        if _has_one(rule.words, text) and (match := rule.pattern.match(text)):
            found = match.groupdict()
            return ErrorLine(
                rule.rank, found.get("kind") or rule.kind, message_of(found.get("message") or "")
            )
    return None


def _has_one(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 (any() costs more than what it looks for)
        if word in text:
            return True
    return False


def read_exception(line: str) -> ErrorLine | None:
    """The last line of a Python traceback: any dotted name, and what follows it."""
    name, _, message = line.strip()[:_LINE_CHARS].partition(": ")
    if not re.fullmatch(_NAME + ":?", name):
        return None
    return ErrorLine("exception", name.rstrip(":"), message_of(message))


@functools.cache
def _positions() -> tuple[tuple[re.Pattern[str], str], ...]:
    return (
        (re.compile(r"\b(line|column|col|char|position|offset|byte)s? \d{1,12}"), r"\1 <n>"),
        (re.compile(r"(?<=[A-Za-z_)\]]):\d{1,7}(?::\d{1,7})?(?=[\s:,)'\"]|$)"), ""),
        (re.compile(r"\b0x[0-9a-fA-F]{1,64}\b"), "<address>"),
        (re.compile(r"\b\d{1,18}\.\d{4,40}(?:[eE][+-]?\d{1,4})?"), "<float>"),
        (re.compile(r"\s{1,200}"), " "),
    )


def message_of(text: str) -> str:
    """At most 200 characters; line numbers, addresses and long fractions masked, quotes and paths kept."""
    shortened = text[: 2 * MESSAGE_CHARS]
    for pattern, mask in _positions():
        shortened = pattern.sub(mask, shortened)
    return shortened.strip()[:MESSAGE_CHARS]
