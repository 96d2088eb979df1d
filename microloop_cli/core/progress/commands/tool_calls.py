"""Calls of agents' own tools as trajectories write them: `edit {...}`, `read {...}`, `open F`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.redirects import digest_of, is_outside, written_text
from microloop_cli.core.progress.commands.unquote import collapsed, joined, quoted
from microloop_cli.core.progress.commands.views import Lines, View
from microloop_cli.core.progress.signals import Writes

_CALL = re.compile(r"\s*([A-Za-z_][\w.-]{0,63})\s*(\{.*\})\s*", re.DOTALL)
_HALF_CALL = re.compile(
    r'\s*((?:str_replace\w*|edit\w*|write\w*|create\w*|insert\w*|multi_?edit|replace\w*)) ?\{\s*"', re.I
)
_PATH_IN_HALF = re.compile(r'"(?:file_)?path": ?"([^"\\\n]{1,512})"')
_LINE_EDIT = re.compile(r"edit\s+\d+:\d+\s*\n", re.DOTALL)
_COMMAND_KEYS = ("command", "cmd", "script")
_PATH_KEYS = (
    "path",
    "file_path",
    "filePath",
    "filename",
    "file",
    "target_file",
    "absolute_path",
    "notebook_path",
)
_OLD_KEYS = ("old_str", "oldText", "old_string", "oldString", "search")
_NEW_KEYS = ("new_str", "newText", "new_string", "newString", "replace", "insert_text")
_TEXT_KEYS = ("file_text", "content", "contents", "text", "new_source")
_PATTERN_KEYS = ("pattern", "query", "regex", "search_term", "glob_pattern")
_WRITING = re.compile(r"edit|write|creat|insert|replace|patch|delet|remov|move|renam|undo", re.I)
_READING = re.compile(r"(?:read|view|open|cat|show|get)", re.I)
_LISTING = re.compile(r"(?:list_?(?:dir|files|directory)?|ls)", re.I)
_TELLING = re.compile(
    r"think|finish|todo|plan|task|submit|message|ask|web|browse|fetch|search|read|view|list", re.I
)
_EDITOR_COMMANDS = frozenset({"create", "str_replace", "insert", "undo_edit", "edit", "delete"})
_SHELLS = frozenset(
    {"bash", "shell", "execute_bash", "run_shell_command", "terminal", "exec", "run_command", "Bash"}
)
_PAGING = frozenset(
    {"scroll_down", "scroll_up", "goto", "open", "next", "prev", "step", "continue", "list", "where"}
)
_SEARCHING = frozenset({"search_dir", "search_file", "find_file", "search"})


def tool_call(text: str, place: Place) -> Part | str | None:
    """The part of a tool call; a str when it is a shell command's text; None when it is no tool call."""
    head = text[:64].split(None, 1)
    name = head[0] if head else ""
    if name == "<message>" or (name == "submit" and "\n" not in text[:512].strip()):
        return Part(collapsed(text), "other", "no")
    if name == "edit" and _LINE_EDIT.match(text):
        return Part(collapsed(text[:200]) + f" <{digest_of(text)}>", "edit", "yes")
    if name in ("***", "") and text.lstrip().startswith("*** Begin Patch"):
        return Part(f"apply_patch <{digest_of(text.strip())}>", "edit", "yes")
    if name in _PAGING or name in _SEARCHING or name == "create":
        return _sweagent(name, text, place)
    match = _CALL.fullmatch(text) if "{" in text[:96] else None
    if match is None:
        return _half_call(text, place) if "{" in text[:96] else None
    try:
        arguments = msgspec.json.decode(match.group(2))
    except (msgspec.DecodeError, RecursionError):
        return None
    return _json_call(match.group(1), arguments, place) if isinstance(arguments, dict) else None


def _half_call(text: str, place: Place) -> Part | None:
    """A record that was cut in the middle of its arguments: what is there, and the path if that is there."""
    match = _HALF_CALL.match(text)
    if match is None:
        return None
    path = _PATH_IN_HALF.search(text)
    paths = (place.path(path.group(1)),) if path is not None else ()
    return Part(f"{match.group(1)} {' '.join(paths)} <{digest_of(text)}>", "edit", "yes", paths)


