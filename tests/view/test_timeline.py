"""Long timelines are short to read and lose nothing that differs."""

from __future__ import annotations

from microloop_cli.view.runview import run_view
from microloop_cli.view.timeline import ENTRIES_SHOWN, collapse, timeline
from tests.view.ledgers import Story


def steps_of(*commands: str, exit_code: int = 0) -> Story:
    story = Story()
    for command in commands:
        story.step(command, exit_code)
    return story


def test_equal_steps_in_a_row_are_one_entry() -> None:
    view = run_view(steps_of("ls", *["pytest -q"] * 300, "git diff").entries)
    entries = collapse(view.steps)
    assert [(entry.first, entry.last, entry.times) for entry in entries] == [
        (1, 1, 1),
        (2, 301, 300),
        (302, 302, 1),
    ]


def test_two_equal_steps_stay_two() -> None:
    assert len(collapse(run_view(steps_of("ls", "ls").entries).steps)) == 2


def test_steps_with_another_result_or_output_are_not_equal() -> None:
    story = Story()
    for exit_code, output in ((1, b"a"), (1, b"b"), (0, b"b"), (0, b"b")):
        story.step("pytest", exit_code, output)
    assert len(collapse(run_view(story.entries).steps)) == 4


def test_a_block_of_steps_that_repeats_is_one_entry() -> None:
    view = run_view(steps_of(*["edit", "pytest"] * 50, "done").entries)
    entries = collapse(view.steps)
    assert [(len(entry.block), entry.times, entry.first, entry.last) for entry in entries] == [
        (2, 50, 1, 100),
        (1, 1, 101, 101),
    ]


def test_no_step_is_lost_or_doubled_by_collapsing() -> None:
    commands = [f"c{n * n % 5}" for n in range(60)] + ["x"] * 5 + ["y", "z", "w"] * 4
    view = run_view(steps_of(*commands).entries)
    shown = [
        step.command for entry in collapse(view.steps) for _ in range(entry.times) for step in entry.block
    ]
    assert shown == commands


def test_the_middle_of_a_very_long_timeline_is_left_out_unless_all_is_asked_for() -> None:
    view = run_view(steps_of(*[f"c{n}" for n in range(1000)]).entries)
    short, whole = timeline(view.steps), timeline(view.steps, show_all=True)
    assert len(short.head) + len(short.tail) == ENTRIES_SHOWN
    assert short.omitted == 1000 - ENTRIES_SHOWN
    assert (short.head[0].first, short.tail[-1].last) == (1, 1000)
    assert (len(whole.head), whole.omitted) == (1000, 0)
