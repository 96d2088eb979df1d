"""What claude, codex, mini-swe-agent and gemini start: the model's commands told from their own business."""

from __future__ import annotations

import pytest

from microloop_cli.policy.profiles import load_profile
from tests.core.family_tree import Tree, kind

SNAPSHOT = "/h/.claude/shell-snapshots/snapshot-bash-1-x.sh"

CLAUDE = [
    (("git", "-c", "core.hooksPath=/dev/null", "ls-files"), "housekeeping"),
    (("/usr/bin/git", "--no-optional-locks", "status", "--short"), "housekeeping"),
    (("rg", "--no-config", "--files", "--hidden", "/repo"), "housekeeping"),
    (("/bin/sh", "-c", 'ps aux | grep -E "code|cursor|android-studio" | grep -v grep'), "housekeeping"),
    (("/bin/bash", "-c", "env"), "housekeeping"),
    (("/bin/bash", "-c", "-l", "SNAPSHOT_FILE=/h/x.sh\n  # No user config file\n"), "housekeeping"),
    (
        (
            "/bin/bash",
            "-c",
            f"source {SNAPSHOT} 2>/dev/null || true && eval 'env' < /dev/null && pwd -P >| /tmp/c",
        ),
        "step",
    ),
    (("/bin/bash", "-c", "-l", "eval 'ps aux | grep x' < /dev/null && pwd -P >| /tmp/c"), "step"),
    (("/x/bin/claude.exe", "--worker"), "agent"),
]


@pytest.mark.parametrize(("argv", "expected"), CLAUDE)
def test_claudes_commands_are_told_from_its_housekeeping(argv: tuple[str, ...], expected: str) -> None:
    exe = "/x/bin/claude.exe" if argv[0] == "rg" else argv[0]
    assert kind(*argv, profile=load_profile("claude"), exe=exe) == expected


CODEX_DUMP = (
    'if [ -z "${BASH_ENV-}" ] && [ -n "${HOME-}" ]; then\n  . "$HOME/.bashrc"\nfi\necho \'# Snapshot file\'\n'
)
CODEX_TRY = 'set -e; . "/h/.codex/shell_snapshots/01a1fe22.tmp-1795265056507709685"'
CODEX_SETUP = (
    "/proc/self/exe",
    "--codex-run-as-process-setup",
    "38",
    "4424",
    "pipe",
    "",
    "/repo",
    "/bin/bash",
)
CODEX_PRELUDE = ("/bin/bash", "-c", '__CODEX_SNAPSHOT_OVERRIDE_SET_0="${X+x}"\nexec /bin/bash -c ls')


def codex_tree() -> tuple[Tree, int]:
    tree = Tree(load_profile("codex"))
    env, _ = tree.run("/usr/bin/env", "node", "/x/.bin/codex", "exec", lineage="root")
    node, first = tree.run("node", "/x/.bin/codex", "exec", lineage="agent_self", parent=env)
    native, second = tree.run("/x/vendor/bin/codex", "exec", parent=node)
    assert (first, second) == ("agent", "agent")
    return tree, native


def test_codex_makes_one_step_of_a_command_it_sets_up_in_three_execs() -> None:
    tree, native = codex_tree()
    for argv in [("lsb_release", "-a"), ("getconf", "LONG_BIT"), ("git", "rev-parse", "HEAD")]:
        assert tree.run(*argv, parent=native)[1] == "housekeeping"
    assert tree.run("/bin/bash", "-lc", CODEX_DUMP, parent=native)[1] == "housekeeping"
    assert tree.run("/bin/bash", "-c", CODEX_TRY, parent=native)[1] == "housekeeping"
    setup, first = tree.run(*CODEX_SETUP, parent=native, exe="/x/vendor/bin/codex")
    prelude, second = tree.run(*CODEX_PRELUDE, parent=setup)
    assert (first, second) == ("shim", "shim")
    assert tree.run("/bin/bash", "-c", "ls", parent=prelude)[1] == "step"


def test_an_older_codex_runs_its_commands_directly() -> None:
    tree, native = codex_tree()
    assert tree.run("/bin/bash", "-lc", "python3 -m pytest -q", parent=native)[1] == "step"


@pytest.mark.parametrize("command", [CODEX_DUMP + "; evil", CODEX_TRY, "git status"])
def test_a_model_cannot_pass_its_command_off_as_housekeeping_of_codex(command: str) -> None:
    tree, native = codex_tree()
    setup, _ = tree.run(*CODEX_SETUP, parent=native, exe="/x/vendor/bin/codex")
    assert tree.run("/bin/bash", "-lc", command, parent=setup)[1] == "step"
    forged, found = tree.run("/bin/bash", "-lc", "__CODEX_SNAPSHOT_OVERRIDE_SET_0=1; git push", parent=setup)
    assert found == "shim"
    assert tree.run("git", "push", parent=forged)[1] == "step"


@pytest.mark.parametrize(
    "script",
    [
        'if [ -z "${BASH_ENV-}" ] && [ -n "${HOME-}" ]; then\n  . x\nfi\necho \'# Snapshot file\'\ndeclare -f',
        "__codex_snapshot_expand_env() (\n  set +u\n)\necho '# Snapshot file'\n__codex_snapshot_export",
    ],
    ids=["bash", "sh"],
)
def test_codex_reading_the_login_shell_is_housekeeping(script: str) -> None:
    tree, native = codex_tree()
    assert tree.run("/bin/sh", "-lc", script, parent=native)[1] == "housekeeping"


def test_more_behind_codex_trying_its_snapshot_is_no_housekeeping() -> None:
    tree, native = codex_tree()
    assert tree.run("/bin/bash", "-c", CODEX_TRY + "; evil", parent=native)[1] == "step"


def test_mini_swe_agent_and_gemini_make_steps_of_shell_commands_only() -> None:
    mini, gemini = load_profile("mini-swe-agent"), load_profile("gemini")
    assert kind("uname", "-p", profile=mini) == "housekeeping"
    assert kind("/bin/sh", "-c", "uname -p", profile=mini) == "step"
    assert kind("node", "--max-old-space-size=4096", "/x/gemini.js", "-p", "x", profile=gemini) == "agent"
    assert kind("git", "status", profile=gemini) == "housekeeping"
    assert kind("bash", "-c", "shopt -u promptvars; ls", profile=gemini) == "step"
