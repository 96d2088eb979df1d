"""The model server that stands in front of the providers: forwards, meters, and says no at a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from microloop_cli.errors import HostError
from microloop_cli.gateway.model import Asked, CallRecord, Meter, Provider
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.spending import Admitted, NearLimit, Refused, RunLimits
from microloop_cli.gateway.spent import Spent
from microloop_cli.gateway.upstream import Upstream, incoming, outgoing, target
from microloop_cli.gateway.wire.registry import ask, cut, meter, refusal

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, web

MAX_REQUEST_BYTES = 128 * 1024 * 1024
CONNECT_SECONDS = 30.0
PAYMENT_REQUIRED, UPGRADE_REQUIRED, BAD_GATEWAY, UNAVAILABLE = 402, 426, 502, 503


class Gateway:
    """One server on loopback for one run. `spent` holds what its calls came to."""

    def __init__(
        self,
        upstreams: Mapping[Provider, Upstream],
        prices: Prices,
        limits: RunLimits,
        monotonic: Callable[[], float],
        *,
        on_call: Callable[[CallRecord], None],
        on_refused: Callable[[Refused], None],
        on_near: Callable[[NearLimit], None],
        purse: Purse | None = None,
    ) -> None:
        self.spent = Spent(limits, prices, monotonic, on_call=on_call, on_near=on_near, purse=purse)
        self._upstreams = upstreams
        self._on_refused = on_refused
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self._exchanges: set[asyncio.Future[web.Response]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port. Raises HostError when that is not possible."""
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

        self._session = ClientSession(
            auto_decompress=True,
            cookie_jar=DummyCookieJar(),
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=None, connect=CONNECT_SECONDS),
        )
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, logger=_logger(), handler_cancellation=True, shutdown_timeout=1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            raise HostError(
                f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another port"
            ) from None
        bound: int = self._runner.addresses[0][1]
        return bound

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        for exchange in tuple(self._exchanges):
            exchange.cancel()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(status=UPGRADE_REQUIRED, headers={"Upgrade": "TLS/1.2, HTTP/1.1"})
        if not request.raw_path.startswith("/"):
            # An absolute address, or `@host`: behind the upstream's name it could name another server.
            raise web.HTTPBadRequest(text="microloop: only paths of this server are forwarded")
        body = await request.read()
        asked = ask(request.method, request.raw_path, request.headers, body)
        try:
            admitted = self.spent.begin(asked)
        except HostError as error:  # the file of the budgets: what cannot be counted is not let through
            return _refused(asked, UNAVAILABLE, f"microloop: {error}")
        if isinstance(admitted, Refused):
            self._on_refused(admitted)
            return _refused(asked, PAYMENT_REQUIRED, admitted.message)
        if asked.stream:
            return await self._streamed(request, asked, admitted)
        # The provider charges for an answer that nobody waits for any more, so it is read to its end.
        exchange = asyncio.ensure_future(self._whole(request, asked, admitted))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        return await asyncio.shield(exchange)

    def _sent(self, request: web.Request, asked: Asked) -> AbstractAsyncContextManager[ClientResponse]:
        from yarl import URL

        assert self._session is not None, "started"
        upstream = self._upstreams[asked.provider]
        return self._session.request(
            request.method,
            URL(target(upstream, request.raw_path), encoded=True),
            data=asked.body or None,
            headers=outgoing(asked.provider, upstream.key, request.headers.items()),
            allow_redirects=False,
        )

    async def _whole(self, request: web.Request, asked: Asked, admitted: Admitted | None) -> web.Response:
        from aiohttp import ClientError, web
        from multidict import CIMultiDict

        try:
            async with self._sent(request, asked) as answer:
                body = await answer.read()
        except (ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            self.spent.release(admitted)
            return _unreachable(asked, error)
        reading = _meter_of(asked, answer)
        passed = reading.feed(body) + reading.finish()
        self.spent.end(asked, admitted, reading.usage(), answer.status, whole=True, cut=False)
        headers = CIMultiDict(incoming(answer.headers.items()))
        return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=passed)

    async def _streamed(
        self, request: web.Request, asked: Asked, admitted: Admitted | None
    ) -> web.StreamResponse:
        from aiohttp import ClientError

        relaying = False
        try:
            async with self._sent(request, asked) as answer:
                relaying = True
                return await self._relay(request, asked, admitted, answer)
        except (ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            if relaying:
                raise
            self.spent.release(admitted)
            return _unreachable(asked, error)
        except asyncio.CancelledError:
            if not relaying:
                self.spent.release(admitted)
            raise

    async def _relay(
        self, request: web.Request, asked: Asked, admitted: Admitted | None, answer: ClientResponse
    ) -> web.StreamResponse:
        from aiohttp import ClientError, web

        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        response.headers.extend(incoming(answer.headers.items()))
        reading = _meter_of(asked, answer)
        whole = was_cut = False
        try:
            await response.prepare(request)
            refused = await self._pass_on(response, answer, reading, admitted)
            if refused is not None:
                was_cut = True
                self._on_refused(refused)
                await response.write(cut(asked, refused.message))
            whole = refused is None
            await response.write_eof()
        except (ClientError, asyncio.TimeoutError, OSError):
            if request.transport is not None:
                request.transport.abort()  # the answer broke off: it must not look whole
        finally:
            reading.finish()  # what it held back counts, whether it could be passed on or not
            self.spent.end(asked, admitted, reading.usage(), answer.status, whole=whole, cut=was_cut)
        return response

    async def _pass_on(
        self, response: web.StreamResponse, answer: ClientResponse, reading: Meter, admitted: Admitted | None
    ) -> Refused | None:
        """All chunks as they come, until the end or a limit."""
        async for chunk in answer.content.iter_any():
            passed = reading.feed(chunk)
            refused = self.spent.progress(admitted, reading)
            if refused is not None:
                return refused
            if passed:
                await response.write(passed)
        last = reading.finish()
        if last:
            await response.write(last)
        return None


def _meter_of(asked: Asked, answer: ClientResponse) -> Meter:
    return meter(asked, answer.status, answer.headers.get("Content-Type", ""))


def _unreachable(asked: Asked, error: Exception) -> web.Response:
    said = f"microloop: the {asked.provider} upstream gave no answer: {type(error).__name__}"
    return _refused(asked, BAD_GATEWAY, said)


def _logger() -> logging.Logger:
    """The server's own complaints, but not of clients that have gone: agents are ended in the middle."""
    logger = logging.getLogger("microloop.gateway")
    logger.addFilter(_is_no_lost_client)
    return logger


def _is_no_lost_client(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], ConnectionError)


def _refused(asked: Asked, status: int, message: str) -> web.Response:
    from aiohttp import web

    kind, body = refusal(asked, status, message)
    return web.Response(status=status, body=body, headers={"Content-Type": kind, "x-should-retry": "false"})
