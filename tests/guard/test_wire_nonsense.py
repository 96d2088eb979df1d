"""Every way a frame can be wrong is a ProtocolError, on both sides; nothing after it is believed."""

from __future__ import annotations

import struct

import pytest

from microloop_cli.errors import ProtocolError
from microloop_cli.guard import wire


def frame(number: int, payload: bytes = b"", *, flags: int = 0, reserved: int = 0, id: int = 0) -> bytes:
    return struct.pack("<IBBHQ", len(payload), number, flags, reserved, id) + payload


EMPTY_EXEC = struct.pack("<IIQIBBBBBQ", 9, 1, 0, 0, 1, 0, 0, 0, 1, 0) + bytes(16)
STEP_END = struct.pack("<BIBBQ32sBQ32s", 0, 3, 0, 1, 5, bytes(32), 0, 0, bytes(32))
NONSENSE = {
    "unknown type": frame(11),
    "type 0": frame(0),
    "type of the other side": frame(68),
    "type 255": frame(255),
    "flags": frame(3, flags=1, id=1),
    "reserved": frame(3, reserved=1, id=1),
    "oversized": struct.pack("<IBBHQ", wire.MAX_PAYLOAD_BYTES + 1, 9, 0, 0, 0),
    "oversized to the limit of u32": struct.pack("<IBBHQ", 2**32 - 1, 9, 0, 0, 0),
    "id where none belongs": frame(9, struct.pack("<I", 0), id=4),
    "no id where one belongs": frame(3),
    "cancel with a payload": frame(3, b"x", id=1),
    "empty hello": frame(1),
    "hello with unknown capabilities": frame(1, struct.pack("<III", 1, 1, 8) + bytes(12)),
    "hello with something left over": frame(1, struct.pack("<III", 1, 1, 0) + bytes(13)),
    "string longer than the payload": frame(9, struct.pack("<I", 5) + b"abcd"),
    "string of 4 GiB": frame(9, struct.pack("<I", 2**32 - 1)),
    "string with a NUL": frame(9, struct.pack("<I", 3) + b"a\0b"),
    "half a length": frame(9, b"\1\0"),
    "argv of 4 billion": frame(2, EMPTY_EXEC[:-4] + struct.pack("<I", 2**32 - 1), id=1),
    "lineage 0": frame(2, EMPTY_EXEC[:20] + b"\0" + EMPTY_EXEC[21:], id=1),
    "lineage 7": frame(2, EMPTY_EXEC[:20] + b"\7" + EMPTY_EXEC[21:], id=1),
    "fd kind 7": frame(2, EMPTY_EXEC[:22] + b"\7" + EMPTY_EXEC[23:], id=1),
    "exec flag 16": frame(2, EMPTY_EXEC[:24] + b"\x10" + EMPTY_EXEC[25:], id=1),
    "exec with something left over": frame(2, EMPTY_EXEC + b"\0", id=1),
    "output without part": frame(4, b"\1", id=1),
    "output of stream 3": frame(4, b"\3\0x", id=1),
    "output of stream 0": frame(4, b"\0\0x", id=1),
    "output of part 2": frame(4, b"\1\2x", id=1),
    "output of more than 64 KiB": frame(4, b"\1\0" + bytes(65_537), id=1),
    "step end of kind 2": frame(5, b"\2" + STEP_END[1:], id=1),
    "step end with exit code 256": frame(5, STEP_END[:1] + struct.pack("<I", 256) + STEP_END[5:], id=1),
    "step end by signal 0": frame(5, b"\1" + bytes(4) + STEP_END[5:], id=1),
    "step end by signal 65": frame(5, b"\1" + struct.pack("<I", 65) + STEP_END[5:], id=1),
    "step end with flag 4": frame(5, STEP_END[:5] + b"\4" + STEP_END[6:], id=1),
    "captured 2": frame(5, STEP_END[:6] + b"\2" + STEP_END[7:], id=1),
    "step end one byte short": frame(5, STEP_END[:-1], id=1),
    "step end one byte long": frame(5, STEP_END + b"\0", id=1),
    "late output of stream 3": frame(6, struct.pack("<BQ", 3, 1), id=1),
    "late output short": frame(6, b"\1", id=1),
    "agent exit 256": frame(7, struct.pack("<BI", 0, 256)),
    "agent exit long": frame(7, struct.pack("<BI", 0, 0) + b"\0"),
    "start failed short": frame(8, b"\2\0"),
    "fatal with something left over": frame(10, struct.pack("<I", 1) + b"ab"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_from_the_guard_is_a_protocol_error(what: str) -> None:
    decoder = wire.Decoder("guard")
    with pytest.raises(ProtocolError):
        decoder.feed(NONSENSE[what])
    with pytest.raises(ProtocolError):
        decoder.feed(wire.encode(wire.Notice(text="as if nothing had happened")))


SUPERVISOR_NONSENSE = {
    "type of the other side": frame(1),
    "config with flag 4": frame(64, struct.pack("<IIIIII", 4, 0, 0, 0, 0, 0)),
    "config short": frame(64, bytes(20)),
    "verdict allow 2": frame(65, struct.pack("<BBBII", 2, 3, 0, 0, 0), id=1),
    "verdict kind 0": frame(65, struct.pack("<BBBII", 1, 0, 0, 0, 0), id=1),
    "verdict kind 6": frame(65, struct.pack("<BBBII", 1, 6, 0, 0, 0), id=1),
    "verdict flag 2": frame(65, struct.pack("<BBBII", 1, 3, 2, 0, 0), id=1),
    "release short": frame(66, b"", id=1),
    "signal 0": frame(67, b"\0"),
    "signal 65": frame(67, b"\x41"),
    "bye with a payload": frame(68, b"\0"),
    "bye with an id": frame(68, id=1),
}


@pytest.mark.parametrize("what", SUPERVISOR_NONSENSE)
def test_nonsense_from_a_supervisor_is_a_protocol_error(what: str) -> None:
    with pytest.raises(ProtocolError):
        wire.Decoder("supervisor").feed(SUPERVISOR_NONSENSE[what])
