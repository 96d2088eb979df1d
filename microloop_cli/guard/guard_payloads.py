"""Payloads of the guard's messages to bytes and back, pure. Nonsense: ProtocolError or struct.error."""

from __future__ import annotations

from struct import Struct

from microloop_cli.core.events import FdKind
from microloop_cli.guard import fields as f
from microloop_cli.guard import messages as m

OUTPUT_BYTES = 65_536
VERIFIED, AWAITING, CAPTURED, ARGV_TRUNCATED = 1, 2, 4, 8
MERGED, HELD = 1, 2

_HELLO = Struct("<III")
_EXEC = Struct("<IIQIBBBBBQ")
_STEP_END = Struct("<BIB BQ32s16s BQ32s16s")
_LATE = Struct("<BQ")
_EXIT = Struct("<BI")


def pack_hello(hello: m.Hello) -> bytes:
    bits = sum(f.CAPABILITY_BITS[name] for name in hello.capabilities)
    fixed = _HELLO.pack(hello.version, hello.guard_pid, bits)
    return fixed + b"".join(map(f.pack_str, (hello.nonce, hello.kernel, hello.guard_version)))


def take_hello(_id: int, payload: bytes) -> m.Hello:
    version, guard_pid, bits = _HELLO.unpack_from(payload)
    f.known_bits(bits, 7, "capability")
    nonce, at = f.take_str(payload, _HELLO.size)
    kernel, at = f.take_str(payload, at)
    guard_version, at = f.take_str(payload, at)
    f.must_end(payload, at)
    names = tuple(name for bit, name in f.CAPABILITIES.items() if bits & bit)
    return m.Hello(
        version=version,
        guard_pid=guard_pid,
        capabilities=names,
        nonce=nonce,
        kernel=kernel,
        guard_version=guard_version,
    )


def pack_exec(e: m.Exec) -> bytes:
    flags = (VERIFIED if e.verified else 0) | (AWAITING if e.awaiting else 0)
    flags |= (CAPTURED if e.captured else 0) | (ARGV_TRUNCATED if e.argv_truncated else 0)
    kinds = (f.FD_CODES[kind] for kind in e.fds)
    lineage = f.LINEAGE_CODES[e.lineage]
    fixed = _EXEC.pack(
        e.pid,
        e.ppid,
        e.parent_exec or 0,
        e.step or 0,
        lineage,
        *kinds,
        flags,
        e.argv_bytes,
    )
    return fixed + f.pack_str(e.exe) + f.pack_str(e.cwd) + f.pack_str(e.parent_exe) + f.pack_strs(e.argv)


def _fd_kind(code: int) -> FdKind:
    return f.name_of(f.FD_KINDS, code, "fd kind")


def take_exec(exec_id: int, payload: bytes) -> m.Exec:
    pid, ppid, parent, step, lineage, fd0, fd1, fd2, flags, argv_bytes = _EXEC.unpack_from(payload)
    f.known_bits(flags, 15, "exec flag")
    exe, at = f.take_str(payload, _EXEC.size)
    cwd, at = f.take_str(payload, at)
    parent_exe, at = f.take_str(payload, at)
    argv, at = f.take_strs(payload, at)
    f.must_end(payload, at)
    return m.Exec(
        exec_id=exec_id,
        pid=pid,
        ppid=ppid,
        parent_exec=parent or None,
        step=step or None,
        lineage=f.name_of(f.LINEAGES, lineage, "lineage"),
        fds=(_fd_kind(fd0), _fd_kind(fd1), _fd_kind(fd2)),
        verified=bool(flags & VERIFIED),
        awaiting=bool(flags & AWAITING),
        captured=bool(flags & CAPTURED),
        argv_truncated=bool(flags & ARGV_TRUNCATED),
        argv_bytes=argv_bytes,
        exe=exe,
        cwd=cwd,
        parent_exe=parent_exe,
        argv=argv,
    )


def pack_cancel(_message: m.Cancel) -> bytes:
    return b""


def take_cancel(exec_id: int, payload: bytes) -> m.Cancel:
    f.must_end(payload, 0)
    return m.Cancel(exec_id=exec_id)


def pack_output(output: m.Output) -> bytes:
    return bytes((f.STREAM_CODES[output.stream], f.PART_CODES[output.part])) + output.data


def take_output(step: int, payload: bytes) -> m.Output:
    stream, part, data = payload[0:1], payload[1:2], payload[2:]
    if not part or len(data) > OUTPUT_BYTES:
        raise f.nonsense(f"output frame of {len(payload)} bytes")
    return m.Output(
        step=step,
        stream=f.name_of(f.STREAMS, stream[0], "stream"),
        part=f.name_of(f.PARTS, part[0], "part"),
        data=data,
    )


def pack_step_end(end: m.StepEnd) -> bytes:
    flags = (MERGED if end.merged else 0) | (HELD if end.held else 0)
    out, err = end.stdout, end.stderr
    return _STEP_END.pack(
        *f.pack_end(end.exit_code, end.signal),
        flags,
        *(out.captured, out.bytes, out.blake2b, out.coarse),
        *(err.captured, err.bytes, err.blake2b, err.coarse),
    )


def take_step_end(step: int, payload: bytes) -> m.StepEnd:
    how, code, flags, *streams = _STEP_END.unpack(payload)
    exit_code, signal = f.take_end(how, code)
    f.known_bits(flags, 3, "end flag")
    return m.StepEnd(
        step=step,
        exit_code=exit_code,
        signal=signal,
        merged=bool(flags & MERGED),
        held=bool(flags & HELD),
        stdout=_stream_end(*streams[:4]),
        stderr=_stream_end(*streams[4:]),
    )


def _stream_end(captured: int, count: int, blake2b: bytes, coarse: bytes) -> m.StreamEnd:
    return m.StreamEnd(captured=f.truth(captured, "captured"), bytes=count, blake2b=blake2b, coarse=coarse)


def pack_late_output(late: m.LateOutput) -> bytes:
    return _LATE.pack(f.STREAM_CODES[late.stream], late.bytes)


def take_late_output(step: int, payload: bytes) -> m.LateOutput:
    stream, count = _LATE.unpack(payload)
    return m.LateOutput(step=step, stream=f.name_of(f.STREAMS, stream, "stream"), bytes=count)


def pack_agent_exit(end: m.AgentExit) -> bytes:
    return _EXIT.pack(*f.pack_end(end.exit_code, end.signal))


def take_agent_exit(_id: int, payload: bytes) -> m.AgentExit:
    exit_code, signal = f.take_end(*_EXIT.unpack(payload))
    return m.AgentExit(exit_code=exit_code, signal=signal)


def pack_start_failed(failed: m.StartFailed) -> bytes:
    return f.U32.pack(failed.errno) + f.pack_str(failed.path)


def take_start_failed(_id: int, payload: bytes) -> m.StartFailed:
    (errno,) = f.U32.unpack_from(payload)
    path, end = f.take_str(payload, 4)
    f.must_end(payload, end)
    return m.StartFailed(errno=errno, path=path)


def pack_text(message: m.Notice | m.Fatal) -> bytes:
    return f.pack_str(message.text)


def take_notice(_id: int, payload: bytes) -> m.Notice:
    return m.Notice(text=f.only_str(payload))


def take_fatal(_id: int, payload: bytes) -> m.Fatal:
    return m.Fatal(text=f.only_str(payload))
