"""What changes by itself between two runs that mean the same, masked as `<kind>` in whole lines. Pure.

Masked: durations, ages, rates, clock times and dates, process ids, addresses, hex ids, temporary paths, local
ports, seeds. Counters, percentages, totals, versions, lines and columns stay: they are what progress looks
like.

Every pattern starts with a literal (over anything else the regex engine leaps), is bounded, stays within a
line, and begins and ends where a word does. No mask makes text that another would match: masks stand between
`<` and `>`, and what a pattern asks of the bytes beside it is the same before and after.
"""

from __future__ import annotations

import functools
import re

from microloop_cli.core.progress.mask_names import mask_names
from microloop_cli.core.progress.mask_numbers import mask_numbers


@functools.cache
def _padding() -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    return re.compile(rb"  (?<! ..) {0,62}(?=<time>)"), re.compile(rb"<time> {2,64}(?! )")


def mask_lines(text: bytes) -> bytes:
    """Whole lines, masked; linear, idempotent, and each line's mask depends on that line alone."""
    return _without_padding(mask_numbers(mask_names(text)))


def _without_padding(text: bytes) -> bytes:
    """Columns are padded to the width of what was masked."""
    if b"  <time>" in text:
        text = _padding()[0].sub(b" ", text)
    return _padding()[1].sub(b"<time> ", text) if b"<time>  " in text else text
