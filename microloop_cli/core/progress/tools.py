"""What a call of one of an agent's own tools means, as `meaning` says it of commands. Pure; never raises."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
from msgspec.structs import replace

from microloop_cli.core.progress.signals import Meaning

SHOWN_CHARS = 200
MAX_ACTION_CHARS = 2_000
# How long a model will wait, and how much it will read at once: the call does the same without.
_TIMING = frozenset({
    "timeout", "timeout_ms", "timeout_seconds", "yield_time_ms", "max_output_tokens", "max_output_chars",
    "security_risk", "task_progress", "requires_approval",
})  # fmt: skip
# What it says about a call: of tools whose other arguments tell all.
_SAID = frozenset(
    {"description", "explanation", "justification", "purpose", "reason", "reasoning", "thought"}
)
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[^a-z0-9]+")
_WAITING = frozenset({"wait", "poll", "monitor", "await", "output", "status"})
# Words in the name of a tool that changes files; others that write do so elsewhere (notes, issues, plans).
_EDITING = frozenset(
    {"edit", "write", "replace", "patch", "multiedit", "insert", "create", "delete", "notebook"}
)
_NO_FILES = frozenset(
    {"todo", "todos", "plan", "memory", "note", "task", "tasks", "message", "issue", "comment"}
)
_EXIT_CODE = re.compile(
    rb"""(?im)^(?:process )?exit(?:ed with)? code:? (-?\d{1,4})\s*$"""
    rb"""|<returncode>\s*(-?\d{1,4})\s*</returncode>"""
    rb"""|"exit_?code": ?(-?\d{1,4})\b|\bexit code:? (-?\d{1,4})\]\s*$"""
)
_TOLD_WITHIN_BYTES = 400
_MARKS = re.compile(
    rb"(?m)^(?:Chunk ID: [0-9a-f]{1,16}|Process Group PGID: \d{1,10}|Background PIDs: [\d, ]{1,200})\r?$\n?"
)
_PATCH = "*** Begin Patch"
_PATCHED = re.compile(
    r"^\*\*\* (?:Add|Update|Delete) File: (.{1,256})$|^\*\*\* Move to: (.{1,256})$", re.MULTILINE
)
# What a call is about, in the order in which it is said; of each row the first that is there.
_SUBJECTS = (
    ("command",),
    ("pattern", "query", "regex"),
    ("file_path", "path", "absolute_path", "filePath", "target_file", "notebook_path", "filename", "file"),
    ("url", "prompt"),
)  # fmt: skip
_PATH_IN_CUT = re.compile(r'"(?:file_|file|absolute_|target_)?[pP]?(?:path|file)": ?"([^"\\\n]{1,256})"')


def tool_meaning(tool: str, arguments: str, command: str | None, workspace: str = "") -> Meaning:
    """The meaning of a tool call: its name, its arguments as JSON text (or any text), and the command when it
    is a shell's. Equal `action`s for calls that do the same."""
    if command is not None:
        from microloop_cli.core.progress.commands.meaning import meaning  # with its parser: at the first one

        return meaning(command, workspace)
    given = _arguments(arguments)
    patch = _patch(arguments, given)
    if patch is not None:
        return _patched(patch, workspace)
    words = _words(tool)
    if words[-1:] == ["sleep"]:
        return Meaning(action="", kind="wait", writes="no")
    if given is None:
        return _unread(tool, words, arguments)
    known = _called(tool, words, given, workspace)
    return replace(known, polls=_polls(tool, words, given))


def tool_words(tool: str, arguments: str, command: str | None) -> str:
    """The call as it is shown to people and to the model: the command, or `Read src/a.py`."""
    if command is not None:
        return command.strip()
    given = _arguments(arguments)
    patch = _patch(arguments, given)
    if patch is not None:
        return _shown(f"{tool} {' '.join(_paths(patch))}")
    subjects = [_first(given or {}, names) for names in _SUBJECTS]
    if any(subjects):
        return _shown(" ".join([tool, *filter(None, subjects)]))
    return _shown(tool if given == {} else f"{tool} {arguments}")


