"""The gateway's own answers, and the last of an upstream's: whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microloop_cli.gateway.model import Asked
from microloop_cli.gateway.wire.registry import refusal

if TYPE_CHECKING:
    from aiohttp import web


class ClientGone(Exception):
    """Nobody reads the answer any more."""


class Client:
    """Whom an answer is written to. It begins with the first bytes, so that what fails before is an error.

    outlives: whoever writes goes on when the client has gone; else ClientGone is raised.
    """

    def __init__(self, request: web.BaseRequest, response: web.StreamResponse, *, outlives: bool) -> None:
        self._request = request
        self.response = response
        self._outlives = outlives
        self._is_there = True

    @property
    def began(self) -> bool:
        return self.response.prepared or not self._is_there

    async def write(self, data: bytes) -> None:
        if not data or not self._is_there:
            return
        try:
            if not self.response.prepared:
                await self.response.prepare(self._request)
            await self.response.write(data)
        except OSError:
            self._gone()

    async def finish(self, last: bytes) -> None:
        if not self._is_there:
            return
        try:
            if not self.response.prepared:
                self.response.content_length = len(last)
                await self.response.prepare(self._request)
            await self.response.write_eof(last)
        except OSError:
            self._gone()

    def abort(self) -> None:
        """The answer broke off: it must not look whole."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _gone(self) -> None:
        self._is_there = False
        if not self._outlives:
            raise ClientGone from None


def error_answer(asked: Asked, status: int, message: str, *, final: bool = False) -> web.Response:
    """An error in the provider's own shape. final: no use to ask again."""
    from aiohttp import web

    kind, body = refusal(asked, status, message)
    headers = {"Content-Type": kind} | ({"x-should-retry": "false"} if final else {})
    return web.Response(status=status, body=body, headers=headers)
