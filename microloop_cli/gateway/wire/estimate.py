"""Tokens guessed from bytes, on the high side: for reservations, and where a server does not count.

Text: 3 bytes a token. English prose and code have 3.5 to 5, Chinese about 3; only text that is mostly digits
or random (base64, hashes) has fewer, so this is no bound for such text. Media have flat rates, see below.
What is kept at the provider (previous_response_id, cached content by name) is not seen, and not counted.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

BYTES_PER_TOKEN = 3
# An image: most models charge 260 to 5,000 tokens; gpt-4o-mini charges up to 48,000 and is underestimated.
IMAGE_TOKENS = 5_000
# Audio and video, in bytes of base64 a token: about 32 tokens a second at 0.6 kB/s, 300 at 5 kB/s. What is
# encoded better than that is longer than we think; everything usual is shorter.
RECORDING_BYTES_PER_TOKEN = 24
# Something the provider fetches or has: an image by URL, a file by id. Long documents are underestimated.
REMOTE_TOKENS = 5_000

_MIN_MEDIA_BYTES = 64
# Beyond so many, media count as text and references are free: a body made of them must not hold up the rest.
_MOST_MEDIA = 100_000
_BASE64 = re.compile(rb"[A-Za-z0-9+/=_\\-]*")
_BASE64_TEXT = re.compile(r"[A-Za-z0-9+/=_\r\n-]*")
_DATA_KEY = re.compile(rb'"data"\s*:\s*"')
_REMOTE_URL = re.compile(rb'url"\s*:\s*"https?:')
_REMOTE_KEYS = (b'"file_id"', b'"fileUri"', b'"file_uri"')
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_MPEG_AUDIO = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9")
_RECORDINGS = (b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", *_MPEG_AUDIO)
_STILL_BRANDS = (b"heic", b"heix", b"mif1", b"avif")
# Values that say what something is and are no output: not billed, or no more than a token or two.
_LABELS = frozenset(
    {"role", "id", "type", "object", "index", "finish_reason", "finishReason", "call_id", "item_id", "model"}
    | {"mimeType", "mime_type", "status", "logprobs", "logprobsResult", "safetyRatings", "safety_ratings"}
)
# Arguments of a tool call that come as JSON, not as a string: written by the model, keys and all.
_ARGUMENTS = frozenset({"args", "arguments", "input"})
_PUNCTUATION_BYTES = 6  # "":"",


def tokens_of(text_bytes: int) -> int:
    """Tokens of that much text, rounded up."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def input_tokens(body: bytes) -> int:
    """Tokens of a request. All its JSON counts as text, keys and tool definitions too, but for media.

    Reads the body in place, in time linear in its length.
    """
    media_bytes = tokens = 0
    for size, head in islice(_media(body), _MOST_MEDIA):
        cost = media_tokens(head, size)
        if cost is not None:
            media_bytes += size
            tokens += cost
    remote = sum(body.count(key) for key in _REMOTE_KEYS) + sum(
        1 for _ in islice(_REMOTE_URL.finditer(body), _MOST_MEDIA)
    )
    return tokens_of(len(body) - media_bytes) + tokens + remote * REMOTE_TOKENS


def _media(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Size and beginning of the base64 strings: data URLs, and members called "data"; of all else size 0."""
    at = 0
    while (at := body.find(b";base64,", at)) >= 0:
        at += len(b";base64,")
        yield _run(body, at)
    at = 0
    while (at := body.find(b'"data"', at)) >= 0:
        opened = _DATA_KEY.match(body, at)
        at = opened.end() if opened else at + 1
        yield _run(body, at) if opened else (0, b"")


def _run(body: bytes, start: int) -> tuple[int, bytes]:
    found = _BASE64.match(body, start)
    end = found.end() if found else start
    whole = end - start >= _MIN_MEDIA_BYTES and body[end : end + 1] == b'"'
    return (end - start, body[start : start + 32].replace(b"\\", b"")) if whole else (0, b"")


def media_tokens(head: bytes, size: int) -> int | None:
    """Tokens of `size` bytes of base64 beginning with `head`, by what they are, not by what they are called.

    None when they are neither image, audio nor video (documents, text): then they count as text.
    """
    try:
        magic = binascii.a2b_base64(head[:24].translate(bytes.maketrans(b"-_", b"+/")))
    except binascii.Error:
        return None
    if magic.startswith(_IMAGES) or (magic[:4] == b"RIFF" and magic[8:12] == b"WEBP"):
        return IMAGE_TOKENS
    if magic[4:8] == b"ftyp" and magic[8:12] in _STILL_BRANDS:
        return IMAGE_TOKENS
    is_wave = magic[:4] == b"RIFF" and magic[8:12] == b"WAVE"
    if is_wave or magic[4:8] == b"ftyp" or magic.startswith(_RECORDINGS):
        return -(-size // RECORDING_BYTES_PER_TOKEN)
    return None


def text_bytes(value: Any) -> int:
    """Bytes of all text in decoded JSON, keys and labels left out but in arguments of tool calls.

    Media count as the text that costs as much.
    """
    total = 0
    waiting = [(value, False)]
    while waiting:
        here, whole = waiting.pop()
        if isinstance(here, str):
            total += _size(here)
        elif isinstance(here, dict):
            total += sum(len(key) + _PUNCTUATION_BYTES for key in here) if whole else 0
            waiting.extend(
                (each, whole or key in _ARGUMENTS)
                for key, each in here.items()
                if whole or key not in _LABELS
            )
        elif isinstance(here, list):
            waiting.extend((each, whole) for each in here)
        elif isinstance(here, (int, float)) and not isinstance(here, bool):
            total += BYTES_PER_TOKEN
    return total


def _size(string: str) -> int:
    if len(string) >= _MIN_MEDIA_BYTES:
        data = string.partition(";base64,")[2] if string.startswith("data:") else string
        head = data[:32]
        if head.isascii() and _BASE64_TEXT.fullmatch(data):
            cost = media_tokens(head.encode(), len(data))
            if cost is not None:
                return cost * BYTES_PER_TOKEN
    return len(string) if string.isascii() else len(string.encode("utf-8", "surrogatepass"))
