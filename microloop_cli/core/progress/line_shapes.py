"""Lines that are equal but for their digits are masked alike: what was found in one serves for all. Pure.

Logs are made of few shapes, and looking one up costs a fraction of the patterns. What is remembered is
bounded; it changes how long masking takes and never what it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

import msgspec

SHAPES_KEPT = 1_024
LONGEST_SHAPE_BYTES = 512
# Of a block whose lines are mostly new so many are learnt; most of all shapes come again within a few lines.
_LEARNT_PER_BLOCK = 32

# Where something is masked, up to where, and the mask.
Span = tuple[int, int, bytes]


class Shape(msgspec.Struct, frozen=True):
    """How the lines of one shape are masked: `text` is the result, with places for what `kept` takes out of
    the line, if anything. Without a text they stay as they are."""

    text: bytes | None = None
    kept: Callable[[bytes], object] | None = None

    @classmethod
    def of(cls, zeroed: bytes, spans: list[Span]) -> Shape:
        """zeroed: such a line with each digit as 0. spans: what is masked, in order."""
        if not spans:
            return cls()
        text, pieces, done = b"", [], 0
        for start, end, mask in [*spans, (len(zeroed), len(zeroed), b"")]:
            piece = zeroed[done:start]
            if b"0" in piece:
                pieces.append(slice(done, start))
                piece = b"%b"
            else:
                piece = piece.replace(b"%", b"%%")
            text += piece + mask
            done = end
        return cls(text, itemgetter(*pieces)) if pieces else cls(text.replace(b"%%", b"%"))


class Shapes:
    """The shapes met so far. masked: masks any text, given with its digits as 0; shape: see `Shape`, None for
    a line whose digits must be looked at."""

    def __init__(
        self, masked: Callable[[bytes, bytes], bytes], shape: Callable[[bytes], Shape | None]
    ) -> None:
        self._masked = masked
        self._shape = shape
        self._known: dict[bytes, Shape | None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def masked(self, text: bytes, zeroed: bytes) -> bytes:
        """The text masked; by its shapes when nearly all of them are known."""
        zeroed_lines = zeroed.split(b"\n")
        shapes = list(map(self._known.get, zeroed_lines))
        if 8 * shapes.count(None) > len(shapes):
            self._learn(zeroed_lines)
            return self._masked(text, zeroed)
        lines = text.split(b"\n")
        for at, shape in enumerate(shapes):
            if shape is None:
                lines[at] = self._masked(lines[at], zeroed_lines[at])
            elif shape.kept is not None:
                lines[at] = shape.text % shape.kept(lines[at])  # type: ignore[operator]
            elif shape.text is not None:
                lines[at] = shape.text
        return b"\n".join(lines)

    def _learn(self, zeroed_lines: list[bytes]) -> None:
        if len(self._known) > SHAPES_KEPT:
            self._known.clear()
        new = {line for line in zeroed_lines if line not in self._known and len(line) <= LONGEST_SHAPE_BYTES}
        for line, _ in zip(new, range(_LEARNT_PER_BLOCK), strict=False):
            self._known[line] = self._shape(line)
