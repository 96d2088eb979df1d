"""What `inspect` prints: complete, harmless, and fitting the terminal."""

from __future__ import annotations

from typing import Any

import pytest
from rich.text import Text

from microloop_cli.core.actions import Finding
from microloop_cli.core.events import GuardNotice, RunStarted
from microloop_cli.view.cells import width_of
from microloop_cli.view.extras import read_changes, read_environment
from microloop_cli.view.runview import run_view
from microloop_cli.view.stepview import Kept, step_lines
from microloop_cli.view.terminal import run_lines
from tests.view.ledgers import CHANGES, ENVIRONMENT, Story, loop_story

LOOP_AT_80 = """\
run 20260102-030405-abc123  stopped: no progress, exit 120
  command    agent --fix
  workspace  /ws
  why        no progress: pytest -q
  when       2026-01-02T03:04:05Z, 2.50 s long

sandbox bwrap  guard 1.0, kernel 6.18
  enforced   filesystem, network
  NOT        memory: no cgroup that this user may write

limits
  steps      5 of 10  50%
  time       2.50 s of 10:00  0%
  idle       1.00 s (no limit)
  programs   6 started (1 agent, 5 step)

steps  5
  step        at      took  result             command
     1      0 ms    0.50 s  exit 1             pytest -q
     2    0.50 s    0.50 s  exit 1             pytest -q
     3    1.00 s    0.50 s  exit 1    nudged   pytest -q
     4    1.50 s         -  exit 126  REFUSED  pytest -q
     5    1.50 s         -  exit 126  REFUSED  pytest -q

findings  3
  repeat: nudged at 1.50 s, steps 1, 2, 3
    same output 3 times
  repeat: refused at 1.50 s, steps 1, 2, 3, 4
    the same command gave the same output 3 times
  repeat: run stopped at 1.50 s, steps 1, 2, 3, 4, 5
    no progress: pytest -q

changed files  2
  modified    calc.py
  added       new.txt
"""

NASTY = (
    "\x1b]0;owned\x07\x1b[2J[red]x[/red] \u202egnp.exe \x9b31m \r\n:smile: \udcff [link=file:///etc]y[/link]"
)


def shown(lines: Any) -> str:
    return "".join(text.plain.rstrip() + "\n" for text in lines)


def run_text(story: Story, width: int = 80, environment: Any = None, changes: Any = None, **more: Any) -> str:
    view = run_view(story.entries)
    changed = None if changes is None else read_changes(changes)
    return shown(run_lines(view, read_environment(environment), changed, width, **more))


def step_text(story: Story, n: int, content: bytes | None = None, width: int = 80, **more: Any) -> str:
    view = run_view(story.entries, tree_of=n)
    assert view.tree is not None
    step = view.steps[n - 1]
    outputs = (Kept("stdout", step.stdout, content), Kept("stderr", step.stderr, None))
    return shown(step_lines(view, step, view.tree, outputs, width, **more))


def assert_harmless(text: str) -> None:
    for bad in "\x1b\x07\x9b\r\u202e\udcff":
        assert bad not in text
    text.encode("utf-8")


def test_a_loop_reads_like_this() -> None:
    assert run_text(loop_story(), environment=ENVIRONMENT, changes=CHANGES) == LOOP_AT_80


def test_what_was_not_enforced_is_said_and_nothing_is_claimed_without_a_record() -> None:
    assert "NOT        memory: no cgroup" in run_text(loop_story(), environment=ENVIRONMENT)
    assert "enforced   not recorded" in run_text(loop_story())


