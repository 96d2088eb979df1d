"""The fields messages are made of: names of enums, flags, strings and ends, to bytes and back; pure."""

from __future__ import annotations

from struct import Struct
from typing import TypeVar

from microloop_cli.core.actions import ExecKind
from microloop_cli.core.events import FdKind, Lineage
from microloop_cli.errors import ProtocolError
from microloop_cli.guard import messages as m

LINEAGES: dict[int, Lineage] = {
    1: "root", 2: "agent_self", 3: "agent_child", 4: "nested", 5: "housekeeping", 6: "orphan",
}  # fmt: skip
FD_KINDS: dict[int, FdKind] = {
    0: "closed", 1: "pipe", 2: "socket", 3: "tty", 4: "file", 5: "null", 6: "other",
}  # fmt: skip
EXEC_KINDS: dict[int, ExecKind] = {1: "agent", 2: "shim", 3: "step", 4: "housekeeping", 5: "nested"}
CAPABILITIES: dict[int, m.Capability] = {1: "capture", 2: "wait_killable", 4: "pid1"}
STREAMS: dict[int, m.StreamName] = {1: "stdout", 2: "stderr"}
PARTS: dict[int, m.Part] = {0: "head", 1: "tail"}

LINEAGE_CODES = {name: code for code, name in LINEAGES.items()}
FD_CODES = {name: code for code, name in FD_KINDS.items()}
KIND_CODES = {name: code for code, name in EXEC_KINDS.items()}
CAPABILITY_BITS = {name: bit for bit, name in CAPABILITIES.items()}
STREAM_CODES = {name: code for code, name in STREAMS.items()}
PART_CODES = {name: code for code, name in PARTS.items()}

U32 = Struct("<I")

HIGHEST_SIGNAL = 64

_T = TypeVar("_T")


def nonsense(what: str) -> ProtocolError:
    return ProtocolError(f"channel: {what}")


def name_of(names: dict[int, _T], code: int, what: str) -> _T:
    try:
        return names[code]
    except KeyError:
        raise nonsense(f"unknown {what} {code}") from None


def known_bits(value: int, known: int, what: str) -> int:
    if value & ~known:
        raise nonsense(f"unknown {what} bits {value:#x}")
    return value


def truth(value: int, what: str) -> bool:
    if value > 1:
        raise nonsense(f"{what} is {value}, not 0 or 1")
    return value == 1


def must_end(payload: bytes, end: int) -> None:
    if end != len(payload):
        raise nonsense(f"{len(payload) - end} bytes left over in a payload")


def pack_str(text: str) -> bytes:
    raw = text.replace("\0", "\\x00").encode("utf-8", "backslashreplace")
    return U32.pack(len(raw)) + raw


def take_str(payload: bytes, at: int) -> tuple[str, int]:
    start = at + 4
    end = start + int(U32.unpack_from(payload, at)[0])
    raw = payload[start:end]
    if end > len(payload) or b"\0" in raw:
        raise nonsense("a string is longer than its payload or holds a NUL")
    return raw.decode("utf-8", "backslashreplace"), end


def pack_strs(texts: tuple[str, ...]) -> bytes:
    return U32.pack(len(texts)) + b"".join(map(pack_str, texts))


def take_strs(payload: bytes, at: int) -> tuple[tuple[str, ...], int]:
    (count,) = U32.unpack_from(payload, at)
    at += 4
    texts = []
    for _ in range(count):
        text, at = take_str(payload, at)
        texts.append(text)
    return tuple(texts), at


def only_str(payload: bytes) -> str:
    text, end = take_str(payload, 0)
    must_end(payload, end)
    return text


def pack_end(exit_code: int | None, signal: int | None) -> tuple[int, int]:
    if (exit_code is None) == (signal is None):
        raise nonsense("an end has either an exit code or a signal")
    return (0, exit_code) if exit_code is not None else (1, signal or 0)


def take_end(how: int, code: int) -> tuple[int | None, int | None]:
    if how == 0 and code <= 255:
        return code, None
    if how == 1 and 1 <= code <= HIGHEST_SIGNAL:
        return None, code
    raise nonsense(f"impossible end: how {how}, code {code}")
