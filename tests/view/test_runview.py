"""What the fold makes of a ledger, whole or cut off."""

from __future__ import annotations

from microloop_cli.core.events import (
    ExecCancelled,
    ExecStarted,
    GuardNotice,
    Interrupted,
    LateOutput,
    ResourceSample,
    WatchDegraded,
    WorkspaceChanged,
)
from microloop_cli.view.model import CRASHED
from microloop_cli.view.runview import NOTICES_KEPT, run_view
from tests.view.ledgers import Story, loop_story


def test_a_run_that_ended_tells_outcome_reason_and_duration() -> None:
    story = Story()
    story.step("make")
    view = run_view(story.finish(exit_code=3, reason="the agent ended with exit code 3").entries)
    assert (view.outcome, view.exit_code, view.stop_reason) == (
        "ended",
        3,
        "the agent ended with exit code 3",
    )
    assert view.used.wall_seconds == 1.5
    assert view.argv == ("agent", "--fix")
    assert view.unknown_events == 0


def test_steps_have_what_the_agent_meant_and_what_ran() -> None:
    story = Story()
    story.at = 2.0
    story.step("pytest -q", 1, b"1 failed\n")
    (step,) = run_view(story.finish().entries).steps
    assert (step.n, step.command, step.argv) == (1, "pytest -q", ("sh", "-c", "pytest -q"))
    assert (step.started_at_seconds, step.duration_seconds, step.exit_code) == (2.0, 0.5, 1)
    assert step.stdout is not None
    assert step.stdout.bytes == 9
    assert (step.verdict, step.signal) == ("allowed", None)


def test_nudged_and_refused_steps_are_marked_with_their_message_and_finding() -> None:
    view = run_view(loop_story().entries)
    assert [step.verdict for step in view.steps] == ["allowed", "allowed", "nudged", "refused", "refused"]
    assert [step.exit_code for step in view.steps] == [1, 1, 1, 126, 126]
    assert view.steps[2].message == "same output 3 times"
    assert [step.findings for step in view.steps] == [(), (), (0,), (1,), (2,)]
    assert view.outcome == "no_progress"


def test_a_ledger_without_an_end_is_a_crashed_run_with_its_open_step() -> None:
    story = Story()
    story.begin("sleep 100")
    view = run_view(story.entries)
    assert (view.outcome, view.exit_code) == (CRASHED, None)
    assert (view.steps[0].exit_code, view.steps[0].duration_seconds) == (None, None)


def test_a_ledger_can_be_cut_off_after_any_event() -> None:
    entries = loop_story().entries
    for length in range(len(entries)):
        view = run_view(entries[:length])
        assert view.outcome == CRASHED
        assert view.events == length


def test_a_crash_while_stopping_names_what_was_being_stopped() -> None:
    view = run_view(loop_story().entries[:-2])
    assert "no progress: pytest -q" in view.stop_reason


def test_execs_are_counted_by_kind() -> None:
    story = Story()
    story.exec("git", "status", lineage="agent_child", kind="housekeeping", parent=1)
    story.exec("git-helper", lineage="housekeeping", parent=2)
    n = story.begin("make")
    for _ in range(4):
        story.exec("cc", step=n, parent=3)
    story.end(n)
    view = run_view(story.finish().entries)
    assert view.execs == 8
    assert view.execs_by_kind == {"agent": 1, "housekeeping": 2, "step": 1, "nested": 4}
    assert view.steps[0].execs_below == 4


def test_a_process_that_died_before_its_verdict_is_no_step() -> None:
    story = Story()
    exec_id = story.exec("sh", lineage="agent_child", kind="step")
    story.say(ExecCancelled(exec_id=exec_id))
    view = run_view(story.finish().entries)
    assert view.steps == ()
    assert view.execs_by_kind["cancelled"] == 1


def test_a_step_that_died_before_it_could_run_is_marked() -> None:
    story = Story()
    story.begin("make")
    story.say(ExecCancelled(exec_id=story.execs))
    assert run_view(story.finish().entries).steps[0].verdict == "cancelled"


