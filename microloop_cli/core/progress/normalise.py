"""Output with what changes by itself taken out, so that two runs that mean the same compare equal. Pure.

Terminal sequences go, of a line that was overwritten (carriage returns) its last state stays, and `masks`
does the rest. All of it works line by line: any chunking of the same bytes gives the same result, in linear
time and memory for one line. Normalising twice changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import msgspec

from microloop_cli.core.progress.masks import mask_lines

# Longer lines pass as they are: cut into pieces they could not be normalised twice alike.
LONGEST_MASKED_LINE_BYTES = 1 << 18
_BLOCK_BYTES = 1 << 16

# Terminal sequences: CSI; OSC and other strings up to their end; those of two bytes. A lone ESC goes too.
_ANSI = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    rb"|[\]PX^_][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"
    rb"|[ -/]{1,8}[0-~]|[0-Z\\^-~])?"
)


class Kept(msgspec.Struct, frozen=True):
    """What was kept of one stream: the first bytes, the last that are not in the head, the whole's size in
    bytes and, where head and tail are not the whole, its coarse digest in hex (see the guard's
    PROTOCOL.md)."""

    head: bytes
    tail: bytes
    total_bytes: int
    coarse: str = ""

    @property
    def is_whole(self) -> bool:
        return len(self.head) + len(self.tail) == self.total_bytes


class Normaliser:
    """Normalises a stream chunk by chunk: what `feed` and `finish` return, joined, is `normalise` of it."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._too_long = False

    def feed(self, chunk: bytes) -> bytes:
        """The normalised text of the lines that ended in this chunk, and of a line too long to wait for."""
        last = chunk.rfind(b"\n") + 1
        ended = self._end_lines(chunk[:last]) if last else b""
        self._line.append(chunk[last:])
        self._line_bytes += len(chunk) - last
        if self._line_bytes > LONGEST_MASKED_LINE_BYTES:
            self._too_long = True
        return ended + self._take_line() if self._too_long else ended

    def finish(self) -> bytes:
        """The last line, when it did not end. The normaliser is as new afterwards."""
        last = _normalise_lines(self._take_line())
        self._too_long = False
        return last

    def _end_lines(self, text: bytes) -> bytes:
        if not self._too_long:
            return _normalise_lines(self._take_line() + text)
        self._too_long = False
        first = text.index(b"\n") + 1
        return text[:first] + _normalise_lines(text[first:])

    def _take_line(self) -> bytes:
        line = b"".join(self._line)
        self._line.clear()
        self._line_bytes = 0
        return line


def normalise(text: bytes) -> bytes:
    """The text without terminal sequences and with what changes by itself masked as `<kind>`.

    Any bytes are taken. Linear in the length; idempotent.
    """
    return _normalise_lines(text)


def _normalise_lines(text: bytes) -> bytes:
    return b"".join([_normalise_block(block) for block in _blocks(text)])


def _blocks(text: bytes) -> Iterator[bytes]:
    """The text in pieces of whole lines; longer lines than a block's size stand alone."""
    if len(text) <= _BLOCK_BYTES:
        yield text
        return
    start = 0
    while start < len(text):
        end = (
            text.rfind(b"\n", start, start + _BLOCK_BYTES) + 1
            if start + _BLOCK_BYTES < len(text)
            else len(text)
        )
        if not end:
            end = text.find(b"\n", start + _BLOCK_BYTES) + 1 or len(text)
        yield text[start:end]
        start = end


def _normalise_block(block: bytes) -> bytes:
    if len(block) > _BLOCK_BYTES and len(block.rstrip(b"\n")) > LONGEST_MASKED_LINE_BYTES:
        return block
    if b"\x1b" in block:
        block = _ANSI.sub(b"", block.replace(b"\x1b[0m", b""))
    if b"\r" in block:
        block = _last_states(block.replace(b"\r\n", b"\n"))
    return mask_lines(block)


def _last_states(block: bytes) -> bytes:
    """Of each line what stood there last: progress bars go back with a carriage return and write anew."""
    if b"\r" not in block:
        return block
    return b"\n".join(
        [line.rstrip(b"\r").rpartition(b"\r")[2] if b"\r" in line else line for line in block.split(b"\n")]
    )


class Normalised(msgspec.Struct, frozen=True):
    """One stream, normalised: its whole text, or (`coarse` is not empty) its beginning and its end."""

    parts: tuple[bytes, ...] = ()
    coarse: str = ""

    @classmethod
    def of(cls, stream: Kept | None) -> Normalised:
        """A stream that was not captured has no parts."""
        if stream is None:
            return cls()
        if stream.is_whole:
            return cls((normalise(stream.head + stream.tail),))
        head, tail = _whole_lines(stream.head, stream.tail)
        return cls((normalise(head), normalise(tail)), stream.coarse)


def output_digest(stdout: Kept | None, stderr: Kept | None) -> str | None:
    """`digest_of` both; None when no stream was captured."""
    if stdout is None and stderr is None:
        return None
    return digest_of(Normalised.of(stdout), Normalised.of(stderr))


def digest_of(stdout: Normalised, stderr: Normalised) -> str:
    """64 hex digits, equal when two outputs mean the same.

    A stream kept whole counts by its normalised text. A longer one counts by its normalised beginning and end
    and by the coarse digest of the whole, in which all that holds a digit is alike: counters and totals are
    told apart in the kept parts, words everywhere.
    """
    digest = hashlib.blake2b(digest_size=32)
    for stream in (stdout, stderr):
        for part in _compared(stream):
            digest.update(b"%d:" % len(part) + part)
        digest.update(b";")
    return digest.hexdigest()


def _compared(stream: Normalised) -> tuple[bytes, ...]:
    if len(stream.parts) < 2:
        return stream.parts
    first, last = stream.parts
    return first[: _steady(len(first))], last[len(last) - _steady(len(last)) :], stream.coarse.encode()


def _steady(length: int) -> int:
    """At least half of it, and the same for lengths that differ a little: where durations have other lengths,
    head and tail are cut at other lines. 3 * 2**n, for the lengths of what was not masked lie near a 2**n."""
    return 3 << ((length // 3).bit_length() - 1) if length >= 3 else length


def _whole_lines(head: bytes, tail: bytes) -> tuple[bytes, bytes]:
    """Without the lines that were cut: half a clock time would not be known for one."""
    last = head.rfind(b"\n")
    first = tail.find(b"\n")
    return head[: last + 1] if last >= 0 else head, tail[first + 1 :] if first >= 0 else tail
