"""Payloads of the supervisor's messages to bytes and back, pure. Nonsense: ProtocolError or struct.error."""

from __future__ import annotations

from struct import Struct

from microloop_cli.guard import fields as f
from microloop_cli.guard import messages as m

NESTED_LOCAL, CAPTURE = 1, 2
HOLD_END = 1

_U8 = Struct("<B")
_CONFIG = Struct("<IIIII")
_VERDICT = Struct("<BBBI")


def pack_config(config: m.Config) -> bytes:
    flags = (NESTED_LOCAL if config.nested_local else 0) | (CAPTURE if config.capture else 0)
    fixed = _CONFIG.pack(
        flags, config.verdict_timeout_ms, config.release_timeout_ms, config.head_bytes, config.tail_bytes
    )
    return fixed + f.pack_strs(config.agent_names)


def take_config(_id: int, payload: bytes) -> m.Config:
    flags, verdict_ms, release_ms, head, tail = _CONFIG.unpack_from(payload)
    f.known_bits(flags, 3, "config flag")
    names, at = f.take_strs(payload, _CONFIG.size)
    f.must_end(payload, at)
    return m.Config(
        nested_local=bool(flags & NESTED_LOCAL),
        capture=bool(flags & CAPTURE),
        verdict_timeout_ms=verdict_ms,
        release_timeout_ms=release_ms,
        head_bytes=head,
        tail_bytes=tail,
        agent_names=names,
    )


def pack_verdict(verdict: m.ExecVerdict) -> bytes:
    flags = HOLD_END if verdict.hold_end else 0
    fixed = _VERDICT.pack(verdict.allow, f.KIND_CODES[verdict.kind], flags, verdict.step or 0)
    return fixed + f.pack_str(verdict.message)


def take_verdict(exec_id: int, payload: bytes) -> m.ExecVerdict:
    allow, kind, flags, step = _VERDICT.unpack_from(payload)
    message, end = f.take_str(payload, _VERDICT.size)
    f.must_end(payload, end)
    return m.ExecVerdict(
        exec_id=exec_id,
        allow=f.truth(allow, "allow"),
        kind=f.name_of(f.EXEC_KINDS, kind, "exec kind"),
        hold_end=bool(f.known_bits(flags, HOLD_END, "verdict flag")),
        step=step or None,
        message=message,
    )


def pack_release(message: m.Release) -> bytes:
    return f.pack_str(message.text)


def take_release(step: int, payload: bytes) -> m.Release:
    return m.Release(step=step, text=f.only_str(payload))


def pack_signal(message: m.Signal) -> bytes:
    return _U8.pack(message.signal)


def take_signal(_id: int, payload: bytes) -> m.Signal:
    (number,) = _U8.unpack(payload)
    if not 1 <= number <= f.HIGHEST_SIGNAL:
        raise f.nonsense(f"impossible signal {number}")
    return m.Signal(signal=number)


def pack_bye(_message: m.Bye) -> bytes:
    return b""


def take_bye(_id: int, payload: bytes) -> m.Bye:
    f.must_end(payload, 0)
    return m.Bye()
