"""Whatever a run holds: no detector raises, nothing grows without bound, and judging again says the same."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.commands.meaning import meaning
from microloop_cli.core.progress.engine import REMEMBERED_FINDINGS, Memory, attempted, finished
from microloop_cli.core.progress.history import EDITS, RECENT_STEPS, TEST_RUNS
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.progress.signals import (
    CommandKind,
    ErrorSignature,
    FailedTest,
    Meaning,
    Signals,
    Trouble,
)
from microloop_cli.core.settings import Progress

WORDS = st.sampled_from(["a", "b", "c", "x.py", ""])
MEANINGS = st.builds(
    Meaning,
    action=WORDS,
    kind=st.sampled_from(get_args(CommandKind)),
    polls=st.booleans(),
    filtered=st.booleans(),
    elsewhere=st.booleans(),
    paths=st.lists(WORDS, max_size=3).map(tuple),
)
TESTS = st.builds(
    lambda failed, passed: build_outcome("any", failed, passed=passed),
    st.lists(st.builds(FailedTest, WORDS, WORDS, WORDS), max_size=3),
    st.integers(0, 9),
)
SIGNALS = st.builds(
    Signals,
    output_digest=st.sampled_from(["d1", "d2", "d3"]),
    lines=st.integers(0, 50),
    new_lines=st.integers(0, 50),
    tests=st.none() | TESTS,
    error=st.none() | st.builds(ErrorSignature, st.sampled_from(["edit", "exit 1", "E"]), WORDS),
    trouble=st.sampled_from([None, *get_args(Trouble)]),
)
STEPS = st.lists(
    st.tuples(
        MEANINGS,
        st.none() | SIGNALS,
        st.sampled_from(["e0", "e1", "e2"]),
        st.sampled_from([None, 0, 1, -9, 255]),
    ),
    max_size=60,
)
Step = tuple[Meaning, "Signals | None", str, "int | None"]


def _told(steps: list[Step], rules: Progress) -> tuple[Memory, list[Found]]:
    memory, epoch, found = Memory(), "e0", []
    for number, (meant, signals, after, exit_code) in enumerate(steps, 1):
        attempt = Attempt(step=number, command=meant.action, meaning=meant, epoch=epoch)
        judged = attempted(memory, rules, attempt)
        assert judged.bugs == ()
        memory = judged.memory
        if judged.finding is None:
            epoch = after
            judged = finished(memory, rules, attempt, epoch=epoch, signals=signals, exit_code=exit_code)
            assert judged.bugs == ()
            memory = judged.memory
        found += [judged.finding] if judged.finding else []
    return memory, found


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_run_makes_a_detector_raise_or_answer_twice_differently(steps: list[Any]) -> None:
    memory, found = _told(steps, Progress())
    assert _told(steps, Progress()) == (memory, found)
    assert all(finding.text and 0 <= finding.confidence <= 1 for finding in found)
    assert all(set(finding.steps) <= set(range(1, len(steps) + 1)) for finding in found)


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_observing_never_refuses_nudges_or_stops(steps: list[Any]) -> None:
    _, found = _told(steps, Progress(answers="record"))
    assert {finding.answer for finding in found} <= {"record"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(MEANINGS, SIGNALS, st.just("e0"), st.just(1)), min_size=1, max_size=6))
def test_memory_is_bounded_however_long_the_run(some: list[Any]) -> None:
    steps = [
        (msgspec.structs.replace(meant, action=f"{meant.action}{n % 97}"), signals, f"e{n % 11}", code)
        for n in range(300)
        for meant, signals, _, code in some[:1]
    ]
    memory, _ = _told(steps, Progress())
    history = memory.history
    assert len(history.recent) <= RECENT_STEPS
    assert len(history.tests) <= TEST_RUNS
    assert len(history.edits) <= EDITS
    assert len(memory.given) <= REMEMBERED_FINDINGS


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.binary(max_size=2000), st.sampled_from([None, 0, 1, 127]))
def test_any_command_with_any_output_can_be_read(command: str, output: bytes, code: int | None) -> None:
    signals = OutputReader().read(meaning(command), command, Kept(output, b"", len(output)), exit_code=code)
    assert signals is not None
    assert signals.new_lines <= signals.lines


HOSTILE = {
    "one line of 10 MB": b"x" * 10_000_000,
    "ten million digits": b"7" * 10_000_000,
    "NULs": b"\0" * 1_000_000,
    "only escapes": b"\x1b[31m" * 200_000,
    "an escape that never ends": b"\x1b]0;" + b"a" * 2_000_000,
    "half an XML report": b'<testsuites><testsuite name="a"><testcase name="b"><failure message="'
    + b"&" * 100_000,
    "brackets": b"([{<" * 250_000,
    "no UTF-8": bytes(range(256)) * 4000,
    "carriage returns": b"10%\r" * 250_000,
    "a million empty lines": b"\n" * 1_000_000,
    "test summary without end": b"FAILED a::b - " * 70_000,
    "tracebacks": b"Traceback (most recent call last):\n  File" * 25_000,
}


def test_hostile_outputs_are_read_in_the_time_of_their_size() -> None:
    """Anything worse than linear would take hours for one of these."""
    for name, output in HOSTILE.items():
        for command in ("pytest", "cargo test", "mvn test", "./run.sh"):
            signals = OutputReader().read(
                meaning(command), command, Kept(output, b"", len(output)), exit_code=1
            )
            assert signals is not None, name
