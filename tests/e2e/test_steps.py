"""What is a step, what is not, and what the agent is told when one is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.running import commands, output_of, run, run_script
from tests.needs import need

SAME = "/bin/sh -c 'echo same; exit 1'"


def test_each_program_the_agent_starts_is_one_step_with_output_and_code(workspace: Path) -> None:
    done = run_script(workspace, "/bin/echo one\n/bin/sh -c 'echo two; echo three >&2; exit 4'\n/bin/true\n")
    assert done.exit_code == 0, done.said()
    steps = done.inspect()["steps"]
    assert [step["n"] for step in steps] == [1, 2, 3]
    assert [step["exit_code"] for step in steps] == [0, 4, 0]
    assert steps[0]["argv"] == ["/bin/echo", "one"]
    assert output_of(done.bundle, 1) == "one\n"
    assert output_of(done.bundle, 2) == "two\n"
    assert output_of(done.bundle, 2, "stderr") == "three\n"
    assert output_of(done.bundle, 3) == ""


def test_what_a_step_starts_is_recorded_below_it_and_is_no_step(workspace: Path) -> None:
    done = run_script(workspace, "/bin/sh -c '/bin/echo a; /bin/echo b; /bin/sh -c \"/bin/echo c; :\"; :'\n")
    assert done.exit_code == 0, done.said()
    (step,) = done.inspect()["steps"]
    assert step["execs_below"] == 4
    nested = [fact["argv"] for fact in done.events("exec") if fact["lineage"] == "nested"]
    assert [argv[-1] for argv in nested if argv[0] == "/bin/echo"] == ["a", "b", "c"]
    assert output_of(done.bundle, 1) == "a\nb\nc\n"


def test_a_repeat_is_nudged_then_refused_with_126_and_told_why(workspace: Path) -> None:
    script = f'for i in 1 2 3 4 5 6 7; do out=$({SAME} 2>&1); echo "$i: $? $out"; done\n'
    done = run_script(workspace, script)
    assert done.exit_code == 120, done.said()
    first, second, third, fourth, fifth = (_answer(done.stdout, number) for number in "12345")
    assert first == second == "1 same\n"
    assert third.startswith("1 same\n")
    assert "microloop" in third
    assert fourth.startswith("126 ")
    assert fifth.startswith("126 ")
    assert "microloop" in fourth
    verdicts = [step["verdict"] for step in done.inspect()["steps"]]
    assert verdicts[:5] == ["allowed", "allowed", "nudged", "refused", "refused"]


def _answer(stdout: str, number: str) -> str:
    """What the agent printed about its attempt `number`, up to the next attempt."""
    _, _, rest = stdout.partition(f"{number}: ")
    return rest.partition(f"{int(number) + 1}: ")[0]


def test_a_changed_file_makes_the_same_command_welcome_again(workspace: Path) -> None:
    script = f"for i in 1 2 3 4 5 6 7; do {SAME}; echo $i >> notes.txt; done\nexit 0\n"
    done = run_script(workspace, script)
    assert done.exit_code == 0, done.said()
    document = done.inspect()
    assert document["findings"] == []
    assert len(document["steps"]) == 7


def test_the_commands_a_persistent_shell_reads_from_a_pipe_are_the_steps(workspace: Path) -> None:
    need("bash")
    done = run_script(workspace, "printf '/bin/echo one\\n/bin/echo two\\nexit 3\\n' | bash\n")
    assert done.exit_code == 3, done.said()
    assert commands(done.inspect()) == ["/bin/echo one", "/bin/echo two"]


@pytest.mark.parametrize("shell", ["", "bash", "'bash --norc --noprofile'"])
def test_the_commands_typed_into_tmux_are_steps(workspace: Path, shell: str) -> None:
    need("tmux", "bash")
    script = (
        "export TERM=screen\n"
        f"tmux -L agent new-session -d -s main {shell}\n"
        "tmux -L agent send-keys -t main '/bin/mkdir typed' Enter\n"
        "n=0; while [ ! -d typed ] && [ $n -lt 100 ]; do /bin/sleep 0.1; n=$((n+1)); done\n"
        "tmux -L agent kill-server\n"
        "test -d typed\n"
    )
    done = run_script(workspace, script)
    assert done.exit_code == 0, done.said()
    assert "/bin/mkdir typed" in commands(done.inspect())


def test_an_agent_that_executes_itself_again_is_still_the_agent(workspace: Path) -> None:
    done = run_script(workspace, '[ -n "$AGAIN" ] || AGAIN=1 exec sh "$0"\n/bin/echo once\n')
    assert done.exit_code == 0, done.said()
    assert commands(done.inspect()) == ["/bin/echo once"]


def test_an_agent_in_the_venv_of_this_python_is_found_and_run(workspace: Path) -> None:
    agent = workspace / "agent.py"
    agent.write_text(
        "import subprocess, sys\n"
        "done = subprocess.run('echo from python; exit 5', shell=True, capture_output=True, text=True)\n"
        "print(done.returncode, done.stdout.strip())\n"
        "sys.exit(6)\n"
    )
    done = run(workspace, "--", sys.executable, "agent.py")
    assert done.exit_code == 6, done.said()
    assert done.stdout == "5 from python\n"
    (step,) = done.inspect()["steps"]
    assert step["exit_code"] == 5
    assert step["command"] == "echo from python; exit 5"


def test_processes_in_the_background_of_a_step_do_not_hold_it_up(workspace: Path) -> None:
    done = run_script(workspace, "/bin/sh -c 'sleep 20 & echo started'\n/bin/echo next\n")
    assert done.exit_code == 0, done.said()
    document = done.inspect()
    assert [step["exit_code"] for step in document["steps"]] == [0, 0]
    assert document["duration_seconds"] < 15