def test_samples_give_peaks_and_the_quiet_time_is_the_longest_without_activity() -> None:
    story = Story()
    story.step("make")
    story.at = 20.0
    story.say(ResourceSample(cpu_seconds=1.5, rss_bytes=1000, processes=3))
    story.say(ResourceSample(cpu_seconds=1.2, rss_bytes=500, processes=9))
    story.say(WorkspaceChanged(epoch="e1", paths=("a",), count=1))
    used = run_view(story.finish().entries).used
    assert (used.cpu_seconds, used.peak_rss_bytes, used.peak_processes, used.samples) == (1.5, 1000, 9, 2)
    assert used.idle_seconds == 19.5


def test_a_silent_step_that_computes_is_not_idle() -> None:
    story = Story()
    n = story.begin("train")
    for second in range(1, 31):
        story.at = float(second)
        story.say(ResourceSample(cpu_seconds=float(second), rss_bytes=1, processes=1))
    story.end(n)
    assert run_view(story.finish().entries).used.idle_seconds == 1.0


def test_notices_interruptions_and_late_output_are_kept() -> None:
    story = Story()
    n = story.step("server &")
    story.say(LateOutput(step=n, stream="stdout", bytes=7), LateOutput(step=n, stream="stderr", bytes=5))
    story.say(GuardNotice(text="no capture"), WatchDegraded(reason="too many files", how="scanned"))
    story.say(Interrupted(signal=2), Interrupted(signal=2))
    view = run_view(story.finish("interrupted", 130, "interrupted by ^C").entries)
    assert view.steps[0].late_bytes == 12
    assert view.notices[0].text == "guard: no capture"
    assert "scanned" in view.notices[1].text
    assert view.interruptions == (2, 2)


def test_a_flood_of_notices_is_counted_not_kept() -> None:
    story = Story()
    story.say(*[GuardNotice(text=str(n)) for n in range(NOTICES_KEPT + 50)])
    view = run_view(story.finish().entries)
    assert (len(view.notices), view.notices_omitted) == (NOTICES_KEPT, 50)


def test_events_of_a_later_version_are_counted_and_skipped() -> None:
    story = Story()
    story.say(object())
    assert run_view(story.finish().entries).unknown_events == 1


def test_the_process_tree_of_a_step_has_the_agent_above_and_its_programs_below() -> None:
    story = Story()
    shim = story.exec("npx", "tool", lineage="agent_child", kind="shim", parent=1)
    story.step("other")
    exec_id = story.exec("sh", "-c", "make", lineage="agent_child", kind="step", parent=shim)
    from microloop_cli.core.actions import Verdict

    story.say(Verdict(exec_id=exec_id, kind="step", allow=True, step=2, command="make"))
    make = story.exec("make", step=2, parent=exec_id)
    story.exec("cc", "a.c", step=2, parent=make)
    story.exec("elsewhere", step=1, parent=3)
    tree = run_view(story.finish().entries, tree_of=2).tree
    assert tree is not None
    assert [node.argv[0] for node in tree.above] == ["agent", "npx"]
    assert [node.argv for node in tree.below] == [("make",), ("cc", "a.c")]


def test_parents_that_go_in_circles_do_not_hang_the_tree() -> None:
    story = Story()
    for exec_id, parent in ((50, 51), (51, 50)):
        story.execs = exec_id - 1
        story.exec("agent", lineage="agent_self", kind="agent", parent=parent)
    exec_id = story.exec("sh", lineage="agent_child", kind="step", parent=50)
    from microloop_cli.core.actions import Verdict

    story.say(Verdict(exec_id=exec_id, kind="step", allow=True, step=1, command="sh"))
    tree = run_view(story.entries, tree_of=1).tree
    assert tree is not None
    assert 2 <= len(tree.above) <= 64


def test_a_program_that_was_traced_is_counted_as_unverified() -> None:
    story = Story()
    story.exec("gdb", verified=False)
    assert run_view(story.entries).unverified_execs == 1
    assert isinstance(story.entries[-1].event, ExecStarted)
