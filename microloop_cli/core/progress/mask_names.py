"""Names made up anew each time (hex ids, temporary paths), and what single programs say. Pure; see masks."""

from __future__ import annotations

import functools
import re
import string

_HEX = frozenset(b"0123456789abcdefABCDEF")
_WORD = frozenset((string.ascii_letters + string.digits + "_").encode())
_END = rb"(?![A-Za-z0-9_])"
_TIMER = rb"(?:--|[0-9]{1,3}):(?:--|[0-9]{2}):(?:--|[0-9]{2})"


def _shape_of(byte: int) -> int:
    """Hex digits become 0, other bytes of words g; `-` and newline stay; the rest, between words, a space."""
    if byte in _HEX:
        return ord("0")
    return ord("g") if byte in _WORD else byte if byte in b"-\n" else ord(" ")


_HEX_SHAPE = bytes(map(_shape_of, range(256)))
_DIGITS = b"0123456789"
_SHORTEST_HEX = b"0" * 8

_RANDOM = (
    rb"(?:[0-9]{4,20}|(?=[A-Za-z0-9]{0,9}(?:[0-9][A-Za-z]|[a-z][A-Z]))"
    rb"(?:[A-Za-z0-9]{10}|[A-Za-z0-9]{8}|[A-Za-z0-9]{6}))" + _END
)
# What must be in the text for a pattern to be tried (part of every match of it); the pattern; the mask.
_RULES: tuple[tuple[bytes, bytes, bytes], ...] = (
    # Java's hash codes, where hex ids would be too short.
    (b"@", rb"@(?<=[A-Za-z0-9_\];]@)(?=[a-f]{0,7}[0-9])[0-9a-f]{5,8}(?![A-Za-z0-9_.])", b"@<hex>"),
    (
        b"/tmp",
        rb"/tmp(?:[a-z0-9_]{8}|(?=[a-z_]{0,15}[0-9])[a-z0-9_]{9,16}|/(?:tmp\.[A-Za-z0-9]{6,64}|(?:cc|rustc)[A-Za-z0-9]{6}|go-build[0-9]{1,20}))"
        + _END,
        b"/<tmp>",
    ),
    (b"/tmp/", rb"(/tmp/[A-Za-z0-9_.-]{0,64}?[-_.])" + _RANDOM, rb"\1<hex>"),
    (b"/var/folders/", rb"/var/folders/[A-Za-z0-9_+]{1,4}/[A-Za-z0-9_+]{1,64}", b"/var/folders/<tmp>"),
    # go test shows it in place of a duration; docker ps has words for ages.
    (b"\t(cached)", rb"\t\(cached\)", b"\t<time>"),
    (b"About a", rb"About a(?<![A-Za-z0-9_]About a)n? (?:minute|hour)" + _END, b"<time>"),
    (b"Less than a second", rb"Less than a second(?<![A-Za-z0-9_]Less than a second)" + _END, b"<time>"),
    # curl's meter: average rates, then time in total, spent and left, then the rate.
    (
        b"--:--",
        rb"[0-9](?<![A-Za-z0-9_.].)[0-9.]{0,5}[kMG]? {1,6}[0-9.]{1,6}[kMG]? {1,3}(?:"
        + _TIMER
        + rb" {1,2}){3} {0,5}"
        rb"[0-9.]{1,6}[kMG]?" + _END,
        b"<time>",
    ),
)

# One byte is looked for much faster than several.
_SIGNED = tuple((needle[:1], needle, pattern, mask) for needle, pattern, mask in _RULES)


@functools.cache
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    """At its first use: most programs' outputs never need most of the rules."""
    return re.compile(pattern)


_ID = rb"00000000(?<![0g]........)(?:(?P<uuid>-0000-0000-0000-000000000000)|0{0,120})(?![0g])"


def mask_names(text: bytes) -> bytes:
    """Whole lines with ids, temporary paths and the like masked."""
    for sign, needle, pattern, mask in _SIGNED:
        if sign in text and needle in text:
            text = _compiled(pattern).sub(mask, text)
    return _mask_ids(text)


def _mask_ids(text: bytes) -> bytes:
    """UUIDs, and words of 8 to 128 hex digits."""
    shape = text.translate(_HEX_SHAPE)
    if _SHORTEST_HEX not in shape:
        return text
    parts: list[bytes] = []
    done = 0
    for match in _compiled(_ID).finditer(shape):
        start, end = match.span()
        if match.lastindex:
            mask = b"<uuid>"
        else:
            inner = text[start:end].strip(_DIGITS)
            if (len(inner) < 2 or inner.isalpha()) and _is_number_or_word(text, start, end, inner):
                continue
            mask = b"<hex>"
        parts += (text[done:start], mask)
        done = end
    return b"".join((*parts, text[done:])) if parts else text


def _is_number_or_word(text: bytes, start: int, end: int, inner: bytes) -> bool:
    """`12345678`, the digits of `0.12345678e-05`, `effaced`. inner: without the digits at its ends."""
    if len(inner) > 1:
        return len(inner) == end - start and inner.isalpha()
    # One letter within digits: a number when it is the e of an exponent, and looks it.
    return not inner or (
        inner in b"eE" and (text[max(start - 1, 0) : start] == b"." or text[end : end + 1] in (b"-", b"+"))
    )