def _sweagent(name: str, text: str, place: Place) -> Part | None:
    words = text.split()
    if "\n" in text.strip() or len(words) > 4 or any(char in text for char in "|;&<>"):
        return None
    if name in _SEARCHING:
        return Part(collapsed(text), "search", "no")
    paths = tuple([place.path(word.strip("'\"")) for word in words[1:2] if not word.isdecimal()])
    if name == "create":
        return Part(collapsed(text), "edit", "yes", paths)
    return Part(joined([name, *paths, *words[1 + len(paths) :]]), "view", "no", paths)


def _first(arguments: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = arguments.get(key)
        if isinstance(value, str):
            return value
    return None


def _json_call(name: str, arguments: dict[str, Any], place: Place) -> Part | str:
    if name in _SHELLS:
        command = _command(arguments)
        if command is not None:
            return command
    return call(name, arguments, place)


def _command(arguments: dict[str, Any]) -> str | None:
    """A shell command: a text, or a list of words."""
    for key in _COMMAND_KEYS:
        value = arguments.get(key)
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return joined(value)
        if isinstance(value, str):
            return value
    return None


def call(name: str, arguments: dict[str, Any], place: Place) -> Part:
    """A tool by its name and arguments; one that is not known is told by its name and all of these."""
    file = _first(arguments, _PATH_KEYS)
    path = place.path(file) if file is not None else ""
    paths = (path,) if file is not None else ()
    if _first(arguments, _PATTERN_KEYS) is not None:
        return Part(_spelled(name, arguments), "list" if "glob" in name.lower() else "search", "no", paths)
    writes: Writes = "no" if path and is_outside(path) else "yes"
    old, new = _first(arguments, _OLD_KEYS), _first(arguments, _NEW_KEYS)
    if path and (old is not None or new is not None):
        where = f"{arguments.get('insert_line', '')}\0{old}\0{new}"
        return Part(f"edit {quoted(path)} <{digest_of(where)}>", "edit", writes, paths)
    content = _first(arguments, _TEXT_KEYS)
    if path and content is not None and _WRITING.search(name):
        return written_text(path, content, False)
    asked = arguments.get("command")
    if path and (asked == "view" or (asked is None and _READING.match(name))):
        return Part(View(paths, _asked(arguments)).action(), "view", "no", paths)
    if path and _LISTING.fullmatch(name):
        return Part(joined(["ls", path]), "list", "no", paths)
    if asked in _EDITOR_COMMANDS or _WRITING.search(name):
        return Part(_spelled(name, arguments), "edit", writes, paths)
    return Part(_spelled(name, arguments), "other", "no" if _TELLING.search(name) else "perhaps", paths)


def editor_words(words: Sequence[str], place: Place) -> Part:
    """The editor called as a program: `str_replace_editor view F --view_range 1 50`."""
    arguments: dict[str, Any] = {}
    operands: list[str] = []
    at = 1
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("--"):
            operands.append(word)
            continue
        values = words[at : at + (2 if word == "--view_range" else 1)]
        at += len(values)
        numbers = [int(value) for value in values if value.lstrip("-").isdecimal() and len(value) < 10]
        arguments[word[2:]] = numbers if word == "--view_range" else " ".join(values)
    arguments.update(zip(("command", "path"), operands, strict=False))
    return call(words[0], arguments, place)


def _spelled(name: str, arguments: dict[str, Any]) -> str:
    return f"{name} {collapsed(msgspec.json.encode(arguments, order='sorted').decode())}"


def _asked(arguments: dict[str, Any]) -> Lines:
    view_range = arguments.get("view_range")
    if (
        isinstance(view_range, list)
        and len(view_range) == 2
        and all(isinstance(each, int) for each in view_range)
    ):
        first, last = view_range
        return Lines(max(first, 1), last if last > 0 else None)
    offset, limit = arguments.get("offset"), arguments.get("limit")
    first = max(offset, 1) if isinstance(offset, int) else 1
    return Lines(first, first + limit - 1 if isinstance(limit, int) else None)
