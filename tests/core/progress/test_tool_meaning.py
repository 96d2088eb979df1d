"""What agents' own tools mean: equal actions for calls that do the same, kinds that detectors know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.signals import CommandKind, Meaning, Writes
from microloop_cli.core.progress.tools import told_exit_code, tool_meaning, tool_words

PATCH = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** End Patch"


def meant(tool: str, shell: str | None = None, /, **arguments: Any) -> Meaning:
    return tool_meaning(tool, json.dumps(arguments), shell, "/repo")


@pytest.mark.parametrize(
    ("tool", "arguments", "kind", "writes", "paths"),
    [
        ("Read", {"file_path": "/repo/a.py"}, "view", "no", ("a.py",)),
        ("read_file", {"absolute_path": "/repo/a.py", "limit": 50}, "view", "no", ("a.py",)),
        ("str_replace_editor", {"command": "view", "path": "/repo/a.py"}, "view", "no", ("a.py",)),
        ("Grep", {"pattern": "x", "path": "src"}, "search", "no", ("src",)),
        ("search_file_content", {"pattern": "x"}, "search", "no", ()),
        ("Glob", {"pattern": "**/*.py"}, "list", "no", ()),
        ("LS", {"path": "/repo/src"}, "list", "no", ("src",)),
        ("Edit", {"file_path": "a.py", "old_string": "x", "new_string": "y"}, "edit", "yes", ("a.py",)),
        ("replace", {"file_path": "a.py", "old_string": "x", "new_string": "y"}, "edit", "yes", ("a.py",)),
        ("Write", {"file_path": "/repo/a.py", "content": "x"}, "edit", "yes", ("a.py",)),
        ("MultiEdit", {"file_path": "a.py", "edits": [{"old_string": "x"}]}, "edit", "yes", ("a.py",)),
        ("apply_patch", {"input": PATCH}, "edit", "yes", ("src/a.py",)),
        ("mcp__files__write_file", {"path": "a.py", "content": "x"}, "edit", "yes", ("a.py",)),
        ("WebFetch", {"url": "https://x.org", "prompt": "?"}, "other", "no", ()),
        ("TodoWrite", {"todos": [{"content": "edit it"}]}, "other", "no", ()),
        ("mcp__github__create_issue", {"title": "t", "description": "d"}, "other", "no", ()),
        ("sleep", {"seconds": 5}, "wait", "no", ()),
    ],
)
def test_tools_of_many_agents_have_the_kinds_of_commands(
    tool: str, arguments: dict[str, Any], kind: CommandKind, writes: Writes, paths: tuple[str, ...]
) -> None:
    known = meant(tool, **arguments)
    assert (known.kind, known.writes, known.paths) == (kind, writes, paths)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Read", {"file_path": "/repo/a.py"}), ("read_file", {"path": "./a.py"})),
        (("fetch", {"url": "u", "timeout": 5}), ("fetch", {"timeout": 9, "url": "u"})),
        (("ask", {"q": "a  b", "n": 1}), ("ask", {"n": 1, "q": "a b", "timeout_ms": 3})),
        (("apply_patch", {"input": PATCH}), ("apply_patch", {"patch": PATCH + "\n"})),
        (("Grep", {"pattern": "x"}), ("Grep", {"pattern": "x", "description": "look"})),
    ],
)
def test_calls_that_do_the_same_have_one_action(
    one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]
) -> None:
    assert meant(one[0], **one[1]).action == meant(other[0], **other[1]).action


def test_calls_that_do_something_else_have_another_action() -> None:
    calls = [
        meant("Edit", path="a", old_string="x", new_string="y"),
        meant("Edit", path="a", old_string="x", new_string="z"),
        meant("Edit", path="b", old_string="x", new_string="y"),
        meant("mcp__one__get", id=1),
        meant("mcp__two__get", id=1),
        meant("create_issue", title="t", description="a"),
        meant("create_issue", title="t", description="b"),
        meant("think", thought="one"),
        meant("think", thought="another"),
    ]
    assert len({call.action for call in calls}) == len(calls)


def test_a_look_at_what_runs_polls() -> None:
    assert meant("BashOutput", bash_id="1").polls
    assert meant("write_stdin", session_id=1, chars="").polls
    assert not meant("write_stdin", session_id=1, chars="y\n").polls
    assert not meant("Read", file_path="status.txt").polls


def test_a_shell_tool_means_its_command() -> None:
    assert meant("Bash", "cd /repo && cat a.py", command="cd /repo && cat a.py") == meant("shell", "cat a.py")


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("Read", '{"file_path": "src/a.py", "limit": 5}', "Read src/a.py"),
        ("Grep", '{"path": "src", "pattern": "x y"}', "Grep x y src"),
        ("str_replace_editor", '{"command": "view", "path": "a"}', "str_replace_editor view a"),
        ("apply_patch", json.dumps({"input": PATCH}), "apply_patch src/a.py"),
        ("list_all", "{}", "list_all"),
        ("poke", '{"n": 1}', 'poke {"n": 1}'),
        ("poke", "not\njson", "poke not json"),
    ],
)
def test_a_call_is_shown_in_few_words(tool: str, arguments: str, words: str) -> None:
    assert tool_words(tool, arguments, None) == words


def test_arguments_that_were_cut_still_tell_the_file_and_one_edit_from_another() -> None:
    one = '{"file_path": "a.py", "content": "' + "x" * 100 + "... <99999 characters, 01>"
    known = tool_meaning("Write", one, None)
    assert (known.kind, known.paths) == ("edit", ("a.py",))
    assert tool_meaning("Write", one.replace("01>", "02>"), None).action != known.action


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"Exit code 1\nFAILED", 1),
        (b"Chunk ID: 1\nProcess exited with code 2\nOutput:\nx", 2),
        (b"<returncode>0</returncode>\n<output>", 0),
        (b'{"output": "x", "exit_code": 127}', 127),
        (b"Output: x\nExit Code: 3", 3),
        (b"x\n[Command finished with exit code -1]", -1),
        (b"all good", None),
        (b"a tool must exit with code 1 when it fails, not exit code 2 as before", None),
    ],
)
def test_shell_tools_tell_their_exit_code_in_words(text: bytes, code: int | None) -> None:
    assert told_exit_code(text, b"") == code


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["path", "command", "view_range", "offset", "limit", "pattern", "old_str", "input", "x"]
)
NAMES = st.sampled_from(
    ["Read", "edit", "create", "LS", "str_replace_editor", "mcp__a__b", "", "write_stdin"]
)


@settings(max_examples=200, deadline=None)
@given(NAMES | st.text(max_size=20), st.dictionaries(KEYS, HOSTILE, max_size=4).map(json.dumps) | st.text())
def test_no_call_can_make_it_fail(tool: str, arguments: str) -> None:
    known = tool_meaning(tool, arguments, None, "/repo")
    assert known == tool_meaning(tool, arguments, None, "/repo")
    assert len(known.action) < 3_000
    assert len(tool_words(tool, arguments, None)) < 300


def test_arguments_as_deep_as_they_come_are_read() -> None:
    for depth in (100, 1_000, 100_000):
        tool_meaning("x", '{"path":' + "[" * depth + "]" * depth + "}", None)
        tool_meaning("x", '{"a":' * depth + "1" + "}" * depth, None)
