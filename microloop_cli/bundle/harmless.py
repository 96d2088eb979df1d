"""Text of the agent made harmless for a terminal or a page: what acts unseen is shown instead."""

from __future__ import annotations

import re

_ACTS_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but newline and tab, DEL, C1: terminal control sequences start here
    "\xad\u180e\u200b-\u200d\u2060-\u2064\ufeff\ufff9-\ufffb"  # nothing to see, yet texts differ
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # changes the direction text is shown in
    "\u2028\u2029"  # line ends to some programs, to others none
    "\ud800-\udfff"  # lone surrogates: bytes that were no UTF-8, and cannot be printed
    "\U000e0000-\U000e007f"  # invisible copies of ASCII
    "]"
)


def harmless(text: str) -> str:
    """`text` with each such character written as `\\x1b`, `\\u202e` or `\\U000e0041`; newline and tab stay.

    The result is printable in UTF-8, and harmless once is harmless for good: f(f(x)) == f(x).
    """
    return _ACTS_UNSEEN.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
