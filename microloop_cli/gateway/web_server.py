"""The library's web server, for clients that mean no good: bounded connections, no word about nonsense."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiohttp import web

# The rest of a refused request is read, so that its sender sees the answer: but not of one without an end.
_LINGER_SECONDS = 2.0
_FULL = b"microloop: there are too many connections already; close some\n"
_FULL_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


def bounded_server(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], most_connections: int
) -> web.Server:
    """A server for a runner. Who comes above `most_connections` gets 503: each holds an open file, and one
    more for its upstream, and what the process may open is the whole run's."""
    from aiohttp import web

    class Bounded(web.Server):
        taken = 0

        def __call__(self) -> web.RequestHandler:
            if self.taken >= most_connections:
                return cast("web.RequestHandler", _Full())
            self.taken += 1
            return super().__call__()

        def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
            self.taken -= 1
            super().connection_lost(handler, exc)

    return Bounded(
        handle,
        access_log=None,
        logger=_logger(),
        handler_cancellation=True,
        lingering_time=_LINGER_SECONDS,
    )


class _Full(asyncio.Protocol):
    """Says so, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(_FULL_ANSWER)
        transport.close()


def _logger() -> logging.Logger:
    """The server's own complaints; not of clients that have gone, for agents are ended in the middle, nor of
    what is no HTTP: an agent could fill the user's terminal with it."""
    logger = logging.getLogger("microloop.gateway")
    logger.addFilter(_is_our_own)
    return logger


def _is_our_own(record: logging.LogRecord) -> bool:
    from aiohttp import ClientError, http_exceptions, web

    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(
        error,
        (ConnectionError, ClientError, http_exceptions.HttpProcessingError, web.RequestPayloadError),
    )
