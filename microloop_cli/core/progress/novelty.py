"""How much of an output is new: lines that no earlier step had shown, remembered in bounded memory. Pure."""

from __future__ import annotations

LINES_LOOKED_AT = 4096
HASHES_PER_GENERATION = 16_384
_SHORTEST_LINE = 3


class SeenLines:
    """The lines a run has shown, as 64-bit hashes in two generations: about the last 16,384 different ones,
    at most twice as many, below 4 MB however long the run.

    Python's own hash serves: its seed differs between processes, but only equality counts here, and two
    different lines fall together once in 2**64.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._older: set[int] = set()

    def gain(self, normalised: bytes) -> tuple[int, int]:
        """(different lines, those of them never seen before); lines below 3 bytes do not count.

        Of an output of more than 4,096 lines the first and the last 2,048 are looked at.
        """
        lines = {hash(line) for line in map(bytes.strip, _ends(normalised)) if len(line) >= _SHORTEST_LINE}
        unknown = lines - self._recent
        new = len(unknown - self._older)
        self._remember(unknown)
        return len(lines), new

    def _remember(self, hashes: set[int]) -> None:
        if len(self._recent) + len(hashes) > HASHES_PER_GENERATION:
            self._older, self._recent = self._recent, set()
        self._recent |= hashes


def _ends(text: bytes) -> list[bytes]:
    if text.count(b"\n") < LINES_LOOKED_AT:
        return text.split(b"\n")
    half = LINES_LOOKED_AT // 2
    return text.split(b"\n", half)[:half] + text.rsplit(b"\n", half)[1:]