@pytest.mark.parametrize("width", [60, 69, 70, 80, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    story = Story(("agent", "word " * 500))
    for _ in range(5):
        story.step("echo " + "long " * 500)
    story.refuse("日本語" * 100, "because " * 100)
    story.say(GuardNotice(text="notice " * 100), GuardNotice(text="日本語" * 100))
    changes = [{"path": "deep/" * 100 + "file", "kind": "added"}]
    text = run_text(story.finish(), width, ENVIRONMENT, changes)
    too_wide = [line for line in text.splitlines() if width_of(line) > width]
    assert not too_wide
    too_wide = [line for line in step_text(story, 1, b"out\n", width).splitlines() if width_of(line) > width]
    assert not too_wide


def hostile_story() -> Story:
    story = Story((NASTY, "x"))
    story.say(GuardNotice(text=NASTY), Finding(detector=NASTY, steps=(1,), answer="record", text=NASTY))
    story.step(NASTY, 1, NASTY.encode("utf-8", "surrogateescape"), nudge=NASTY)
    story.refuse(NASTY, NASTY)
    story.exec(NASTY, step=1, parent=2)
    return story.finish(reason=NASTY)


def test_what_the_agent_wrote_cannot_act_on_the_terminal() -> None:
    story = hostile_story()
    environment = {"backend": "x", "enforcement": {"enforced": {NASTY: ""}, "missing": {NASTY: NASTY}}}
    text = run_text(story, 100, environment, [{"path": NASTY, "kind": NASTY}], show_all=True)
    assert_harmless(text)
    assert "\\x1b[2J" in text
    output = NASTY.encode("utf-8", "surrogateescape")
    assert_harmless(step_text(story, 1, output, show_all=True))


def test_markup_in_data_is_shown_not_interpreted() -> None:
    view = run_view(hostile_story().entries)
    lines = list(run_lines(view, read_environment(None), (), 100))
    assert any("[red]x[/red]" in text.plain for text in lines)
    styles = {str(span.style) for text in lines for span in text.spans}
    assert not any("link" in style for style in styles)
    assert all(isinstance(text, Text) for text in lines)


def test_a_command_of_10_mb_takes_one_short_line() -> None:
    story = Story()
    story.step("printf '" + "\x1b" * 10_000_000 + "'")
    text = run_text(story.finish(), 100)
    assert len(text) < 5_000
    assert len(step_text(story, 1)) < 100_000


def test_a_hostile_first_event_is_shown_harmless() -> None:
    story = Story()
    started = story.entries[0].event
    assert isinstance(started, RunStarted)
    fields = {"run_id": NASTY, "started_at": NASTY, "workspace": NASTY, "backend": NASTY}
    import msgspec

    story.say(msgspec.structs.replace(started, **fields))
    assert_harmless(run_text(story))


def test_repeated_steps_are_one_line_and_all_shows_each() -> None:
    story = Story()
    for _ in range(300):
        story.step("pytest -q", 1)
    story.finish()
    assert "1-300  exit 1             pytest -q  (300x)" in run_text(story, 60)
    assert "exit 1             pytest -q  (300 times, same result)" in run_text(story, 100)
    assert run_text(story, 60, show_all=True).count("pytest -q") == 300


def test_a_repeated_block_names_its_steps_once() -> None:
    story = Story()
    for _ in range(150):
        story.step("edit")
        story.step("pytest -q", 1)
    text = run_text(story.finish(), 80)
    assert "1-300  2 steps repeated 150 times, same results:" in text
    assert text.count("pytest -q") == 1


def test_many_findings_and_changes_are_cut_and_say_so() -> None:
    story = Story()
    for n in range(100):
        story.refuse("pytest", f"why {n}")
    changes = [{"path": f"f{n}", "kind": "added"} for n in range(100)]
    text = run_text(story.finish(), 80, None, changes)
    assert "80 findings left out (--all shows them)" in text
    assert "50 files more (--all shows them)" in text
    whole = run_text(story, 80, None, changes, show_all=True)
    assert "left out" not in whole
    assert whole.count("  added ") == 100


def test_equal_findings_in_a_row_are_told_once() -> None:
    story = Story()
    for _ in range(100):
        story.refuse("pytest", "the same reason")
    text = run_text(story.finish())
    assert "findings  100\n" in text
    assert text.count("the same reason") == 1
    assert "    and 99 more like it, the last at step 100\n" in text
    assert run_text(story, show_all=True).count("the same reason") == 100


def test_no_change_and_no_record_of_changes_are_told_apart() -> None:
    assert "changed files  none\n" in run_text(loop_story(), changes=[])
    assert "changed files  not recorded\n" in run_text(loop_story())


def test_a_crashed_run_says_so() -> None:
    text = run_text(Story())
    assert "no end recorded" in text
    assert "steps  none" in text


def test_a_step_shows_its_place_in_the_process_tree() -> None:
    story = Story()
    n = story.begin("make")
    make = story.exec("make", "-j2", step=n, parent=story.execs)
    story.exec("cc", "-c", "a b.c", step=n, parent=make)
    story.exec("ld", step=n, parent=2)
    story.end(n)
    text = step_text(story.finish(), 1, b"")
    assert (
        "  agent agent --fix  (pid 101)\n"
        "    step 1 sh -c make  (pid 102)\n"
        "      make -j2  (pid 103)\n"
        "        cc -c 'a b.c'  (pid 104)\n"
        "      ld  (pid 105)\n"
    ) in text


def test_a_tree_ten_thousand_deep_is_drawn() -> None:
    story = Story()
    n = story.begin("fork")
    for _ in range(10_000):
        story.exec("fork", step=n, parent=story.execs)
    story.end(n)
    assert "9,800 programs left out" in step_text(story, 1, b"")
    assert step_text(story, 1, b"", show_all=True).count("fork  (pid") == 10_001


def test_the_cut_in_a_kept_output_is_marked_with_its_size() -> None:
    story = Story()
    story.step("yes", 0, b"head\ntail\n", whole_bytes=1_000_010)
    text = step_text(story, 1, b"head\ntail\n")
    assert "stdout  1,000,010 bytes\n  head\n  ... 1,000,000 bytes not kept ...\n  tail\n" in text


def test_a_long_output_shows_both_ends_and_all_shows_everything() -> None:
    story = Story()
    output = b"".join(b"line %d\r\n" % n for n in range(1000))
    story.step("seq", 0, output)
    text = step_text(story, 1, output)
    assert "  ... 800 lines left out (--all shows them) ..." in text
    assert "  line 99\n" in text
    assert "  line 100\n" not in text
    assert "  line 900\n" in text
    assert "  line 500\n" in step_text(story, 1, output, show_all=True)


def test_a_step_without_captured_output_says_why() -> None:
    story = loop_story()
    assert "stdout  it did not run" in step_text(story, 4)
    assert "  what was kept of it is missing from the bundle" in step_text(story, 1)
