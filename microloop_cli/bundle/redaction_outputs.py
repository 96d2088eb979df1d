"""Kept outputs without secrets, also where one was cut, between head and tail. Pure."""

from __future__ import annotations

import re

from microloop_cli.bundle.redaction import Redactor

CUT = b"<redacted:cut>"
_EDGE_BYTES = 4_096
_SHORTEST_PIECE_CHARS = 4
_ROW_AT_END = re.compile(r"[A-Za-z0-9+/=_.-]{10,}\Z")
_KNOWN_START = re.compile(r"(?:A[KS]IA|AIza|eyJ|SG\.)[A-Za-z0-9_.-]*\Z")
_ROW_AT_START = re.compile(r"\A[A-Za-z0-9+/=_.-]{16,}")
# Behind the beginning of a secret one of these makes it whole.
_CONTINUATIONS = (b"0a1b2c3d4e5f6a7b8c9d" * 5, b"0aB1cD2eF3" * 2 + b".eyJhbGciOiJI0" + b".0aB1cD2eF3" * 4)
_LAST_WORD = re.compile(rb"[^\s]{1,4096}\Z")
_FIRST_WORD = re.compile(rb"\A[^\s\"'`<>(){}\[\],;]{1,4096}")
_KEY_END = re.compile(
    rb"\A[A-Za-z0-9+/=\s\\\"',]{1,16384}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
)


def redacted_output(redactor: Redactor, head: bytes, tail: bytes, *, is_whole: bool) -> tuple[bytes, bytes]:
    """Head and tail as they may be stored; the very same objects when there is no secret in them.

    Where they are the whole, a secret that lies in both is seen; then all of it is in the head. Where they
    are not, what could be the beginning of a secret at the head's end, or the rest of one where the tail
    begins, is taken out, too.
    """
    if is_whole:
        whole = head + tail if tail else head
        redacted = redactor.data(whole)
        return (head, tail) if redacted is whole else (redacted, b"")
    return _without_end(redactor, redactor.data(head)), _without_beginning(redactor, redactor.data(tail))


def _without_end(redactor: Redactor, head: bytes) -> bytes:
    word = _last_word(head)
    if not word or head.endswith(b">"):
        return head
    text = word.decode("utf-8", "surrogateescape")
    is_piece = _could_be_a_piece(text, _ROW_AT_END) or _KNOWN_START.search(text) is not None
    if is_piece or any(_starts_at_end(form, text) for form in redactor.forms):
        return head[: len(head) - len(word)] + CUT
    for more in _CONTINUATIONS:
        if not redactor.data(word + more).endswith(more):
            return head[: len(head) - len(word)] + CUT
    return head


def _without_beginning(redactor: Redactor, tail: bytes) -> bytes:
    key = _KEY_END.match(tail)
    if key is not None:
        return CUT + tail[key.end() :]
    word = _FIRST_WORD.match(tail)
    if word is None:
        return tail
    text = word[0].decode("utf-8", "surrogateescape")
    if _could_be_a_piece(text, _ROW_AT_START) or any(_ends_at_start(form, text) for form in redactor.forms):
        return CUT + tail[word.end() :]
    return tail


def _last_word(head: bytes) -> bytes:
    found = _LAST_WORD.search(head[-_EDGE_BYTES:].rpartition(b"\n")[2])
    return found[0] if found is not None else b""


def _starts_at_end(form: str, text: str) -> bool:
    return any(text.endswith(form[:size]) for size in range(_SHORTEST_PIECE_CHARS, len(form)))


def _ends_at_start(form: str, text: str) -> bool:
    return any(text.startswith(form[-size:]) for size in range(_SHORTEST_PIECE_CHARS, len(form)))


def _could_be_a_piece(text: str, place: re.Pattern[str]) -> bool:
    """A piece of a secret need have no mark of its own: letters and digits in one long row."""
    row = place.search(text)
    if row is None:
        return False
    return any(char.isdigit() for char in row[0]) and any(char.isalpha() for char in row[0])
