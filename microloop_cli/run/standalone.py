"""A gateway without a sandbox: what passes is judged as in a run, and nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from microloop_cli.core.actions import Action, AnyDecision, Ended, Stop, WakeAt
from microloop_cli.core.evaluation.tool_epochs import ToolEpochs
from microloop_cli.core.events import AnyFact, RunStarted, Tick
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.settings import Settings
from microloop_cli.core.state import initial
from microloop_cli.errors import MicroloopError
from microloop_cli.run.assemble import KEPT_HEAD_BYTES, KEPT_TAIL_BYTES
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.listening import RunListener
from microloop_cli.run.metered import Metered
from microloop_cli.run.redacting import FactRedactor
from microloop_cli.run.tools import ToolIntake

if TYPE_CHECKING:
    import socket

    from microloop_cli.bundle.redaction import Redactor
    from microloop_cli.gateway.listener import Listener


class Standalone:
    """`listener` is told of what passes; after a stop no more calls are made. Made on the event loop.

    inbox: for what else happens, and for those who watch. stopping: set when the agent is to be ended. ended:
    how it was, once the inbox was told that the agent exited.
    """

    def __init__(self, settings: Settings, metered: Metered, redactor: Redactor) -> None:
        self.stopping = asyncio.Event()
        self.ended: Ended | None = None
        self._metered = metered
        self._timer: asyncio.TimerHandle | None = None
        self.inbox = Inbox(
            initial(settings), _Nowhere(), metered.clock, self._perform, FactRedactor(redactor)
        )
        reader = OutputReader()
        tools = ToolIntake(
            self.inbox,
            settled=tuple,
            reader=lambda: reader,
            redactor=redactor,
            epochs=ToolEpochs(),
            head_bytes=KEPT_HEAD_BYTES,
            tail_bytes=KEPT_TAIL_BYTES,
        )
        self.listener = RunListener(self.inbox, tools, self._fail)

    async def serve(
        self, listener: Listener, sock: socket.socket, started: RunStarted, closing: AsyncExitStack
    ) -> None:
        """Serve on the socket until `closing` closes. listener: passes on to `self.listener`. HostError."""
        self.inbox.put(started)
        closing.callback(self._put_off)
        await self._metered.start(listener, self._put, sock, closing, self.inbox.why_no_more_calls)

    def _put(self, fact: AnyFact) -> None:
        self.inbox.put(fact)

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, WakeAt):
                self._wake_at(action.at)
            elif isinstance(action, Stop):
                self._put_off()
                self.stopping.set()
            elif isinstance(action, Ended):
                self.ended = action

    def _wake_at(self, at: float) -> None:
        self._put_off()
        delay = max(0.0, at - self.inbox.elapsed_seconds)
        self._timer = asyncio.get_running_loop().call_later(delay, self._put, Tick())

    def _put_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _fail(self, error: MicroloopError) -> None:
        """Nothing is recorded, so recording cannot fail."""
        raise error


class _Nowhere:
    """A ledger that keeps nothing."""

    def append(self, at: float, *events: AnyFact | AnyDecision) -> None:
        """Forgotten."""
