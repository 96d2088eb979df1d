"""Recorded answers, found again by what was asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from microloop_cli.bundle.model_records import ModelRecord
from microloop_cli.gateway.recording.conversation import difference, lines_of, shared_lines

# An answer like these says nothing about what was asked; the agent asked again until one came.
_PASSING = frozenset({0, 408, 409, 425, 429, 500, 502, 503, 504, 529})


class Missing(msgspec.Struct, frozen=True):
    """A request that was not recorded; `message` shows how it differs from the nearest that was."""

    message: str


class Tape:
    """Gives each recorded answer for what it was recorded for, in the recorded order; the last one again."""

    def __init__(self, records: Iterable[ModelRecord], *, recorded_in: str, workspace: str, run: str) -> None:
        """recorded_in, workspace: where the workspace lay then and lies now. run: its id, for messages."""
        self._workspace = workspace
        self._run = run
        self._waiting: dict[tuple[str, ...], list[ModelRecord]] = {}
        self._served: set[int] = set()
        for record in records:
            about = record.about
            if about.status not in _PASSING and about.whole:
                key = _key(
                    about.method, about.target, about.surface, about.model, record.request, recorded_in
                )
                self._waiting.setdefault(key, []).append(record)

    def answer(
        self, method: str, target: str, surface: str, model: str, body: bytes
    ) -> ModelRecord | Missing:
        """What was answered to an equal request."""
        key = _key(method, target, surface, model, body, self._workspace)
        queue = self._waiting.get(key)
        if queue is None:
            return Missing(self._unrecorded(key))
        record = queue.pop(0) if len(queue) > 1 else queue[0]
        self._served.add(record.about.n)
        return record

    def _unrecorded(self, key: tuple[str, ...]) -> str:
        alike = [other for other in self._waiting if other[:1] == key[:1]]
        if not alike:
            return f"microloop: run {self._run} has no recorded answer of this kind ({key[0]})"
        nearest = max(alike, key=lambda other: self._nearness(other, key))
        number = self._waiting[nearest][0].about.n
        return (
            f"microloop: this request was not recorded in run {self._run}; nearest is its record {number}. "
            f"What differs:\n{difference(nearest, key)}"
        )

    def _nearness(self, recorded: Sequence[str], asked: Sequence[str]) -> tuple[int, int]:
        unserved = self._waiting[tuple(recorded)][0].about.n not in self._served
        return shared_lines(recorded, asked), int(unserved)


def _key(method: str, target: str, surface: str, model: str, body: bytes, workspace: str) -> tuple[str, ...]:
    path = target.partition("?")[0]
    return (f"{surface}: {method} {path}", *lines_of(model, body, workspace))
