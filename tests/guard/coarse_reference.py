"""The coarse digest as PROTOCOL.md defines it, written for reading."""

from __future__ import annotations

import re
import struct

_K0, _K1 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_MASK = 2**64 - 1
_WORD = re.compile(rb"[A-Za-z0-9_]+(?:(?<=[0-9])[.,](?=[0-9])[A-Za-z0-9_]+)*")
_HEX_LETTERS = re.compile(rb"[a-fA-F]{4,}")


def canonical(text: bytes) -> bytes:
    """The text without the CR of a CR LF, and with `#` for every word that holds a digit or is only a-f."""
    return _WORD.sub(_sign, re.sub(rb"\r(?=\n)", b"", text))


def coarse(text: bytes) -> bytes:
    """16 bytes: the hash of the canonical text."""
    whole = canonical(text)
    h0, h1 = _K1, _K0
    padded = whole + bytes(-len(whole) % 16)
    words = struct.unpack(f"<{len(padded) // 8}Q", padded)
    for a, b in [*zip(words[::2], words[1::2], strict=True), (len(whole), ~len(whole) & _MASK)]:
        h0 = (_rotate(h0, 29) + _fold(a ^ _K0, b ^ h0)) & _MASK
        h1 = (_rotate(h1, 31) + _fold(b ^ _K1, a ^ h1)) & _MASK
    return struct.pack("<QQ", h0, h1)


def _sign(word: re.Match[bytes]) -> bytes:
    volatile = re.search(rb"[0-9]", word[0]) or _HEX_LETTERS.fullmatch(word[0])
    return b"#" if volatile else word[0]


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


def _fold(a: int, b: int) -> int:
    product = a * b
    return product & _MASK ^ product >> 64
