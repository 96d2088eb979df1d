"""A step is linked to the tool call that asked for it, however the agent wraps the command."""

from __future__ import annotations

import pytest

from microloop_cli.core.tools import OPEN_CALLS
from microloop_cli.policy.profiles import load_profile
from tests.core.traffic_story import TrafficStory, verdict_in

SNAPSHOT = "/h/.claude/shell-snapshots/snapshot-bash-1-x.sh"
ASKED = "cd /repo && python -m pytest -q 'tests/a b.py' | tail -3"
QUOTED = "'cd /repo && python -m pytest -q '\\''tests/a b.py'\\'' | tail -3'"

SHAPES = {
    "mini-swe-agent": ("/bin/sh", "-c", ASKED),
    "codex": ("/bin/bash", "-lc", ASKED),
    "claude": (
        "/bin/bash",
        "-c",
        f"source {SNAPSHOT} 2>/dev/null || true && eval {QUOTED} < /dev/null && pwd -P >| /tmp/c",
    ),
    "gemini": ("bash", "-c", f"shopt -u promptvars nullglob extglob nocaseglob dotglob; {ASKED}"),
}


@pytest.mark.parametrize("agent", SHAPES)
def test_the_step_of_a_known_agent_is_linked(agent: str) -> None:
    story = TrafficStory(agent=load_profile(agent))
    other = story.called("Bash", "ls")
    call = story.called("Bash", ASKED)
    assert story.starts(*SHAPES[agent]).tool_call == call != other


@pytest.mark.parametrize(
    ("asked", "argv"),
    [
        ("pytest   -q\n", ("sh", "-c", "pytest -q")),
        ("cat /repo/a.py", ("sh", "-c", "cat ./a.py")),
        ("pytest -q", ("sh", "-c", "set -e; (pytest -q) 2>&1")),
        ("pytest -q", ("timeout", "60", "sh", "-c", "pytest -q")),
        ("cd src && grep -n 'a b' x.py | head", ("grep", "-n", "a b", "x.py")),
    ],
    ids=["other spaces", "other spelling", "wrapped", "within a program", "a part, by a persistent shell"],
)
def test_a_command_in_other_clothes_is_linked(asked: str, argv: tuple[str, ...]) -> None:
    story = TrafficStory()
    call = story.called("bash", asked)
    assert story.starts(*argv).tool_call == call


def test_what_no_call_asked_for_is_not_linked() -> None:
    story = TrafficStory()
    story.called("bash", "pytest -q")
    story.called("Read", file_path="ls")
    assert story.starts("sh", "-c", "ls").tool_call is None
    assert story.starts("sh", "-c", "pytest tests").tool_call is None


def test_of_equal_calls_each_gets_its_own_step() -> None:
    story = TrafficStory()
    first, second = story.called("bash", "make"), story.called("bash", "make")
    assert [story.starts("sh", "-c", "make").tool_call for _ in range(2)] == [first, second]


def test_the_same_words_win_over_words_around_them() -> None:
    story = TrafficStory()
    around, same = story.called("bash", "ls -l && ls"), story.called("bash", "ls")
    assert story.starts("sh", "-c", "ls").tool_call == same != around


def test_a_refused_step_is_linked_too() -> None:
    story = TrafficStory()
    for _ in range(3):
        call = story.called("bash", "pytest -q")
        story.run("pytest -q")
        story.returned(call)
    call = story.called("bash", "pytest -q")
    verdict = story.starts("sh", "-c", "pytest -q")
    assert (verdict.allow, verdict.tool_call) == (False, call)
    assert verdict_in(story.returned(call)).step == verdict.step


def test_a_shell_call_that_a_process_ran_is_not_judged_again() -> None:
    story = TrafficStory()
    for number in range(1, 3):
        call = story.called("bash", "pytest -q")
        story.run("pytest -q")
        verdict = verdict_in(story.returned(call))
        assert (verdict.step, verdict.command, verdict.answer) == (number, None, "pass")
    assert story.state.steps == 2


def test_a_shell_call_is_covered_by_a_step_that_reads_otherwise() -> None:
    story = TrafficStory()
    call = story.called("bash", "run the tests")
    story.run("pytest -q")
    assert verdict_in(story.returned(call)).step == 1
    assert story.state.steps == 1


def test_the_step_of_another_call_covers_none_but_that() -> None:
    story = TrafficStory()
    remote, local = story.called("bash", "date"), story.called("bash", "make")
    story.run("make")
    assert verdict_in(story.returned(local)).step == 1
    verdict = verdict_in(story.returned(remote))
    assert (verdict.step, verdict.command) == (2, "date")


def test_a_shell_call_that_no_process_ran_is_a_step_of_its_own() -> None:
    story = TrafficStory()
    story.run("ls")  # before the call
    verdict = verdict_in(story.tool("bash", command="ls"))
    assert verdict.step == 2


def test_calls_that_are_never_answered_are_forgotten_at_last() -> None:
    story = TrafficStory()
    first = story.called("bash", "first")
    for number in range(OPEN_CALLS):
        last = story.called("bash", f"echo {number}")
    assert len(story.state.tools.open) == OPEN_CALLS
    assert verdict_in(story.returned(first)).step is None
    assert verdict_in(story.returned(last)).step == 1


def test_an_answer_to_an_unknown_call_passes_and_is_no_step() -> None:
    story = TrafficStory()
    verdict = verdict_in(story.returned("of an old conversation"))
    assert (verdict.step, verdict.answer, story.state.steps) == (None, "pass", 0)
    call = story.called("Read", file_path="a")
    assert [verdict_in(story.returned(call)).step for _ in range(2)] == [1, None]
