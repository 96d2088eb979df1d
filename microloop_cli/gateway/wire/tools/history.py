"""The tool traffic of one request: read once, told as results, rewritten with notes."""

from __future__ import annotations

from collections.abc import Mapping

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.call_ids import CallIds
from microloop_cli.gateway.wire.tools.notes import rewritten
from microloop_cli.gateway.wire.tools.requests import read
from microloop_cli.gateway.wire.tools.tool import ToolResult


class History:
    """results: all in the request, in order. ids: the calls before the answer, for `call_reader`.

    Holds the decoded request: not to be kept while the answer is waited for (ids may be).
    """

    def __init__(self, surface: Surface, body: bytes) -> None:
        conversation = read(surface, body)
        self._body = body
        self._held = conversation.held
        self.ids: CallIds = conversation.ids
        self.results: tuple[ToolResult, ...] = tuple(each.result for each in conversation.held)

    def with_notes(self, notes: Mapping[str, Note]) -> bytes:
        """The request with these notes, by the results' ids: the same bytes each time. What is appended
        begins with a line feed. The very same object when no note is for it."""
        return rewritten(self._body, self._held, notes) if notes and self._held else self._body


def results(surface: Surface, body: bytes) -> tuple[ToolResult, ...]:
    """All tool results in a request's history, in order, with their calls. Never raises.

    None of a body beyond MAX_BODY_BYTES or MAX_VALUES (requests.py), nor of surface "other".
    """
    return History(surface, body).results


def with_notes(surface: Surface, body: bytes, notes: Mapping[str, Note]) -> bytes:
    """See History.with_notes; for one who has no History at hand."""
    return History(surface, body).with_notes(notes) if notes else body