def _first(given: dict[str, Any], names: tuple[str, ...]) -> str | None:
    values = (given.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def told_exit_code(head: bytes, tail: bytes) -> int | None:
    """The exit code that a shell tool wrote into its result's first or last lines; None when it did not."""
    ends = head[:_TOLD_WITHIN_BYTES] + b"\n" + (tail or head)[-_TOLD_WITHIN_BYTES:]
    told = _EXIT_CODE.search(ends)
    return int(next(filter(None, told.groups()))) if told is not None else None


def without_marks(text: bytes) -> bytes:
    """A shell's result without the agent's own lines that are others each time: codex gives each output an
    id, gemini tells the process group."""
    return _MARKS.sub(b"", text)


def _called(tool: str, words: list[str], given: dict[str, Any], workspace: str) -> Meaning:
    """A tool as trajectories have it; what only sounds like an edit (a note, an issue) is none."""
    from microloop_cli.core.progress.commands.place import Place
    from microloop_cli.core.progress.commands.tool_calls import call

    kept = {name: value for name, value in given.items() if name.lower() not in _TIMING | _SAID}
    if not isinstance(kept.get("command", ""), str):
        return _other(tool, given)
    part = call(tool.rsplit("__", 1)[-1], kept, Place(root=workspace.rstrip("/")))
    if part.kind == "edit" and not part.paths and (not _EDITING & set(words) or _NO_FILES & set(words)):
        return _other(tool, given, replace(_NOTHING, writes="no" if _NO_FILES & set(words) else "perhaps"))
    if part.kind == "other":
        return _other(tool, given, replace(_NOTHING, writes=part.writes, paths=part.paths))
    return Meaning(action=_short(part.action), kind=part.kind, writes=part.writes, paths=part.paths)


_NOTHING = Meaning(action="", kind="other")


def _other(tool: str, given: dict[str, Any], known: Meaning = _NOTHING) -> Meaning:
    """By its whole name and all arguments: what it says may be all it does (a thought, an issue)."""
    kept = {name: value for name, value in given.items() if name.lower() not in _TIMING}
    try:
        text = msgspec.json.encode(kept, order="sorted").decode()
    except RecursionError:
        text = _digest(repr(sorted(kept)))
    return replace(known, action=_short(f"{tool} {' '.join(text.split())}"))


def _unread(tool: str, words: list[str], arguments: str) -> Meaning:
    """Arguments that are no JSON object: cut, or text of the tool's own."""
    edits = bool(_EDITING & set(words)) and not _NO_FILES & set(words)
    action = f"{tool} <{_digest(' '.join(arguments.split()))}>"
    path = _PATH_IN_CUT.search(arguments)
    return Meaning(
        action=_short(action),
        kind="edit" if edits else "other",
        writes="yes" if edits else "perhaps",
        paths=(path[1],) if path is not None else (),
    )


def _arguments(text: str) -> dict[str, Any] | None:
    """The arguments when they are a JSON object; none at all are an empty one."""
    if not text.strip():
        return {}
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _patch(text: str, given: dict[str, Any] | None) -> str | None:
    """The text of a patch, whether it is the arguments themselves or the one that counts among them."""
    if text.lstrip().startswith(_PATCH):
        return text.strip()
    values = given.values() if given else ()
    return next((v.strip() for v in values if isinstance(v, str) and v.lstrip().startswith(_PATCH)), None)


def _patched(patch: str, workspace: str) -> Meaning:
    from microloop_cli.core.progress.commands.place import Place

    place = Place(root=workspace.rstrip("/"))
    paths = tuple(place.path(path) for path in _paths(patch))
    return Meaning(action=f"apply_patch <{_digest(patch)}>", kind="edit", writes="yes", paths=paths)


def _paths(patch: str) -> list[str]:
    found = (match[1] or match[2] for match in _PATCHED.finditer(patch))
    return list(dict.fromkeys(path.strip() for path in found if path.strip()))[:32]


def _polls(tool: str, words: list[str], given: dict[str, Any]) -> bool:
    """It looks whether something that runs has got further."""
    if tool == "write_stdin":
        return not given.get("chars")
    return bool(_WAITING & set(words))


def _words(tool: str) -> list[str]:
    """The words of a name: BashOutput, bash_output and bash-output have the same two."""
    return [word for word in _WORDS.split(_HUMPS.sub("_", tool).lower()) if word]


def _short(action: str) -> str:
    return action if len(action) <= MAX_ACTION_CHARS else f"{action[:1_500]} <{_digest(action)}>"


def _shown(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= SHOWN_CHARS else one_line[:SHOWN_CHARS] + "..."


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
