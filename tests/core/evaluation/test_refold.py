"""Recorded facts folded again under other settings than those they were recorded with."""

from __future__ import annotations

from microloop_cli.core.actions import AnyDecision, WakeAt
from microloop_cli.core.evaluation.refold import refold
from microloop_cli.core.events import (
    AgentExited,
    AnyFact,
    ExecStarted,
    Lineage,
    RunStarted,
    StepEnded,
    Stream,
)
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.settings import AgentProfile, Limits, Progress, Settings
from microloop_cli.core.state import initial
from microloop_cli.core.step import step

RECORDING = Settings(progress=Progress(answers="record"))
Events = list[tuple[float, AnyFact | AnyDecision]]


def exec_of(exec_id: int, lineage: Lineage, *argv: str) -> ExecStarted:
    return ExecStarted(
        exec_id=exec_id, pid=100 + exec_id, ppid=1, lineage=lineage, argv=argv, argv_bytes=9, exe=argv[0], cwd="/ws",
        fds=("null", "pipe", "pipe"), awaiting=True, parent_exec=None if lineage == "root" else 1,
    )  # fmt: skip


def started() -> list[AnyFact]:
    run = RunStarted(
        run_id="r", schema=1, microloop_version="0", started_at="", argv=("agent",), cwd="/ws", workspace="/ws",
        backend="none", epoch="e0",
    )  # fmt: skip
    return [run, exec_of(1, "root", "agent")]


def ended(number: int, digest: str | None = "same") -> StepEnded:
    stream = Stream(bytes=1, blake2b="", head_bytes=1, tail_bytes=0)
    signals = None if digest is None else Signals(output_digest=digest, lines=1)
    return StepEnded(step=number, exit_code=0, stdout=stream, signals=signals)


def recorded(facts: list[AnyFact], settings: Settings = RECORDING) -> Events:
    """The ledger of these facts, one a second."""
    state, events = initial(settings), Events()
    for at, fact in enumerate(facts):
        state, actions = step(state, float(at), fact)
        events.append((float(at), fact))
        events += [(float(at), action) for action in actions if not isinstance(action, WakeAt)]
    return events


def loop(times: int, digest: str | None = "same") -> list[AnyFact]:
    facts = started()
    for number in range(1, times + 1):
        facts += [exec_of(number + 1, "agent_child", "cat", "x"), ended(number, digest)]
    return [*facts, AgentExited(exit_code=0)]


def test_its_own_settings_find_what_was_found() -> None:
    events = recorded(loop(4))
    seen = refold(RECORDING, events, own_policy=True)
    assert [item.found.answer for item in seen.occurrences] == ["record"]
    assert (seen.steps, seen.halt, seen.saved.steps, seen.saved.seconds) == (4, None, 0, 0.0)


def test_steps_keep_their_results_when_other_programs_count_as_the_agent() -> None:
    facts = started()
    facts += [exec_of(2, "agent_child", "helper"), ended(1, "other")]
    for number in range(2, 6):
        facts += [exec_of(number + 1, "agent_child", "cat", "x"), ended(number)]
    events = recorded([*facts, AgentExited(exit_code=0)])
    seen = refold(Settings(agent=AgentProfile(processes=("helper",))), events, own_policy=False)
    assert next((item.found.answer, item.found.steps) for item in seen.occurrences) == ("nudge", (1, 2, 3))


def test_a_step_limit_of_the_other_settings_stops() -> None:
    seen = refold(Settings(limits=Limits(steps=2)), recorded(loop(3, "a")), own_policy=False)
    assert seen.halt is not None
    assert (seen.halt.step, seen.halt.outcome, seen.saved.steps) == (3, "step_limit", 1)


def test_an_idle_limit_is_judged_between_the_facts_of_the_record() -> None:
    events = [(10 * at, event) for at, event in recorded(loop(2, "a"))]
    seen = refold(Settings(limits=Limits(idle_seconds=4)), events, own_policy=False)
    assert seen.halt is not None
    assert (seen.halt.at_seconds, seen.halt.outcome) == (4.0, "time_limit")


def test_outputs_that_were_never_read_are_counted() -> None:
    assert refold(RECORDING, recorded(loop(4, None)), own_policy=False).unread_steps == 4


def test_a_record_without_an_end_or_a_beginning_is_folded_as_far_as_it_goes() -> None:
    events = recorded(loop(6))
    for cut in range(len(events)):
        refold(Settings(), events[:cut], own_policy=False)
        refold(Settings(), events[cut:], own_policy=False)
