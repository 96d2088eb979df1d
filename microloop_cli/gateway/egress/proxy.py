"""The egress proxy: a server on a socket that the caller made, for CONNECT tunnels and http:// URLs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping

from microloop_cli.gateway.egress.answers import answer
from microloop_cli.gateway.egress.connection import Connection, Times, Way
from microloop_cli.gateway.egress.log import Log, OnEvent
from microloop_cli.gateway.egress.lookup import Lookup, Resolve
from microloop_cli.gateway.egress.parent import read_parent
from microloop_cli.gateway.egress.rules import Rules
from microloop_cli.gateway.egress.stream import Stream
from microloop_cli.gateway.sockets import ACCEPTED_AT_ONCE, BACKLOG, connections_at_most

_MAX_REFUSALS = 64  # clients above the limit that are told so, at the same time


class EgressProxy:
    """Serves on the event loop it is started on.

    on_event is told of every decision and every end, in order; what it raises closes the connection in
    question and goes to the loop's exception handler. upstream_proxy: `http://HOST:PORT`, with user and
    password before the host, where there is no other way out; it looks names up, so that their addresses are
    not checked.
    doors: port to Unix socket: what clients that ask the proxy for the sandbox's own loopback are led to, so
    that those that know no NO_PROXY come to the model gateway all the same.
    """

    def __init__(
        self,
        rules: Rules,
        on_event: OnEvent,
        monotonic: Callable[[], float],
        *,
        resolve: Resolve | None = None,
        upstream_proxy: str | None = None,
        times: Times | None = None,
        doors: Mapping[int, str] | None = None,
        max_connections: int | None = None,
    ) -> None:
        """max_connections: None for what the process may open. Raises UsageError for an upstream_proxy that
        is none."""
        self._way = Way(
            rules=rules,
            log=Log(on_event, monotonic),
            resolve=resolve or Lookup(),
            parent=read_parent(upstream_proxy) if upstream_proxy else None,
            connected=self._upstream,
            times=times or Times(),
            doors=doors or {},
        )
        self._max_connections = max_connections or connections_at_most()
        self._server: asyncio.AbstractServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._upstreams: set[Stream] = set()

    async def start(self, sock: socket.socket) -> None:
        """Takes over a listening socket, Unix or TCP."""
        import h11  # noqa: F401  # loaded now, not within the first request

        loop = asyncio.get_running_loop()
        unix = sock.family == socket.AF_UNIX
        create = loop.create_unix_server if unix else loop.create_server
        self._server = await create(lambda: Stream(self._accepted), sock=sock, backlog=ACCEPTED_AT_ONCE)
        sock.listen(BACKLOG)  # the loop has set it to what it takes at once

    async def close(self) -> None:
        """Ends all connections at once; every allowed request has its NetworkEnded when this returns."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for stream in self._upstreams:
            stream.abort()
        self._upstreams.clear()
        # Aborted transports close their sockets in the loop's next round.
        await asyncio.sleep(0)

    def _accepted(self, client: Stream) -> None:
        over = len(self._tasks) - self._max_connections
        if over >= _MAX_REFUSALS:
            client.abort()
            return
        work = self._full(client) if over >= 0 else Connection(self._way, client).serve()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._served)

    async def _full(self, client: Stream) -> None:
        text = f"microloop: network: there are {self._max_connections} connections already; close some"
        try:
            await client.write(answer(503, text))
            await client.finish(self._way.log.monotonic)
        except ConnectionError:
            return

    def _served(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            context = {"message": "a connection of the egress proxy failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    def _upstream(self, stream: Stream) -> None:
        """Known until it is closed, so that nothing is left open whatever interrupted its use."""
        self._upstreams = {other for other in self._upstreams if not other.transport.is_closing()}
        self._upstreams.add(stream)
