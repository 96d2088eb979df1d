"""Remembers which tool calls passed, tells of each call and result once, and keeps the notes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from microloop_cli.gateway.listener import Listener, Note
from microloop_cli.gateway.wire.tools.history import History
from microloop_cli.gateway.wire.tools.tool import ToolCall

# The oldest are forgotten: their results would be no news, and a run makes a few thousand at most.
MOST_CALLS = 50_000


class ToolTalk:
    """Of one run. A result whose call was never seen here is old (a resumed session): it is not told.

    Conversations are told apart by the calls whose results they hold: no text of theirs lasts (system prompts
    have dates in them, histories are cut at either end). One that was summarised is a new one: what it had
    seen it may well look at again.
    """

    def __init__(self, listener: Listener, most_calls: int = MOST_CALLS) -> None:
        self._listener = listener
        self._most_calls = most_calls
        self._answered: dict[str, bool] = {}  # by the call's id, in the order they were made
        self._notes: dict[str, Note] = {}
        self._conversations: dict[str, int] = {}  # by the call's id

    def conversation(self, history: History) -> int:
        """Whose request this is: the model call in which it began to ask for tools; 0 for a new one."""
        known = (self._conversations.get(result.id) for result in reversed(history.results))
        return next((conversation for conversation in known if conversation is not None), 0)

    def called(self, number: int, calls: Iterable[ToolCall], conversation: int = 0) -> None:
        """The answer to call `number` asks for these."""
        for call in calls:
            if call.id in self._answered:
                continue
            if len(self._answered) >= self._most_calls:
                oldest = next(iter(self._answered))
                del self._answered[oldest]
                self._notes.pop(oldest, None)
                self._conversations.pop(oldest, None)
            self._answered[call.id] = False
            self._conversations[call.id] = conversation
            self._listener.tool_called(number, replace(call, conversation=conversation))

    def noted(self, history: History) -> bytes:
        """The request with what was said about its results before."""
        return history.with_notes(self._notes)

    def answered(self, number: int, history: History) -> bool:
        """Tell what is new among the results of call `number`; whether there are new notes."""
        before = len(self._notes)
        for result in history.results:
            if self._answered.get(result.id) is False:
                self._answered[result.id] = True
                note = self._listener.tool_answered(number, result)
                if note is not None:
                    self._notes[result.id] = note
        return len(self._notes) > before
