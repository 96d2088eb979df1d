"""The model gateway and the egress proxy of one run: sockets at once, servers beside the agent's start."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from microloop_cli.core.events import AnyFact
from microloop_cli.errors import MicroloopError
from microloop_cli.gateway.listener import Listener
from microloop_cli.run.clock import Clock
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake
from microloop_cli.run.listening import RunListener
from microloop_cli.run.loading import load
from microloop_cli.run.metered import Metered
from microloop_cli.run.tools import ToolIntake
from microloop_cli.run.ways_out import EGRESS, MODEL, WaysOut

if TYPE_CHECKING:
    import socket

    from microloop_cli.bundle.redaction import Redactor
    from microloop_cli.gateway.egress.rules import Rules
    from microloop_cli.run.intake import OutputStore

# Loading the server takes a third of a second of a core: not while the sandbox and the agent start, nor for a
# run that is over by then. An agent that asks earlier waits for it, once.
LOADED_AFTER_SECONDS = 0.7


class Gateways:
    """`open` before the sandbox starts, `serve` beside the run, `close` in any case."""

    def __init__(
        self,
        ways: WaysOut,
        metered: Metered | None,
        rules: Rules,
        upstream_proxy: str | None,
        clock: Clock,
        redactor: Redactor,
        store: OutputStore,
        *,
        head_bytes: int,
        tail_bytes: int,
    ) -> None:
        """metered: None: no way to models. store, head_bytes, tail_bytes: for tools' results."""
        self._ways = ways
        self._metered = metered
        self._rules = rules
        self._upstream_proxy = upstream_proxy
        self._clock = clock
        self._redactor = redactor
        self._store = store
        self._caps = head_bytes, tail_bytes
        self._folder = Path()
        self._sockets: dict[str, socket.socket] = {}
        self._failed: asyncio.Future[None] | None = None

    def open(self, folder: Path) -> None:
        """Make the sockets, those of doors in `folder`. HostError."""
        self._folder = folder
        self._sockets = self._ways.open_in(folder)

    def close(self) -> None:
        """What `serve` did not come to."""
        for sock in self._sockets.values():
            sock.close()

    async def serve(self, inbox: Inbox, intake: Intake) -> None:
        """Until cancelled; then every call has had its end. MicroloopError when one is not recorded."""
        self._failed = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as closing:
            model = self._serve_model(self._listener(inbox, intake), inbox, closing)
            await asyncio.gather(model, self._serve_egress(inbox, closing), self._failed)

    async def _serve_model(self, listener: Listener, inbox: Inbox, closing: AsyncExitStack) -> None:
        sock = self._sockets.get(MODEL.name)
        if sock is None or self._metered is None:
            return
        asked = await _wanted(sock, LOADED_AFTER_SECONDS)
        await load(give_way=not asked)
        await self._metered.start(
            listener, lambda fact: self._put(inbox, fact), sock, closing, inbox.why_no_more_calls
        )

    async def _serve_egress(self, inbox: Inbox, closing: AsyncExitStack) -> None:
        sock = self._sockets.get(EGRESS.name)
        if sock is None:
            return
        await _wanted(sock, None)
        from microloop_cli.gateway.egress.proxy import EgressProxy

        proxy = EgressProxy(
            self._rules,
            lambda fact: self._put(inbox, fact),
            self._clock.monotonic,
            upstream_proxy=self._upstream_proxy,
            doors=self._ways.model_doors(self._folder),
        )
        closing.push_async_callback(proxy.close)
        await proxy.start(sock)

    def _listener(self, inbox: Inbox, intake: Intake) -> RunListener:
        head_bytes, tail_bytes = self._caps
        tools = ToolIntake(
            inbox,
            settled=intake.settled,
            reader=lambda: intake.reader,
            redactor=self._redactor,
            store=self._store,
            head_bytes=head_bytes,
            tail_bytes=tail_bytes,
        )
        return RunListener(inbox, tools, self._fail)

    def _put(self, inbox: Inbox, fact: AnyFact) -> None:
        """What cannot be recorded ends the run: nothing may go on that was not written."""
        try:
            inbox.put(fact)
        except MicroloopError as error:
            self._fail(error)

    def _fail(self, error: MicroloopError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)


async def _wanted(sock: socket.socket, at_most_seconds: float | None) -> bool:
    """Returns when a client waits at the socket (True), or the time is over."""
    loop = asyncio.get_running_loop()
    somebody = loop.create_future()

    def there() -> None:
        if not somebody.done():
            somebody.set_result(None)

    loop.add_reader(sock, there)
    try:
        await asyncio.wait({somebody}, timeout=at_most_seconds)
    finally:
        loop.remove_reader(sock)
    return somebody.done()
