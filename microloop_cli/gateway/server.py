"""The model server that stands in front of the providers: forwards, meters, and says no at a limit."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from microloop_cli.gateway.admission import Admission
from microloop_cli.gateway.answering import error_answer
from microloop_cli.gateway.bodies import Bodies, BodyRefused
from microloop_cli.gateway.exchange import Exchange
from microloop_cli.gateway.listener import Listener
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.sockets import ACCEPTED_AT_ONCE, BACKLOG, connections_at_most
from microloop_cli.gateway.spending import RunLimits
from microloop_cli.gateway.spent import Spent
from microloop_cli.gateway.surroundings import Recording, Surroundings
from microloop_cli.gateway.tool_talk import ToolTalk
from microloop_cli.gateway.upstream import Upstream
from microloop_cli.gateway.upstream_address import leads_elsewhere
from microloop_cli.gateway.web_server import bounded_server
from microloop_cli.gateway.wire.registry import ask

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

CONNECT_SECONDS = 30.0
# Between two reads of an answer; a model may think for long before it says anything.
READ_SECONDS = 1800.0
SHUTDOWN_SECONDS = 0.25
UPGRADE_REQUIRED = 426
# A tunnel to anywhere; and what makes a server say the request again, the key in it.
_NEVER_FORWARDED = frozenset({"CONNECT", "TRACE"})


class Gateway:
    """One server for one run. `spent` holds what its calls came to.

    Without placeholders any key will do. What `recorder.over` gives is fed each answer. stopped: why no more
    calls are made; "" as long as they are.
    """

    def __init__(
        self,
        upstreams: Mapping[Provider, Upstream],
        prices: Prices,
        limits: RunLimits,
        monotonic: Callable[[], float],
        *,
        listener: Listener,
        placeholders: Placeholders | None = None,
        purse: Purse | None = None,
        recorder: Recording | None = None,
        stopped: Callable[[], str] = str,
    ) -> None:
        self.spent = Spent(limits, prices, monotonic, listener, purse)
        self._upstreams = upstreams
        self._prices = prices
        self._listener = listener
        self._talk = ToolTalk(listener)
        self._placeholders = placeholders
        self._recorder = recorder
        self._stopped = stopped
        self._bodies = Bodies()
        self._loading = threading.Lock()
        self._loaded = False
        self._admission: Admission | None = None
        self._runner: web.ServerRunner | None = None
        self._session: ClientSession | None = None
        self._outliving: set[asyncio.Future[web.StreamResponse]] = set()

    def preload(self) -> None:
        """Load the libraries and the price list (0.5 s together): for a thread beside the sandbox's start."""
        with self._loading:
            if not self._loaded:
                import aiohttp.web  # noqa: F401

                self._prices.warm()
                self._loaded = True

    async def start(self, sock: socket.socket) -> None:
        """Serve whoever comes to a listening socket (see sockets.py), which is the gateway's from now on.

        Waits for the preload, in a thread; who comes meanwhile waits in the kernel's queue.
        """
        try:
            await asyncio.get_running_loop().run_in_executor(None, self.preload)
        except BaseException:
            sock.close()
            raise
        from aiohttp import web

        self._session = _session()
        self._admission = Admission(
            Surroundings(
                upstreams=self._upstreams,
                listener=self._listener,
                spent=self.spent,
                talk=self._talk,
                session=self._session,
                placeholders=self._placeholders,
                recorder=self._recorder,
                stopped=self._stopped,
            )
        )
        server = bounded_server(self._handle, connections_at_most())
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, sock, backlog=ACCEPTED_AT_ONCE).start()
        sock.listen(BACKLOG)  # the library has set it to what it takes at once

    async def close(self) -> None:
        """Stop serving. Calls that run are ended, charged as far as they came, and told of."""
        if self._runner is not None:
            await self._runner.cleanup()
        outliving = tuple(self._outliving)
        for exchange in outliving:
            exchange.cancel()
        await asyncio.gather(*outliving, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        from aiohttp import web

        if request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(status=UPGRADE_REQUIRED, headers={"Upgrade": "TLS/1.2, HTTP/1.1"})
        if not request.raw_path.startswith("/") or leads_elsewhere(request.raw_path):
            # An absolute address, `@host` or `..`: behind the upstream's it names another server or place.
            raise web.HTTPBadRequest(text="microloop: only paths of this server are forwarded")
        if request.method in _NEVER_FORWARDED:
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "POST"))
        assert self._admission is not None, "started"
        size = 0
        try:
            body = await self._bodies.read(request)
            size = len(body)
            admitted = await self._admission.of(request, body)
            del body
            return await self._run(admitted) if isinstance(admitted, Exchange) else admitted
        except BodyRefused as no:
            asked = ask(request.method, request.raw_path, request.headers, b"")
            return error_answer(asked, no.status, no.message, final=no.status != no.BUSY)
        finally:
            self._bodies.release(size)

    async def _run(self, exchange: Exchange) -> web.StreamResponse:
        if not exchange.outlives:
            return await exchange.run()
        running = asyncio.ensure_future(exchange.run())
        self._outliving.add(running)
        running.add_done_callback(self._outliving.discard)
        running.add_done_callback(lambda _: exchange.end())  # also when it was cancelled before it began
        return await asyncio.shield(running)


def _session() -> ClientSession:
    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, TraceConfig

    tracing = TraceConfig()
    tracing.on_request_headers_sent.append(_sent)
    return ClientSession(
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        connector=TCPConnector(limit=0),
        timeout=ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        trace_configs=[tracing],
    )


async def _sent(session: object, context: Any, params: object) -> None:
    exchange: Exchange = context.trace_request_ctx
    exchange.sent = True
