"""Tool calls of an answer that are still being written."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.reading import decode
from microloop_cli.gateway.wire.tools.asked_for import AskedFor
from microloop_cli.gateway.wire.tools.texts import MAX_ARGUMENTS

# Open at once. Together with MAX_ARGUMENTS this bounds what an answer may make us hold.
MAX_OPEN = 128


class Pending:
    """One call, put together from its pieces."""

    def __init__(self, own: str, name: str, *, free_text: bool = False) -> None:
        self.own = own
        self.name = name
        self.free_text = free_text
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        piece = piece[: MAX_ARGUMENTS - self._size]
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)

    def written(self) -> str:
        joined = "".join(self._pieces)
        self._pieces = [joined]
        return joined

    def looks_whole(self) -> bool:
        """Whether its arguments are a JSON object; nobody knows of free text."""
        written = self.written()
        if self.free_text or not written.rstrip().endswith("}"):
            return False
        return decode(written.encode(), dict[str, Any]) is not None

    def asked_for(self, otherwise: str = "{}") -> AskedFor:
        written = self.written()
        if self.free_text:
            written = msgspec.json.encode({"input": written}).decode()
        return AskedFor(self.own, self.name, written or otherwise)
