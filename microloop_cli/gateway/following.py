"""The model call that an exchange is for, if it is one: followed while its answer passes, and ended once."""

from __future__ import annotations

import msgspec

from microloop_cli.gateway.listener import Listener
from microloop_cli.gateway.model import Meter
from microloop_cli.gateway.spending import Refused
from microloop_cli.gateway.spent import NO_ANSWER, Call, Spent
from microloop_cli.gateway.tool_talk import ToolTalk
from microloop_cli.gateway.wire.tools.answers import CallReader, call_reader
from microloop_cli.gateway.wire.tools.call_ids import CallIds


class Following:
    """`call` None: a request that costs nothing, of which nobody is told. ids: of the request's history.
    conversation: see ToolTalk.conversation."""

    def __init__(
        self,
        spent: Spent,
        talk: ToolTalk,
        listener: Listener,
        call: Call | None,
        ids: CallIds | None,
        conversation: int = 0,
    ) -> None:
        self._spent = spent
        self._talk = talk
        self._listener = listener
        self._call = call
        self._ids = ids
        self._number = 0 if call is None else call.number
        self._conversation = conversation or self._number
        self._reader: CallReader | None = None
        self.refused: Refused | None = None

    @property
    def number(self) -> int | None:
        return self._number or None

    def begin(self, content_type: str) -> None:
        """A good answer of that type is to come. What was asked is with the upstream, and need not be kept:
        the requests of many calls at once would fill the memory."""
        if self._call is not None:
            asked = self._call.asked
            self._call.asked = msgspec.structs.replace(asked, body=b"")
            self._reader = call_reader(asked.surface, asked.stream, content_type, self._ids)

    def passes(self, piece: bytes, reading: Meter, *, can_be_cut: bool) -> Refused | None:
        """A piece that the meter has read; Refused: a limit is crossed, and the stream is to be cut now."""
        if self._call is None:
            return None
        if self._reader is not None:
            self._talk.called(self._number, self._reader.feed(piece), self._conversation)
        self._spent.heard(self._call)
        refused = self._spent.progress(self._call, reading)
        if refused is None or not can_be_cut:
            return None
        self.refused = refused
        self._listener.refused(refused)
        return refused

    def ended(self, reading: Meter, status: int, *, whole: bool) -> None:
        """The answer has ended: its last tool calls are told, it is charged. Twice is once."""
        call, self._call = self._call, None
        try:
            reading.finish()  # what it held back counts, whether it could be passed on or not
        finally:
            if call is not None:
                if self._reader is not None and whole:
                    self._talk.called(self._number, self._reader.finish(), self._conversation)
                self._spent.progress(call, reading)
                self._spent.end(call, reading.usage(), status, whole=whole, cut=self.refused is not None)

    def unheard(self, *, sent: bool) -> None:
        """No answer came, or nobody waited for it: charged when the request had left, for it may be answered
        all the same."""
        call, self._call = self._call, None
        if call is not None and sent:
            self._spent.end(call, None, NO_ANSWER, whole=False)
        elif call is not None:
            self._spent.fail(call)

    def failed(self) -> None:
        """The upstream could not be asked, or said no more."""
        self.unheard(sent=False)
