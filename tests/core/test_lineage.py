"""What an exec is: told from real process trees of agents, and never confused by what a model writes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.lineage import REMEMBERED_EXECS, Classified, Family, agent_names, classify, remember
from microloop_cli.core.settings import AgentProfile
from microloop_cli.policy.profiles import load_profile, profile_names
from tests.core.family_tree import Tree, fact, kind


def test_what_the_agent_starts_is_a_step_and_what_a_step_starts_is_not() -> None:
    assert kind("myagent", lineage="root") == "agent"
    assert kind("/bin/sh", "-c", "pytest -q") == "step"
    assert kind("pytest", "-q") == "step"
    assert kind("pytest", "-q", lineage="nested") == "nested"
    assert kind("grep", "x", lineage="housekeeping") == "housekeeping"


def test_an_agent_that_executes_itself_again_is_still_the_agent() -> None:
    tree = Tree()
    root, _ = tree.run("/usr/bin/env", "node", "agent.js", lineage="root")
    assert tree.run("node", "agent.js", lineage="agent_self", parent=root)[1] == "agent"
    assert tree.run("pytest", parent=2)[1] == "step"


@pytest.mark.parametrize(
    "launch",
    [
        ("npx", "-y", "foo", "--fast"),
        ("node", "/usr/bin/npx", "foo"),
        ("node", "/x/npm/bin/npx-cli.js", "foo"),
        ("npm", "--yes", "exec", "foo"),
        ("uvx", "foo"),
        ("uv", "--quiet", "run", "foo"),
        ("uv", "tool", "run", "foo"),
        ("python3", "/usr/bin/pipx", "run", "foo"),
        ("python3", "-m", "pipx", "run", "foo"),
        ("bunx", "foo"),
        ("pnpm", "dlx", "foo"),
        ("yarn", "dlx", "foo"),
        ("timeout", "-k", "5", "60", "foo"),
        ("nohup", "foo"),
        ("nice", "-n", "5", "foo"),
        ("stdbuf", "-oL", "foo"),
        ("setsid", "foo"),
        ("/usr/bin/time", "-v", "foo"),
        ("sh", "-c", "cd sub && A=1 foo 'x; y'"),
        ("sh", "-c", "exec foo --fast > log 2>&1"),
    ],
    ids=" ".join,
)
def test_what_a_launcher_starts_is_the_agent_and_its_children_are_steps(launch: tuple[str, ...]) -> None:
    tree = Tree()
    root, _ = tree.run(*launch, lineage="root")
    agent, found = tree.run("foo", "--fast", parent=root)
    assert found == "agent"
    assert tree.run("sh", "-c", "ls", parent=agent)[1] == "step"


def test_npx_with_the_shell_npm_puts_between_is_the_agent_throughout() -> None:
    tree = Tree()
    npx, _ = tree.run("node", "/usr/bin/npx", "foo", lineage="root")
    shell, between = tree.run("sh", "-c", "foo '--prompt' 'a; b'", parent=npx)
    agent, found = tree.run("node", "/x/.bin/foo", "--prompt", "a; b", parent=shell)
    assert (between, found) == ("agent", "agent")
    assert tree.run("sh", "-c", "npx prettier .", parent=agent)[1] == "step"


def test_a_launcher_behind_a_launcher_is_followed() -> None:
    tree = Tree()
    outer, _ = tree.run("timeout", "60", "npx", "foo", lineage="root")
    npx, _ = tree.run("node", "/usr/bin/npx", "foo", parent=outer)
    agent, found = tree.run("node", "/x/foo.js", parent=npx)
    assert found == "agent"
    assert tree.run("make", parent=agent)[1] == "step"


@pytest.mark.parametrize(
    "script",
    ["make; make test", "for i in 1 2; do pytest; done", "a | b", "a || b", "a\nb", "(a)", "echo 'x"],
)
def test_a_shell_script_given_as_the_agent_has_its_commands_as_steps(script: str) -> None:
    tree = Tree()
    root, found = tree.run("sh", "-c", script, lineage="root")
    assert found == "agent"
    assert tree.run("make", parent=root)[1] == "step"


def test_a_plain_agent_is_no_launcher() -> None:
    for argv in [("python3", "-m", "myagent"), ("node", "agent.js"), ("npm", "test"), ("bash", "agent.sh")]:
        tree = Tree()
        root, _ = tree.run(*argv, lineage="root")
        assert tree.run("make", parent=root)[1] == "step", argv


def test_an_agent_that_uses_npx_as_a_tool_makes_a_step() -> None:
    tree = Tree()
    root, _ = tree.run("myagent", lineage="root")
    _, found = tree.run("npx", "prettier", parent=root)
    assert found == "step"
    assert tree.family.launchers == ()


@pytest.mark.parametrize(
    "shell",
    [("bash",), ("-bash",), ("bash", "-l"), ("sh", "-i"), ("busybox", "sh"), ("bash", "--norc", "-s", "x")],
)
def test_a_shell_that_reads_commands_is_the_agent(shell: tuple[str, ...]) -> None:
    for stdin in ("pipe", "tty", "socket"):
        assert kind(*shell, fds=(stdin, "pipe", "pipe")) == "agent"
    for stdin in ("null", "file", "closed"):
        assert kind(*shell, fds=(stdin, "pipe", "pipe")) == "step"


@pytest.mark.parametrize(
    "argv",
    [
        ("bash", "run.sh"),
        ("bash", "-lc", "ls"),
        ("bash", "--version"),
        ("bash", "-o", "pipefail", "-c", "ls"),
    ],
)
def test_a_shell_with_a_command_or_a_script_is_a_step_whatever_its_stdin(argv: tuple[str, ...]) -> None:
    assert kind(*argv, fds=("pipe", "pipe", "pipe")) == "step"


def test_commands_typed_into_tmux_are_steps_and_tmux_itself_is_not() -> None:
    assert kind("tmux", "send-keys", "ls", "Enter") == "agent"
    assert kind("bash", lineage="orphan", parent_exe="/usr/bin/tmux", fds=("tty", "tty", "tty")) == "agent"
    assert kind("pytest", lineage="orphan", parent_exe="/usr/bin/tmux", fds=("tty", "tty", "tty")) == "step"


def test_a_shell_that_tmux_was_told_to_start_is_no_step_and_neither_is_its_bookkeeping() -> None:
    in_tmux: dict[str, Any] = {
        "lineage": "orphan",
        "parent_exe": "/usr/bin/tmux",
        "fds": ("tty", "tty", "tty"),
    }
    assert kind("sh", "-c", "bash --norc --noprofile", **in_tmux) == "agent"
    assert kind("sh", "-c", "bash run.sh", **in_tmux) == "step"
    assert kind("/usr/lib/utempter/utempter", "add", **in_tmux) == "housekeeping"


def test_an_orphan_of_something_else_belongs_to_no_step() -> None:
    assert kind("sleep", "1", lineage="orphan", parent_exe="/usr/bin/make") == "nested"


def test_names_in_the_policy_make_programs_the_agent() -> None:
    profile = AgentProfile(processes=("worker",))
    assert kind("/opt/worker", "--serve", profile=profile) == "agent"
    assert kind("node", "/opt/worker.js", profile=profile) == "agent"
    assert kind("/opt/other", profile=profile) == "step"
    assert {"worker", "tmux"} <= set(agent_names(profile))


def test_the_family_stays_small_however_long_the_run() -> None:
    family = Family()
    for exec_id in range(10 * REMEMBERED_EXECS):
        told = fact("x", exec_id=exec_id)
        family = remember(family, told, Classified("shim"))
        family = remember(family, told, Classified("agent", launcher=True))
    assert len(family.shims) == len(family.launchers) == REMEMBERED_EXECS
    assert family.launchers[-1] == 10 * REMEMBERED_EXECS - 1


WORDS = st.sampled_from(
    [
        "sh",
        "bash",
        "-c",
        "-lc",
        "-",
        "--",
        "-o",
        "busybox",
        "npx",
        "node",
        "-m",
        "python3",
        "npm",
        "exec",
        "",
        "'",
        "env",
    ]
)
ARGV = st.lists(st.one_of(WORDS, st.text()), max_size=8).map(tuple)


@given(
    ARGV,
    st.sampled_from(["root", "agent_self", "agent_child", "nested", "housekeeping", "orphan"]),
    st.sampled_from(["pipe", "null", "tty"]),
    st.sampled_from(profile_names()),
    st.text(),
)
def test_no_exec_is_too_strange_to_be_judged(
    argv: tuple[str, ...], lineage: str, stdin: str, name: str, exe: str
) -> None:
    told = fact(*argv, lineage=lineage, fds=(stdin, "pipe", "pipe"), exe=exe, parent_exe=exe)
    assert classify(Family((1,), (2,)), told, load_profile(name)).kind
