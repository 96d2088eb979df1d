"""Output with what changes by itself masked, so that two runs that mean the same compare equal. Pure.

Masked: durations, clock times and dates, marked process ids, addresses, long hex ids, temporary names, local
ports. Counters, percentages and totals stay: they are progress. Every pattern is bounded or starts where no
other match can, so that the time is linear; no mask can make new text that another would match, so that
normalising twice changes nothing.
"""

from __future__ import annotations

import functools
import hashlib
import re

import msgspec

# Terminal sequences: CSI; OSC and other strings up to their end; those of two bytes. A lone ESC goes too.
_ANSI = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    rb"|[\]PX^_][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"
    rb"|[ -/]{1,8}[0-~]|[0-Z\\^-~])?"
)
_LINE_END = re.compile(rb"(?<!\r)\r+\n")

_NUMBER = rb"\d{1,18}(?:[.,]\d{1,18})?"
_ZONE = rb"(?: ?(?:Z|UTC|GMT|[AaPp][Mm])(?![A-Za-z0-9_])|[+-]\d\d:?\d\d(?!\d))?"
_CLOCK = rb"[0-2]?\d:[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?" + _ZONE
_DAY = rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
_MONTH = (
    rb"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    rb"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_UNIT = (
    rb"(?:ns|us|\xc2\xb5s|\xce\xbcs|ms|msecs?|secs?|seconds?|milliseconds?|microseconds?|minutes?|mins?|hours?|hrs?"
    rb"|user|system|elapsed|s)"
)

# Masks that begin with a letter or digit where a word begins and end where one ends; tried in this order.
_WORDS: tuple[tuple[str, bytes], ...] = (
    ("uuid", rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("address", rb"0[xX][0-9a-fA-F]{6,64}"),
    (
        "date",
        rb"(?<!\.)\d{4}(?P<separator>[-/])(?:0\d|1[0-2])(?P=separator)[0-3]\d(?:[T ,]{1,2}" + _CLOCK + rb")?",
    ),
    (
        "when",
        _DAY + rb"(?:" + _MONTH + rb"\.? {1,2}[0-3]?\d|[0-3]?\d " + _MONTH + rb"),? "
        rb"(?:" + _CLOCK + rb"(?: [A-Z]{3,4})?(?: \d{4})?|[0-2]\d:[0-5]\d|\d{4}(?: " + _CLOCK + rb")?)",
    ),
    # Two parts are no clock without a fraction: `12:30` is as often a line and a column.
    ("clock", rb"(?<![.:])(?:" + _CLOCK + rb"|\d{1,4}:[0-5]\d\.\d{1,9}(?:elapsed)?)(?!:)"),
    ("time", rb"(?<!\.)(?:\d{1,9}d ?)?(?:\d{1,9}h ?)?(?:\d{1,9}m ?)?" + _NUMBER + rb"s"),
    ("duration", rb"(?<!\.)" + _NUMBER + rb" ?" + _UNIT),
    ("field", rb"(?:duration_m?s[ :=]{1,2}|(?:duration|time)(?:=\"?|\": ?|: ?))" + _NUMBER + rb"(?![.,])"),
    ("hex", rb"(?=[a-fA-F]{0,64}\d)(?=\d{0,64}[a-fA-F])[0-9a-fA-F]{8,128}"),
    ("pid", rb"(?:pid|PID|Pid)[ =:#(]{0,3}\d{1,10}"),
    ("port", rb"(?:localhost|127\.0\.0\.1|0\.0\.0\.0):\d{2,5}"),
    ("pytest", rb"pytest-of-[A-Za-z0-9_.]{1,64}/pytest-\d{1,10}"),
)
# Masks that begin with a sign of their own.
_SIGNED: tuple[tuple[str, bytes], ...] = (
    ("marked", rb"==\d{1,10}=="),
    ("process", rb"/proc/\d{1,10}(?![A-Za-z0-9_])"),
    ("local", rb"\[::1?\]:\d{2,5}(?![A-Za-z0-9_])"),
    (
        "tmp",
        rb"/tmp/(?:tmp[A-Za-z0-9_]{6,64}|tmp\.[A-Za-z0-9]{6,64}|cc[A-Za-z0-9]{6}|go-build\d{1,20})(?![A-Za-z0-9_])",
    ),
)


def _any_of(kinds: tuple[tuple[str, bytes], ...]) -> bytes:
    return b"|".join(b"(?P<%s>%s)" % (name.encode(), pattern) for name, pattern in kinds)


@functools.cache
def _masks() -> re.Pattern[bytes]:
    """Compiled at the first output and not at the import: it takes longer than most of a run's start."""
    return re.compile(
        rb"(?<![A-Za-z0-9_])(?=[0-9A-Za-z])(?:"
        + _any_of(_WORDS)
        + rb")(?![A-Za-z0-9_])|(?=[=/\[])(?:"
        + _any_of(_SIGNED)
        + rb")"
    )


_SAME_MASK = {"duration": "time", "field": "time", "marked": "pid", "process": "pid", "local": "port"}
_MASK_OF = {name: b"<%s>" % _SAME_MASK.get(name, name).encode() for name, _ in (*_WORDS, *_SIGNED)}


class Kept(msgspec.Struct, frozen=True):
    """What was kept of one stream: the first bytes, the last that are not in the head, and the whole's size
    in bytes and BLAKE2b-256 in hex."""

    head: bytes
    tail: bytes
    total_bytes: int
    blake2b: str

    @property
    def is_whole(self) -> bool:
        return len(self.head) + len(self.tail) == self.total_bytes


def normalise(text: bytes) -> bytes:
    """The text without terminal sequences and with what changes by itself masked as `<kind>`.

    Any bytes are taken. Linear in the length; idempotent.
    """
    plain = _LINE_END.sub(b"\n", _ANSI.sub(b"", text))
    return _masks().sub(_mask, plain)


def output_digest(stdout: Kept | None, stderr: Kept | None) -> str | None:
    """64 hex digits, equal when two outputs mean the same; None when no stream was captured.

    A stream kept whole counts by its normalised text. Of a longer one the middle is not known, so beside the
    normalised head and tail its exact size counts, or, when nothing in them had to be masked, the hash of the
    whole: two equal outputs are rather taken for different ones than two different ones for a repeat.
    """
    if stdout is None and stderr is None:
        return None
    digest = hashlib.blake2b(digest_size=32)
    for stream in (stdout, stderr):
        for part in _parts(stream):
            digest.update(b"%d:" % len(part) + part)
        digest.update(b";")
    return digest.hexdigest()


def _parts(stream: Kept | None) -> tuple[bytes, ...]:
    if stream is None:
        return ()
    if stream.is_whole:
        return (normalise(stream.head + stream.tail),)
    head, tail = _whole_lines(stream.head, stream.tail)
    masked = normalise(head), normalise(tail)
    whole = b"%d" % stream.total_bytes if masked != (head, tail) else stream.blake2b.encode()
    return (*masked, whole)


def _whole_lines(head: bytes, tail: bytes) -> tuple[bytes, bytes]:
    """Without the lines that were cut: half a clock time would not be known for one."""
    last = head.rfind(b"\n")
    first = tail.find(b"\n")
    return head[: last + 1] if last >= 0 else head, tail[first + 1 :] if first >= 0 else tail


def _mask(match: re.Match[bytes]) -> bytes:
    return _MASK_OF[match.lastgroup or ""]
