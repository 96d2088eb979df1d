"""The lines of the ledger and their hash chain: pure functions from events to bytes and back."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Any, get_args

import msgspec

from microloop_cli.core.actions import AnyDecision, Decision
from microloop_cli.core.events import AnyFact
from microloop_cli.core.fact import Fact
from microloop_cli.errors import BundleError

FIRST_PREV = "0" * 64
LINE_LIMIT_BYTES = 4 * 1024 * 1024
"""A longer line is not one of ours: an exec's argv is cut at 32 KiB, a frame of the guard at 256 KiB."""

_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CHAIN_BYTES = len(',"prev":"') + 64 + len('","hash":"') + 64 + len('"}')
_encoder = msgspec.json.Encoder()


class LedgerProblem(BundleError):
    """A line of a ledger that is not what it should be; `message` says what."""


class Unknown(msgspec.Struct, frozen=True):
    """An event of a type this version does not know, from a later minor version."""

    type: str
    data: bytes


Event = AnyFact | AnyDecision | Unknown


class Entry(msgspec.Struct, frozen=True):
    """One line of a ledger. `at` is seconds since the run's start; `raw` the line without its newline."""

    seq: int
    at: float
    type: str
    event: Event
    prev: str
    hash: str
    raw: bytes


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int
    at: float
    type: str
    data: msgspec.Raw
    prev: str
    hash: str


_line_decoder = msgspec.json.Decoder(_Line)


def encode_line(seq: int, at: float, event: Fact | Decision, prev: str) -> tuple[bytes, str]:
    """The line of one event, newline included, and its hash (64 hex digits): the next line's `prev`."""
    start, prefix_bytes = _prefix(type(event))
    try:
        payload = _encoder.encode(event)
    except UnicodeEncodeError:
        payload = _encoder.encode(_without_surrogates(msgspec.to_builtins(event)))
    fields = payload[prefix_bytes + 1 :] or b"}"
    body = b'{"seq":%d,"at":%.6f,"type":%b,"data":{%b' % (seq, at, start, fields)
    before = prev.encode()
    digest = sha256(before + body).hexdigest()
    return b'%b,"prev":"%b","hash":"%b"}\n' % (body, before, digest.encode()), digest


def parse_line(raw: bytes) -> Entry:
    """The entry of one line, without its newline. LedgerProblem when it is not a line of a ledger.

    Fields that a known type does not have are left out, types that are not known come as Unknown: both are
    what a later minor version may add. The chain is not checked here.
    """
    try:
        line = _line_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerProblem(f"not a ledger line: {error}") from error
    decoder = event_decoders().get(line.type)
    if decoder is None:
        event: Event = _unknown(line)
    else:
        try:
            event = decoder.decode(line.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise LedgerProblem(f"the data of {line.type!r} is wrong: {error}") from error
    return Entry(line.seq, line.at, line.type, event, line.prev, line.hash, raw)


def check_entry(entry: Entry, seq: int, prev: str, not_before: float) -> str | None:
    """What is wrong with `entry`, where `seq`, `prev` and a time from `not_before` on are due; or None."""
    if entry.seq != seq:
        return f"seq is {entry.seq} where {seq} is due"
    if entry.at < not_before:
        return f"time goes back from {not_before:.6f} to {entry.at:.6f} seconds"
    if entry.prev != prev:
        return "prev is not the hash of the line before"
    body = entry.raw[:-_CHAIN_BYTES]
    if sha256(prev.encode() + body).hexdigest() != entry.hash:
        return "the hash does not fit the line"
    # What was parsed must be what was hashed: a second "seq" or a key after the chain would tell them apart.
    head = b'{"seq":%d,"at":%.6f,"type":"%b","data":{' % (entry.seq, entry.at, entry.type.encode())
    chain = b',"prev":"%b","hash":"%b"}' % (entry.prev.encode(), entry.hash.encode())
    if not body.startswith(head) or entry.raw[-_CHAIN_BYTES:] != chain:
        return "the line is not written the way microloop writes it"
    return None


@lru_cache(maxsize=1)
def event_types() -> dict[str, type[Fact] | type[Decision]]:
    """Every event type of this version, facts first, by its name in the ledger."""
    kinds = (*get_args(AnyFact), *get_args(AnyDecision))
    return {str(kind.__struct_config__.tag): kind for kind in kinds}


@lru_cache(maxsize=1)
def event_decoders() -> dict[str, msgspec.json.Decoder[Any]]:
    return {name: msgspec.json.Decoder(kind) for name, kind in event_types().items()}


@lru_cache(maxsize=64)
def _prefix(kind: type[Fact] | type[Decision]) -> tuple[bytes, int]:
    """The type's name as JSON, and how many bytes msgspec writes before the first field."""
    name = _encoder.encode(kind.__struct_config__.tag)
    return name, len(b'{"type":') + len(name)


def _unknown(line: _Line) -> Unknown:
    if not _TYPE_NAME.fullmatch(line.type):
        raise LedgerProblem(f"{line.type[:80]!r} is not the name of an event type")
    data = bytes(line.data)
    if not data.startswith(b"{"):
        raise LedgerProblem(f"the data of {line.type!r} is not an object")
    return Unknown(line.type, data)


def _without_surrogates(value: Any) -> Any:
    """Text that slipped in with bytes that are no UTF-8, written as `\\xNN` rather than losing the event."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value
