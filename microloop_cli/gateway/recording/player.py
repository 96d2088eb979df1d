"""A model server that serves recorded answers: the gateway's only upstream in a replay."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.recording.tape import Missing, Tape
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.gateway.upstream import DEFAULTS, Upstream
from microloop_cli.gateway.wire.registry import ask, refusal

if TYPE_CHECKING:
    from aiohttp import web

NOT_RECORDED = 404
_CHUNK_BYTES = 64 * 1024
_MAX_REQUEST_BYTES = 256 * 2**20


class Player:
    """One server on loopback, behind a path nobody else knows. on_missing hears of what was not recorded."""

    def __init__(
        self, tape: Tape, on_missing: Callable[[str], None], redact: Callable[[bytes], bytes]
    ) -> None:
        """redact: takes secrets out of a request, as they were taken out of the recorded ones."""
        self._tape = tape
        self._redact = redact
        self._on_missing = on_missing
        self._token = secrets.token_hex(16)
        self._socket = listen_tcp("127.0.0.1", 0)
        self._runner: web.AppRunner | None = None

    def upstreams(self) -> dict[Provider, Upstream]:
        """The addresses to give the gateway, for every provider."""
        base = f"http://127.0.0.1:{self._socket.getsockname()[1]}/{self._token}"
        return {provider: Upstream(f"{base}/{provider}") for provider in DEFAULTS}

    async def start(self) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_route("*", f"/{self._token}/{{provider}}/{{path:.*}}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        body = await request.read()
        target = request.raw_path.split("/", 3)[3]
        asked = ask(request.method, f"/{target}", request.headers, body)
        plain = self._redact(body)
        found = self._tape.answer(request.method, f"/{target}", asked.surface, asked.model, plain)
        if isinstance(found, Missing):
            if asked.surface != "other":
                self._on_missing(found.message)
            kind, text = refusal(asked, NOT_RECORDED, found.message)
            return web.Response(
                status=NOT_RECORDED, body=text, headers={"Content-Type": kind, "x-should-retry": "false"}
            )
        return await self._play(request, found.about.status, found.about.content_type, found.answer)

    async def _play(self, request: web.Request, status: int, kind: str, answer: bytes) -> web.StreamResponse:
        from aiohttp import web

        response = web.StreamResponse(status=status)
        if kind.isprintable() and kind.isascii() and kind:  # a bundle may be anybody's
            response.headers["Content-Type"] = kind
        await response.prepare(request)
        for start in range(0, len(answer), _CHUNK_BYTES):
            await response.write(answer[start : start + _CHUNK_BYTES])
        await response.write_eof()
        return response
