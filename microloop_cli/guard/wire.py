"""Framing of the guard's protocol, pure: bytes in, messages out. See sandboxes/guard/PROTOCOL.md."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple, TypeVar, overload

from microloop_cli.errors import ProtocolError
from microloop_cli.guard import guard_payloads as g
from microloop_cli.guard import supervisor_payloads as s
from microloop_cli.guard.messages import (
    VERSION,
    AgentExit,
    Bye,
    Cancel,
    Capability,
    Config,
    Exec,
    ExecVerdict,
    Fatal,
    GuardMessage,
    Hello,
    LateOutput,
    Message,
    Notice,
    Output,
    Part,
    Release,
    Signal,
    StartFailed,
    StepEnd,
    StreamEnd,
    StreamName,
    SupervisorMessage,
)

__all__ = [
    "MAX_PAYLOAD_BYTES",
    "VERSION",
    "AgentExit",
    "Bye",
    "Cancel",
    "Capability",
    "Config",
    "Decoder",
    "Exec",
    "ExecVerdict",
    "Fatal",
    "GuardMessage",
    "Hello",
    "LateOutput",
    "Message",
    "Notice",
    "Output",
    "Part",
    "Release",
    "Side",
    "Signal",
    "StartFailed",
    "StepEnd",
    "StreamEnd",
    "StreamName",
    "SupervisorMessage",
    "encode",
]

MAX_PAYLOAD_BYTES = 262_144
Side = Literal["guard", "supervisor"]

_HEADER = struct.Struct("<IBBHQ")
_HEADER_BYTES = _HEADER.size
_M = TypeVar("_M")


class _Codec(NamedTuple):
    """How one message travels; `id_field` is the field that stands in the frame's id, None for 0."""

    message: type[Any]
    number: int
    side: Side
    id_field: str | None
    pack: Callable[[Any], bytes]
    take: Callable[[int, bytes], Any]


_CODECS = (
    _Codec(Hello, 1, "guard", None, g.pack_hello, g.take_hello),
    _Codec(Exec, 2, "guard", "exec_id", g.pack_exec, g.take_exec),
    _Codec(Cancel, 3, "guard", "exec_id", g.pack_cancel, g.take_cancel),
    _Codec(Output, 4, "guard", "step", g.pack_output, g.take_output),
    _Codec(StepEnd, 5, "guard", "step", g.pack_step_end, g.take_step_end),
    _Codec(LateOutput, 6, "guard", "step", g.pack_late_output, g.take_late_output),
    _Codec(AgentExit, 7, "guard", None, g.pack_agent_exit, g.take_agent_exit),
    _Codec(StartFailed, 8, "guard", None, g.pack_start_failed, g.take_start_failed),
    _Codec(Notice, 9, "guard", None, g.pack_text, g.take_notice),
    _Codec(Fatal, 10, "guard", None, g.pack_text, g.take_fatal),
    _Codec(Config, 64, "supervisor", None, s.pack_config, s.take_config),
    _Codec(ExecVerdict, 65, "supervisor", "exec_id", s.pack_verdict, s.take_verdict),
    _Codec(Release, 66, "supervisor", "step", s.pack_release, s.take_release),
    _Codec(Signal, 67, "supervisor", None, s.pack_signal, s.take_signal),
    _Codec(Bye, 68, "supervisor", None, s.pack_bye, s.take_bye),
)
_BY_MESSAGE = {codec.message: codec for codec in _CODECS}
_BY_NUMBER: dict[Side, dict[int, _Codec]] = {
    "guard": {codec.number: codec for codec in _CODECS if codec.side == "guard"},
    "supervisor": {codec.number: codec for codec in _CODECS if codec.side == "supervisor"},
}


def encode(message: Message) -> bytes:
    """One frame. Text that is no UTF-8, and NULs, are sent as backslash escapes.

    Raises ProtocolError when the message is larger than a frame may be or holds a number out of range.
    """
    codec = _BY_MESSAGE[type(message)]
    frame_id = getattr(message, codec.id_field) if codec.id_field else 0
    try:
        payload = codec.pack(message)
        header = _HEADER.pack(len(payload), codec.number, 0, 0, frame_id)
    except struct.error as error:
        raise ProtocolError(f"channel: cannot send {codec.message.__name__}: {error}") from error
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ProtocolError(f"channel: {codec.message.__name__} of {len(payload)} bytes is too large to send")
    return header + payload


class Decoder(Generic[_M]):
    """Cuts a stream into messages of one side; the other side's types are unknown to it.

    After nonsense it stays broken: `error` is set, the messages before the nonsense were returned, and
    every further `feed` raises.
    """

    error: ProtocolError | None

    @overload
    def __init__(self: Decoder[GuardMessage], side: Literal["guard"] = ...) -> None: ...
    @overload
    def __init__(self: Decoder[SupervisorMessage], side: Literal["supervisor"]) -> None: ...
    def __init__(self: Decoder[Any], side: Side = "guard") -> None:
        self._codecs = _BY_NUMBER[side]
        self._rest = bytearray()
        self._rest_needs = 0
        self.error = None

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that has not wholly arrived; not zero at EOF means the stream was cut."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[_M]:
        """The messages completed by `data`, in order.

        Raises ProtocolError when the next thing in the stream is no frame of the protocol and no message
        stands before it; otherwise the messages are returned and `error` is set.
        """
        if self.error is not None:
            raise self.error
        if self._rest:
            self._rest += data
            if len(self._rest) < self._rest_needs:
                return []
            data = bytes(self._rest)
        found: list[_M] = []
        at = message_end = 0
        try:
            while (message_end := self._frame_end(data, at)) <= len(data):
                found.append(self._decode(data, at, message_end))
                at = message_end
        except ProtocolError as error:
            self.error = error
            if not found:
                raise
        self._rest = bytearray(data[at:])
        self._rest_needs = message_end - at
        return found

    def _frame_end(self, data: bytes, at: int) -> int:
        """Where the frame at `at` ends; beyond `data` while it has not wholly arrived. Judges the header."""
        if len(data) - at < _HEADER_BYTES:
            return at + _HEADER_BYTES
        length, number, flags, reserved, frame_id = _HEADER.unpack_from(data, at)
        codec = self._codecs.get(number)
        if codec is None:
            raise ProtocolError(f"channel: unknown message type {number}")
        if length > MAX_PAYLOAD_BYTES:
            raise ProtocolError(f"channel: frame of {length} bytes, at most {MAX_PAYLOAD_BYTES} are allowed")
        if flags or reserved:
            raise ProtocolError(f"channel: flags {flags} and reserved {reserved} must be 0")
        if (frame_id == 0) != (codec.id_field is None):
            raise ProtocolError(f"channel: id {frame_id} in a {codec.message.__name__} frame")
        return at + _HEADER_BYTES + int(length)

    def _decode(self, data: bytes, at: int, end: int) -> _M:
        _, number, _, _, frame_id = _HEADER.unpack_from(data, at)
        codec = self._codecs[number]
        try:
            message: _M = codec.take(frame_id, data[at + _HEADER_BYTES : end])
        except struct.error as error:
            raise ProtocolError(f"channel: {codec.message.__name__} payload is too short or long") from error
        return message
