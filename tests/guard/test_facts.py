"""The guard's messages become the core's facts, and a step's kept output comes out whole."""

from __future__ import annotations

import errno
import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given

from microloop_cli.core import events
from microloop_cli.core.progress.signals import Signals
from microloop_cli.errors import ProtocolError
from microloop_cli.guard import facts, wire

from .test_wire import FROM_GUARD


@given(FROM_GUARD)
def test_every_message_is_a_fact_or_part_of_a_step(message: wire.GuardMessage) -> None:
    fact = facts.plain_fact(message)
    if isinstance(message, (wire.Output, wire.StepEnd)):
        assert fact is None
        return
    assert fact is not None
    told = msgspec.json.encode(fact)
    assert msgspec.json.decode(told, type=events.AnyFact) == fact


def test_an_exec_keeps_all_it_says() -> None:
    message = wire.Exec(
        exec_id=3, pid=11, ppid=10, parent_exec=2, step=1, lineage="nested", fds=("null", "pipe", "tty"),
        verified=False, awaiting=True, captured=True, argv_truncated=True, argv_bytes=99_000, exe="/bin/sh",
        cwd="/w", parent_exe="/bin/tmux", argv=("sh", "-c", "x"),
    )  # fmt: skip
    fact = facts.exec_started(message)
    assert {name: getattr(fact, name) for name in fact.__struct_fields__} == {
        name: getattr(message, name) for name in message.__struct_fields__
    }


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOENT, "not_found"), (errno.ENOTDIR, "not_found"), (errno.EACCES, "not_executable"),
     (errno.ENOEXEC, "not_executable"), (errno.EISDIR, "not_executable")],
)  # fmt: skip
def test_a_command_that_could_not_start_is_missing_or_not_executable(number: int, reason: str) -> None:
    fact = facts.plain_fact(wire.StartFailed(errno=number, path="/x"))
    assert isinstance(fact, events.AgentNotStarted)
    assert (fact.reason, fact.path) == (reason, "/x")


def ended(step: int, out: bytes, coarse: bytes = bytes(16), **more: Any) -> wire.StepEnd:
    digest = hashlib.blake2b(out, digest_size=32).digest()
    stdout = wire.StreamEnd(captured=True, bytes=len(out), blake2b=digest, coarse=coarse)
    return wire.StepEnd(step=step, exit_code=0, stdout=stdout, stderr=wire.StreamEnd(captured=False), **more)


def test_a_steps_output_comes_out_as_head_and_tail_with_the_facts_of_the_whole() -> None:
    outputs = facts.StepOutputs(4, 3)
    outputs.add(wire.Output(step=1, stream="stdout", part="head", data=b"ab"))
    outputs.add(wire.Output(step=2, stream="stdout", part="head", data=b"other"[:4]))
    outputs.add(wire.Output(step=1, stream="stdout", part="head", data=b"cd"))
    outputs.add(wire.Output(step=1, stream="stdout", part="tail", data=b"xyz"))
    step = outputs.end(ended(1, b"abcd......xyz", b"coarse 16 bytes!", held=True))
    assert step.stderr is None
    assert step.stdout is not None
    assert (step.stdout.head, step.stdout.tail) == (b"abcd", b"xyz")
    fact = step.fact(Signals(output_digest="digest"))
    assert fact.stdout is not None
    assert (fact.stdout.bytes, fact.stdout.head_bytes, fact.stdout.tail_bytes) == (13, 4, 3)
    assert fact.stdout.coarse == b"coarse 16 bytes!".hex()
    assert fact.stdout.blake2b == hashlib.blake2b(b"abcd......xyz", digest_size=32).hexdigest()
    assert (fact.step, fact.exit_code, fact.signal, fact.held, fact.stderr) == (1, 0, None, True, None)
    assert fact.signals == Signals(output_digest="digest")


def test_a_step_that_wrote_nothing_has_an_empty_stream_not_a_missing_one() -> None:
    step = facts.StepOutputs(4, 3).end(ended(1, b""))
    assert step.stdout is not None
    assert (step.stdout.head, step.stdout.tail, step.stdout.fact.bytes) == (b"", b"", 0)


@pytest.mark.parametrize("part", ["head", "tail"])
def test_more_output_than_the_caps_is_a_protocol_error(part: wire.Part) -> None:
    outputs = facts.StepOutputs(4, 4)
    outputs.add(wire.Output(step=1, stream="stderr", part=part, data=b"1234"))
    with pytest.raises(ProtocolError, match="more output than is kept"):
        outputs.add(wire.Output(step=1, stream="stderr", part=part, data=b"5"))


def test_a_head_after_a_tail_is_a_protocol_error() -> None:
    outputs = facts.StepOutputs(4, 4)
    outputs.add(wire.Output(step=1, stream="stdout", part="tail", data=b"1"))
    with pytest.raises(ProtocolError, match="head after tail"):
        outputs.add(wire.Output(step=1, stream="stdout", part="head", data=b"1"))


def test_an_end_that_contradicts_the_kept_output_is_a_protocol_error() -> None:
    outputs = facts.StepOutputs(4, 4)
    outputs.add(wire.Output(step=1, stream="stdout", part="head", data=b"12"))
    with pytest.raises(ProtocolError, match="kept more of its stdout"):
        outputs.end(ended(1, b"1"))


def test_a_coarse_digest_is_there_exactly_where_the_middle_was_not_kept() -> None:
    outputs = facts.StepOutputs(4, 4)
    outputs.add(wire.Output(step=1, stream="stdout", part="head", data=b"12"))
    kept = outputs.end(ended(1, b"12")).stdout
    assert kept is not None
    assert kept.fact.coarse == ""
    outputs.add(wire.Output(step=2, stream="stdout", part="head", data=b"12"))
    with pytest.raises(ProtocolError, match="coarse digest"):
        outputs.end(ended(2, b"12", b"coarse 16 bytes!"))
    outputs.add(wire.Output(step=3, stream="stdout", part="head", data=b"1234"))
    with pytest.raises(ProtocolError, match="coarse digest"):
        outputs.end(ended(3, b"1234.....", bytes(16)))
