"""Puts notes into the tool results of a request: every other byte of it stays where it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.wire.reading import items, member, text
from microloop_cli.gateway.wire.tools.conversation import Held, Slot
from microloop_cli.gateway.wire.tools.requests import response_key
from microloop_cli.gateway.wire.tools.spans import Path, spans
from microloop_cli.gateway.wire.tools.texts import odd_text, part_text

# extend: the string at `path` goes on with this JSON string. put: this JSON stands for the value.
# add: this JSON is one more element of the array, or one more member of the object.
How = Literal["extend", "put", "add"]
_NOTE_KEY = "note"  # in a response object that has no text of its own


class Edit(msgspec.Struct, frozen=True):
    path: Path
    how: How
    json: bytes


def rewritten(body: bytes, held: Sequence[Held], notes: Mapping[str, Note]) -> bytes:
    """The body with the notes of the results in it; the very same object when there are none for it, or when
    their place is not found."""
    edits = [
        edit
        for each in held
        if (note := notes.get(each.result.id)) is not None
        for edit in _edits(each.slot, note, failed=each.result.failed)
    ]
    places = spans(body, [edit.path for edit in edits]) if edits else None
    if not places:
        return body
    splices = sorted((_splice(body, *places[edit.path], edit) for edit in edits), key=lambda each: each[:2])
    return b"".join(_pieces(memoryview(body), splices))


def _pieces(body: memoryview, splices: Sequence[tuple[int, int, bytes]]) -> Iterator[bytes | memoryview]:
    at = 0
    for start, end, new in splices:
        yield body[at:start]
        yield new
        at = end
    yield body[at:]


def _splice(body: bytes, start: int, end: int, edit: Edit) -> tuple[int, int, bytes]:
    """From where to where the body is replaced, and by what."""
    if edit.how == "put":
        return start, end, edit.json
    if edit.how == "extend":
        return end - 1, end - 1, edit.json[1:-1]
    is_first = not body[start + 1 : end - 1].strip()
    return end - 1, end - 1, edit.json if is_first else b"," + edit.json


def _edits(slot: Slot, note: Note, *, failed: bool) -> list[Edit]:
    path = (*slot.at, slot.key)
    replaces = note.how == "replace"
    if slot.form == "shell":
        return _replaced_shell(path, slot.value, note) if replaces else _appended_shell(path, slot, note)
    if slot.form == "response":
        if replaces or not isinstance(slot.value, dict):
            said = note.text if replaces else _after(slot.value, note.text)
            return [_whole(slot, _encoded({"error" if failed else "output": text(said)}))]
        key = response_key(slot.value)
        return [_added(path, slot.value, note.text) if key is None else _extended((*path, key), note.text)]
    if replaces:
        return [_whole(slot, _string(note.text))]
    if isinstance(slot.value, str):
        return [_extended(path, note.text)]
    if isinstance(slot.value, list):
        return [_appended_part(path, slot, note.text)]
    return [_whole(slot, _string(_after(slot.value, note.text)))]


def _appended_part(path: Path, slot: Slot, note: str) -> Edit:
    """To the last part that is text: one more part could stand behind a mark of the prompt cache."""
    for index in range(len(slot.value) - 1, -1, -1):
        part = slot.value[index]
        if part_text(part) is not None:
            return _extended((*path, index) if isinstance(part, str) else (*path, index, "text"), note)
    return Edit(path, "add", _encoded({"type": slot.form, "text": text(note)}))


def _appended_shell(path: Path, slot: Slot, note: Note) -> list[Edit]:
    for index in range(len(slot.value) - 1, -1, -1):
        for key in ("stderr", "stdout"):
            if isinstance(written := member(slot.value[index], key), str) and (written or key == "stdout"):
                return [_extended((*path, index, key), note.text)]
    return []


def _replaced_shell(path: Path, outputs: Any, note: Note) -> list[Edit]:
    """The first output becomes the note, all others nothing."""
    found = [
        (*path, index, key)
        for index, each in enumerate(items(outputs))
        for key in ("stdout", "stderr")
        if isinstance(member(each, key), str)
    ]
    return [Edit(at, "put", _string("" if number else note.text)) for number, at in enumerate(found)]


def _whole(slot: Slot, json: bytes) -> Edit:
    if slot.value is msgspec.UNSET:
        return Edit(slot.at, "add", _encoded(slot.key) + b":" + json)
    return Edit((*slot.at, slot.key), "put", json)


def _after(value: Any, note: str) -> str:
    """The note behind what is no text."""
    return f"{before}\n{note}" if (before := odd_text(value)) else note


def _extended(path: Path, note: str) -> Edit:
    return Edit(path, "extend", _string("\n" + note))


def _added(path: Path, response: dict[str, Any], note: str) -> Edit:
    key = _NOTE_KEY
    while key in response:
        key += "_"
    return Edit(path, "add", _encoded(key) + b":" + _string(note))


def _string(note: str) -> bytes:
    return _encoded(text(note))


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)
