"""The codec says exactly what PROTOCOL.md says: round trips, split input, and every kind of nonsense."""

from __future__ import annotations

import itertools
import struct
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.actions import ExecKind
from microloop_cli.core.events import FdKind, Lineage
from microloop_cli.errors import ProtocolError
from microloop_cli.guard import wire

from .test_wire_nonsense import EMPTY_EXEC, frame

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
IDS = st.integers(1, 2**64 - 1)
STEPS = st.integers(1, 2**32 - 1)
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=60)
TEXTS = st.lists(TEXT, max_size=5).map(tuple)
ENDS = st.one_of(
    st.integers(0, 255).map(lambda code: {"exit_code": code}),
    st.integers(1, 64).map(lambda number: {"signal": number}),
)
STREAM_ENDS = st.builds(
    wire.StreamEnd,
    captured=st.booleans(),
    bytes=U64,
    blake2b=st.binary(min_size=32, max_size=32),
    coarse=st.binary(min_size=16, max_size=16),
)
STREAMS = st.sampled_from(get_args(wire.StreamName))
CAPABILITIES = st.sets(st.sampled_from(get_args(wire.Capability))).map(
    lambda names: tuple(name for name in get_args(wire.Capability) if name in names)
)

FROM_GUARD = st.one_of(
    st.builds(
        wire.Hello,
        version=U32,
        guard_pid=U32,
        capabilities=CAPABILITIES,
        nonce=TEXT,
        kernel=TEXT,
        guard_version=TEXT,
    ),
    st.builds(
        wire.Exec,
        exec_id=IDS,
        pid=U32,
        ppid=U32,
        parent_exec=st.none() | IDS,
        step=st.none() | STEPS,
        lineage=st.sampled_from(get_args(Lineage)),
        fds=st.tuples(*[st.sampled_from(get_args(FdKind))] * 3),
        verified=st.booleans(),
        awaiting=st.booleans(),
        captured=st.booleans(),
        argv_truncated=st.booleans(),
        argv_bytes=U64,
        exe=TEXT,
        cwd=TEXT,
        parent_exe=TEXT,
        argv=TEXTS,
    ),
    st.builds(wire.Cancel, exec_id=IDS),
    st.builds(
        wire.Output,
        step=STEPS,
        stream=STREAMS,
        part=st.sampled_from(get_args(wire.Part)),
        data=st.binary(max_size=2000),
    ),
    st.builds(
        lambda step, end, merged, held, out, err: wire.StepEnd(
            step=step, merged=merged, held=held, stdout=out, stderr=err, **end
        ),
        STEPS,
        ENDS,
        st.booleans(),
        st.booleans(),
        STREAM_ENDS,
        STREAM_ENDS,
    ),
    st.builds(wire.LateOutput, step=STEPS, stream=STREAMS, bytes=U64),
    ENDS.map(lambda end: wire.AgentExit(**end)),
    st.builds(wire.StartFailed, errno=U32, path=TEXT),
    st.builds(wire.Notice, text=TEXT),
    st.builds(wire.Fatal, text=TEXT),
)
FROM_SUPERVISOR = st.one_of(
    st.builds(
        wire.Config,
        nested_local=st.booleans(),
        capture=st.booleans(),
        verdict_timeout_ms=U32,
        release_timeout_ms=U32,
        head_bytes=U32,
        tail_bytes=U32,
        agent_names=TEXTS,
    ),
    st.builds(
        wire.ExecVerdict,
        exec_id=IDS,
        allow=st.booleans(),
        kind=st.sampled_from(get_args(ExecKind)),
        hold_end=st.booleans(),
        step=st.none() | STEPS,
        message=TEXT,
    ),
    st.builds(wire.Release, step=STEPS, text=TEXT),
    st.builds(wire.Signal, signal=st.integers(1, 64)),
    st.builds(wire.Bye),
)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


def decode_pieces(decoder: wire.Decoder[Any], pieces: list[bytes]) -> list[Any]:
    return [message for piece in pieces for message in decoder.feed(piece)]


