"""What opencode, aider, qwen, pi, OpenHands and gemini start: the model's commands told from their own business."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.command import canonical
from microloop_cli.policy.profiles import load_profile
from tests.core.family_tree import kind

XDPYINFO = "xdpyinfo 2>/dev/null | grep 'depth of root window' | awk '{ print $5 }'"
SEEN = [
    ("gemini", ("/bin/sh", "-c", "lspci -vvv  2>/dev/null"), "housekeeping"),
    ("gemini", ("/bin/sh", "-c", "clinfo --raw"), "housekeeping"),
    ("gemini", ("/bin/sh", "-c", XDPYINFO), "housekeeping"),
    ("gemini", ("/bin/sh", "-c", "clinfo --raw; evil"), "step"),
    ("qwen", ("/bin/sh", "-c", "git rev-parse --abbrev-ref HEAD"), "housekeeping"),
    ("qwen", ("/bin/sh", "-c", "command -v zeditor"), "housekeeping"),
    ("qwen", ("/bin/sh", "-c", "ps -o ppid=,command= -p 22048"), "housekeeping"),
    ("qwen", ("/x/vendor/ripgrep/x64-linux/rg", "--version"), "housekeeping"),
    ("qwen", ("bash", "-c", "git rev-parse --abbrev-ref HEAD"), "step"),
    ("qwen", ("/usr/bin/node", "/x/.bin/qwen", "-p", "x"), "agent"),
    ("pi", ("/bin/bash", "-c", "python3 -m pytest -q"), "step"),
    ("pi", ("rg", "--json", "x"), "housekeeping"),
    (
        "opencode",
        ("git", "--git-dir", "/h/snapshot/c7", "--work-tree", "/repo", "write-tree"),
        "housekeeping",
    ),
    ("opencode", ("/usr/bin/bash", "-c", "git status"), "step"),
    ("aider", ("git", "commit", "-m", "fix", "--no-verify", "--", "calc.py"), "housekeeping"),
    ("aider", ("/v/bin/python3", "-m", "flake8", "--isolated", "calc.py"), "housekeeping"),
    ("aider", ("/bin/sh", "-c", "pytest -q"), "step"),
    ("aider", ("/bin/bash", "-i", "-c", "pytest -q"), "step"),
    ("openhands", ("/usr/bin/tmux", "-Lopenhands", "send-keys", "-t", "%1", "Enter"), "agent"),
    ("openhands", ("clear",), "housekeeping"),
    (
        "openhands",
        ("git", "clone", "--depth", "1", "https://x/y", "/h/.openhands/cache/skills/x"),
        "housekeeping",
    ),
    ("openhands", ("python3", "-m", "pytest", "-q"), "step"),
]


@pytest.mark.parametrize(("name", "argv", "expected"), SEEN)
def test_the_models_commands_are_told_from_the_agents_own(
    name: str, argv: tuple[str, ...], expected: str
) -> None:
    assert kind(*argv, profile=load_profile(name)) == expected


def test_a_command_in_qwens_older_wrapper_is_shown_as_the_model_meant_it() -> None:
    wrapped = "{ pytest -q; }; __code=$?; pgrep -g 0 >/tmp/x 2>&1; rm -f y; exit $__code;"
    assert canonical(("bash", "-c", wrapped), load_profile("qwen")) == "pytest -q"
