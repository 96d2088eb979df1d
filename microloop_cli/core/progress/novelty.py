"""How much of an output is new: lines that no earlier step had shown, remembered in bounded memory. Pure."""

from __future__ import annotations

LINES_LOOKED_AT = 4096
# So many different lines are remembered at least, twice as many at most: one set of them stays in the caches.
LINES_REMEMBERED = 4_096
_BLANK = hash(b"")


class SeenLines:
    """The lines a run has shown lately, as 64-bit hashes: at least the last 4,096 different ones, below 4 MB
    however long the run.

    Python's own hash serves: its seed differs between processes, but only equality counts here, and two
    different lines fall together once in 2**64.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        # What was shown since half of the room was taken; it takes over when all of it is.
        self._since: set[int] = set()

    def gain(self, normalised: bytes) -> tuple[int, int]:
        """(different lines, those of them never seen before); blank lines do not count.

        Of an output of more than 4,096 lines the first and the last 2,048 are looked at.
        """
        lines = set(map(hash, map(bytes.strip, _ends(normalised))))
        lines.discard(_BLANK)
        seen = self._seen
        known = len(seen)
        seen |= lines
        if len(seen) > LINES_REMEMBERED:
            self._since |= lines
            if len(seen) > 2 * LINES_REMEMBERED:
                self._seen, self._since = self._since, set()
        return len(lines), len(seen) - known


def _ends(text: bytes) -> list[bytes]:
    if text.count(b"\n") < LINES_LOOKED_AT:
        return text.split(b"\n")
    half = LINES_LOOKED_AT // 2
    return text.split(b"\n", half)[:half] + text.rsplit(b"\n", half)[1:]