@given(st.lists(FROM_GUARD, max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_what_the_guard_sends_arrives_whole_however_the_stream_is_cut(
    messages: list[wire.GuardMessage], places: list[int]
) -> None:
    decoder = wire.Decoder("guard")
    stream = b"".join(map(wire.encode, messages))
    assert decode_pieces(decoder, cut(stream, places)) == messages
    assert decoder.pending_bytes == 0
    assert decoder.error is None


@given(st.lists(FROM_SUPERVISOR, max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_what_the_supervisor_sends_arrives_whole_however_the_stream_is_cut(
    messages: list[wire.SupervisorMessage], places: list[int]
) -> None:
    decoder = wire.Decoder("supervisor")
    stream = b"".join(map(wire.encode, messages))
    assert decode_pieces(decoder, cut(stream, places)) == messages


@given(FROM_SUPERVISOR)
def test_a_supervisor_never_accepts_a_supervisors_frame(message: wire.SupervisorMessage) -> None:
    with pytest.raises(ProtocolError, match="unknown message type"):
        wire.Decoder("guard").feed(wire.encode(message))


@given(FROM_GUARD)
def test_a_guard_never_accepts_a_guards_frame(message: wire.GuardMessage) -> None:
    with pytest.raises(ProtocolError, match="unknown message type"):
        wire.Decoder("supervisor").feed(wire.encode(message))


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_waited_for_but_never_crashes(garbage: bytes) -> None:
    decoder = wire.Decoder("guard")
    try:
        decoder.feed(garbage)
    except ProtocolError:
        assert decoder.error is not None


@given(FROM_GUARD, st.integers(0, 10_000), st.integers(0, 255))
def test_a_frame_with_a_changed_byte_is_another_message_or_nonsense(
    message: wire.GuardMessage, place: int, value: int
) -> None:
    raw = bytearray(wire.encode(message))
    raw[place % len(raw)] = value
    decoder = wire.Decoder("guard")
    try:
        found: list[Any] = decoder.feed(bytes(raw))
    except ProtocolError:
        return
    assert len(found) <= 1


@given(FROM_GUARD, st.integers(1, 40))
def test_a_payload_cut_short_is_nonsense_or_another_message_and_never_kept_waiting(
    message: wire.GuardMessage, missing: int
) -> None:
    raw = wire.encode(message)
    payload = raw[16:-missing] if missing < len(raw) - 16 else b""
    if not raw[16:]:
        return
    decoder = wire.Decoder("guard")
    short = struct.pack("<I", len(payload)) + raw[4:16] + payload
    try:
        found: list[Any] = decoder.feed(short)
    except ProtocolError:
        return
    assert isinstance(message, wire.Output)  # its bytes go to the end of the frame, whatever that is
    assert len(found) == 1


def test_the_messages_before_nonsense_are_not_lost() -> None:
    decoder = wire.Decoder("guard")
    good = wire.Notice(text="capture failed")
    assert decoder.feed(wire.encode(good) + frame(99)) == [good]
    assert decoder.error is not None
    with pytest.raises(ProtocolError, match="unknown message type 99"):
        decoder.feed(b"")


def test_an_oversized_frame_is_refused_before_its_payload_arrives() -> None:
    with pytest.raises(ProtocolError, match="at most 262144"):
        wire.Decoder("guard").feed(struct.pack("<IBBHQ", wire.MAX_PAYLOAD_BYTES + 1, 9, 0, 0, 0))


def test_the_largest_frame_passes() -> None:
    text = "x" * (wire.MAX_PAYLOAD_BYTES - 4)
    assert wire.Decoder("guard").feed(wire.encode(wire.Notice(text=text))) == [wire.Notice(text=text)]
    with pytest.raises(ProtocolError, match="too large"):
        wire.encode(wire.Notice(text=text + "x"))


def test_a_frame_that_comes_a_byte_at_a_time_costs_no_more_than_its_bytes() -> None:
    raw = wire.encode(wire.Notice(text="x" * 200_000))
    decoder = wire.Decoder("guard")
    found: list[Any] = []
    for at in range(len(raw)):
        found += decoder.feed(raw[at : at + 1])
    assert len(found) == 1


def test_bytes_that_are_no_utf8_come_out_as_escapes() -> None:
    argv = struct.pack("<I", 2) + struct.pack("<I", 2) + b"ls" + struct.pack("<I", 4) + b"\xff\xfe-a"
    message = wire.Decoder("guard").feed(frame(2, EMPTY_EXEC[:-4] + argv, id=1))[0]
    assert isinstance(message, wire.Exec)
    assert message.argv == ("ls", "\\xff\\xfe-a")


def test_text_that_cannot_travel_is_escaped_not_refused() -> None:
    sent = wire.encode(wire.ExecVerdict(exec_id=1, allow=False, kind="step", message="a\0b\udcff"))
    (got,) = wire.Decoder("supervisor").feed(sent)
    assert isinstance(got, wire.ExecVerdict)
    assert got.message == "a\\x00b\\udcff"


def test_a_number_out_of_range_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="cannot send Config"):
        wire.encode(wire.Config(verdict_timeout_ms=2**32))
    with pytest.raises(ProtocolError, match="either an exit code or a signal"):
        wire.encode(wire.AgentExit())


def test_the_frames_are_those_of_the_protocol_document() -> None:
    verdict = wire.ExecVerdict(exec_id=0x0102, allow=True, kind="step", hold_end=True, step=7, message="é")
    assert wire.encode(verdict).hex() == (
        "0d000000" "41" "00" "0000" "0201000000000000" "01" "03" "01" "07000000" "02000000" "c3a9"
    )  # fmt: skip
    hello = wire.Hello(guard_pid=1, capabilities=("capture", "pid1"), nonce="n", kernel="6", guard_version="")
    assert wire.encode(hello).hex() == (
        "1a000000" "01" "00" "0000" "0000000000000000"
        "02000000" "01000000" "05000000" "01000000" "6e" "01000000" "36" "00000000"
    )  # fmt: skip
