"""Numbers that change by themselves: times, rates, process ids, addresses, ports, seeds. Pure; see masks."""

from __future__ import annotations

import functools
import re

from microloop_cli.core.progress.line_shapes import Shape, Shapes, Span
from microloop_cli.core.progress.number_patterns import BEFORE_DAY, NUMBERS

_LONGEST_BEFORE_DAY = 24
_EPOCH_STARTS = frozenset({b"16", b"17", b"18", b"19"})
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_MASKS = {"address": b"<address>", "constant": b"<n>", "named": b"<n>", "suffix": b"<n>"}
# In less text few lines have the shape of another.
_MANY_LINES_BYTES = 1 << 14
# Where digits are rarer than one byte in so many, the patterns have little to do.
_MANY_DIGITS = 12


@functools.cache
def _numbers() -> tuple[re.Pattern[bytes], list[bytes], int, int]:
    """The pattern, the mask of each of its groups (0: none), and which groups are `day` and `epoch`.

    Compiled at the first output and not at the import: it takes longer than most of a run's start.
    """
    numbers = re.compile(NUMBERS)
    masks = [b"<time>", *(_MASKS.get(group, b"<time>") for group in numbers.groupindex)]
    return numbers, masks, numbers.groupindex["day"], numbers.groupindex["epoch"]


@functools.cache
def _before_day() -> re.Pattern[bytes]:
    return re.compile(BEFORE_DAY)


def mask_numbers(text: bytes) -> bytes:
    """Whole lines with their times, dates, rates, process ids, addresses, local ports and seeds masked."""
    zeroed = text.translate(_ZEROS)
    if len(text) < _MANY_LINES_BYTES or zeroed.count(b"0") < len(text) // _MANY_DIGITS:
        return _masked(text, zeroed)
    return _shapes().masked(text, zeroed)


@functools.cache
def _shapes() -> Shapes:
    return Shapes(_masked, _shape)


def _masked(text: bytes, zeroed: bytes) -> bytes:
    numbers, masks, day, epoch = _numbers()
    parts: list[bytes] = []
    done = 0
    for match in numbers.finditer(zeroed):
        start, end = match.span()
        kind = match.lastindex
        if kind is None:
            mask = b"<time>"
        elif kind == epoch and text[start : start + 2] not in _EPOCH_STARTS:
            continue
        else:
            mask = masks[kind]
            start = _start_of_date(text, done, start) if kind == day else start
        parts += (text[done:start], mask)
        done = end
    return b"".join((*parts, text[done:])) if parts else text


def _shape(zeroed: bytes) -> Shape | None:
    """What is masked in all lines that are this one but for their digits; None when it depends on these."""
    numbers, masks, day, epoch = _numbers()
    spans: list[Span] = []
    done = 0
    for match in numbers.finditer(zeroed):
        start, end = match.span()
        kind = match.lastindex or 0
        if kind == epoch:
            return None
        spans.append((_start_of_date(zeroed, done, start) if kind == day else start, end, masks[kind]))
        done = end
    return Shape.of(zeroed, spans)


def _start_of_date(text: bytes, done: int, day: int) -> int:
    before = text[max(done, day - _LONGEST_BEFORE_DAY) : day]
    match = _before_day().search(before)
    return day - len(before) + match.start() if match else day
