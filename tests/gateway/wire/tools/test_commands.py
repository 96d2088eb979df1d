"""The command of a shell tool, as each agent spells it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.wire.tools.commands import command_of
from microloop_cli.gateway.wire.tools.tool import ToolCall
from tests.gateway.wire.tools.shapes import shapes


def call(name: str, arguments: Any) -> ToolCall:
    return ToolCall(id="x", name=name, arguments=json.dumps(arguments))


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("Bash", {"command": "pytest -q", "description": "Run", "timeout": 1}, "pytest -q"),
        ("shell", {"command": ["bash", "-lc", "pytest -q | tail"], "workdir": "/w"}, "pytest -q | tail"),
        ("shell", {"command": ["git", "log", "--format=%h %s"]}, "git log '--format=%h %s'"),
        ("shell", {"command": ["/bin/sh", "-l", "-c", "ls"]}, "ls"),
        ("shell", {"command": ["bash", "-lc", "ls $0", "a b"]}, "bash -lc 'ls $0' 'a b'"),
        ("shell_command", {"command": "ls", "workdir": "."}, "ls"),
        ("exec_command", {"cmd": "ls -la", "yield_time_ms": 1000}, "ls -la"),
        ("container.exec", {"cmd": ["ls"]}, "ls"),
        ("local_shell", {"action": {"type": "exec", "command": ["bash", "-lc", "ls"]}}, "ls"),
        ("shell", {"action": {"commands": ["ls", "pwd"], "timeout_ms": 5}}, "ls\npwd"),
        ("run_shell_command", {"command": "npm test", "directory": "a"}, "npm test"),
        ("bash", {"command": "bash -lc 'ls'"}, "bash -lc 'ls'"),
        ("execute_bash", {"command": "ls", "is_input": "false", "security_risk": "LOW"}, "ls"),
        ("terminal", {"command": "ls", "is_input": False}, "ls"),
        ("execute_command", {"command": "ls", "requires_approval": False}, "ls"),
        ("developer__shell", {"command": "ls"}, "ls"),
        ("mcp__box__bash", {"command": " ls\n"}, "ls"),
    ],
)
def test_the_command_of_a_shell_tool(name: str, arguments: Any, command: str) -> None:
    assert command_of(call(name, arguments)) == command


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("str_replace_based_edit_tool", {"command": "view", "path": "a.py"}),
        ("str_replace_editor", {"command": "str_replace", "path": "a.py"}),
        ("Read", {"file_path": "a.py"}),
        ("BashOutput", {"bash_id": "1"}),
        ("write_stdin", {"session_id": 1, "chars": "ls\n"}),
        ("execute_bash", {"command": "C-c", "is_input": "true"}),
        ("terminal", {"command": ""}),
        ("Bash", {"command": 7}),
        ("Bash", {"command": ["ls", 7]}),
        ("Bash", {"restart": True}),
        ("Bash", ["ls"]),
        ("Bash", "ls"),
    ],
)
def test_other_tools_and_odd_arguments_have_no_command(name: str, arguments: Any) -> None:
    assert command_of(call(name, arguments)) is None


@given(st.text(max_size=30), shapes, st.text(max_size=300))
def test_no_call_is_too_odd_to_be_asked_for_its_command(name: str, arguments: Any, rest: str) -> None:
    for each in (
        call(name, arguments),
        call("bash", {"command": rest}),
        ToolCall(id="", name=name, arguments=rest),
    ):
        command = command_of(each)
        assert command is None or isinstance(command, str)
