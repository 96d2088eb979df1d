"""Takes the content coding off an answer as it comes, in pieces of bounded size. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 256 * 1024
_GZIP, _ZLIB, _RAW = 31, 15, -15


class BadCoding(Exception):
    """The content is not in the coding that its header names, or in none that is known here."""


class Plain:
    """No coding at all."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        return


class Inflated:
    """gzip or deflate (with zlib's header or, as some servers send it, without)."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._inflate = zlib.decompressobj(window_bits)
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What this chunk holds, in pieces of PIECE_BYTES at most. Raises BadCoding."""
        if not chunk:
            return
        if not self._begun and self._window_bits == _ZLIB and chunk[0] & 0x0F != 8:
            self._inflate = zlib.decompressobj(_RAW)
        self._begun = True
        waiting = chunk
        while waiting and not self._inflate.eof:
            try:
                piece = self._inflate.decompress(waiting, PIECE_BYTES)
            except zlib.error as error:
                raise BadCoding(str(error)) from None
            waiting = self._inflate.unconsumed_tail
            if not piece and not self._inflate.eof:
                break
            yield piece
        if self._inflate.eof and self._inflate.unused_data.strip(b"\0"):
            raise BadCoding("there is more after its end")

    def finish(self) -> None:
        """BadCoding when the end did not come."""
        if self._begun and not self._inflate.eof:
            raise BadCoding("it ends in the middle")


def decoder(coding: str) -> Plain | Inflated:
    """For the value of a Content-Encoding header. BadCoding for what we did not ask for."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return Plain()
    if name in ("gzip", "x-gzip"):
        return Inflated(_GZIP)
    if name == "deflate":
        return Inflated(_ZLIB)
    raise BadCoding(f"content coding {name[:40]!r}")
