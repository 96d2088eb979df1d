"""One request on its way to the upstream, and its answer on the way back.

The last piece of an answer is held back until the call is charged and its tool calls are told, so that all
the agent does about it comes after.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.gateway.answering import Client, ClientGone, error_answer
from microloop_cli.gateway.decoding import BadCoding, Inflated, Plain, decoder
from microloop_cli.gateway.following import Following
from microloop_cli.gateway.model import Asked, Meter
from microloop_cli.gateway.surroundings import Surroundings
from microloop_cli.gateway.upstream import incoming, outgoing, target
from microloop_cli.gateway.wire.meters import BodyMeter
from microloop_cli.gateway.wire.registry import cut, meter

if TYPE_CHECKING:
    from aiohttp import ClientResponse, web

BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504
# A longer error says nothing that its beginning does not.
MOST_ERROR_BYTES = 2**20
_BODILESS = frozenset({204, 205, 304})


class Exchange:
    """outlives: goes on to the answer's end without its client: the provider charges for it all the same."""

    def __init__(
        self,
        around: Surroundings,
        request: web.BaseRequest,
        asked: Asked,
        following: Following,
        *,
        outlives: bool,
    ) -> None:
        self._around = around
        self._request = request
        self._asked = asked
        self._following = following
        self.outlives = outlives
        self._upstream = around.upstreams[asked.provider]
        self._unkeyed = around.unkeyed(asked.provider)
        self.sent = False  # the request has left: what comes of it may be charged

    async def run(self) -> web.StreamResponse:
        """The response, written. Whatever happens the call ends, and is told of, once."""
        from aiohttp import ClientError

        try:
            async with self._sending() as answer:
                return await self._take(answer)
        except asyncio.TimeoutError:
            self._following.unheard(sent=self.sent)
            return self._no(GATEWAY_TIMEOUT, "gave no answer in time")
        except (ClientError, OSError, ValueError) as error:
            self._following.failed()
            return self._no(BAD_GATEWAY, f"gave no answer: {_kind(error)}")
        finally:
            self.end()

    def end(self) -> None:
        """The call ends, if it has not yet."""
        self._following.unheard(sent=self.sent)

    def _sending(self) -> AbstractAsyncContextManager[ClientResponse]:
        from yarl import URL

        return self._around.session.request(
            self._request.method,
            URL(target(self._upstream, self._request.raw_path), encoded=True),
            data=self._asked.body or None,
            headers=outgoing(self._asked.provider, self._upstream.key, self._request.headers.items()),
            allow_redirects=False,
            proxy=self._upstream.proxy or None,
            trace_request_ctx=self,
        )

    async def _take(self, answer: ClientResponse) -> web.StreamResponse:
        """The answer's status and headers are here."""
        kind = answer.headers.get("Content-Type", "")
        bare = meter(self._asked, answer.status, kind)
        reading = self._recorded(bare, answer.status, kind)
        self._asked = msgspec.structs.replace(self._asked, body=b"")
        try:
            coding = decoder(answer.headers.get("Content-Encoding", ""))
        except BadCoding as error:
            self._following.ended(reading, answer.status, whole=False)
            return self._no(BAD_GATEWAY, f"sent what cannot be read: {error}")
        if not 200 <= answer.status < 300 or self._has_no_body(answer.status):
            return await self._pass_small(answer, reading, coding)
        self._following.begin(kind)
        return await self._relay(answer, reading, coding, holds=isinstance(bare, BodyMeter))

    async def _pass_small(
        self, answer: ClientResponse, reading: Meter, coding: Plain | Inflated
    ) -> web.StreamResponse:
        """An error, a redirect or nothing: passed on whole, and without the key."""
        from aiohttp import ClientError, web
        from multidict import CIMultiDict

        body = bytearray()
        try:
            async for piece in _pieces(answer, coding):
                body += piece
                if len(body) > MOST_ERROR_BYTES:
                    raise BadCoding(f"an error of more than {MOST_ERROR_BYTES // 2**20} MiB")
            reading.feed(bytes(body))
        except (ClientError, OSError, asyncio.TimeoutError, BadCoding) as error:
            return self._no(BAD_GATEWAY, f"answered {answer.status}, which cannot be read: {_kind(error)}")
        finally:
            self._following.ended(reading, answer.status, whole=True)
        headers = CIMultiDict(self._unkeyed.headers(incoming(answer.headers.items())))
        text = None if self._has_no_body(answer.status) else self._unkeyed.body(bytes(body))
        return web.Response(status=answer.status, headers=headers, body=text)

    async def _relay(
        self, answer: ClientResponse, reading: Meter, coding: Plain | Inflated, *, holds: bool
    ) -> web.StreamResponse:
        from aiohttp import ClientError, web

        response = web.StreamResponse(status=answer.status)
        response.headers.extend(self._unkeyed.headers(incoming(answer.headers.items())))
        client = Client(self._request, response, outlives=self.outlives)
        try:
            last = await self._pass_on(answer, reading, coding, client, holds=holds)
            self._following.ended(reading, answer.status, whole=self._following.refused is None)
            await client.finish(last)
        except ClientGone:
            pass
        except (ClientError, OSError, asyncio.TimeoutError, BadCoding) as error:
            if not client.began:
                self._following.ended(reading, answer.status, whole=False)
                return self._no(BAD_GATEWAY, f"broke off: {_kind(error)}")
            client.abort()
        finally:
            self._following.ended(reading, answer.status, whole=False)
        return response

    async def _pass_on(
        self,
        answer: ClientResponse,
        reading: Meter,
        coding: Plain | Inflated,
        client: Client,
        *,
        holds: bool,
    ) -> bytes:
        """All pieces as they come, until the end or a limit; the last bytes are given back."""
        held = b""
        async for piece in _pieces(answer, coding):
            passed = reading.feed(piece)
            refused = self._following.passes(piece, reading, can_be_cut=not holds)
            if refused is not None:
                return cut(self._asked, refused.message)
            await client.write(held)
            held = b""
            if holds:
                held = passed
            else:
                await client.write(passed)
        return held + reading.finish()

    def _recorded(self, bare: Meter, status: int, kind: str) -> Meter:
        if self._around.recorder is None:
            return bare
        return self._around.recorder.over(
            bare,
            self._asked,
            call=self._following.number,
            method=self._request.method,
            target=self._request.raw_path,
            status=status,
            kind=kind,
        )

    def _has_no_body(self, status: int) -> bool:
        return self._request.method == "HEAD" or status in _BODILESS

    def _no(self, status: int, what: str) -> web.Response:
        return error_answer(self._asked, status, f"microloop: the {self._asked.provider} upstream {what}")


async def _pieces(answer: ClientResponse, coding: Plain | Inflated) -> AsyncIterator[bytes]:
    async for chunk in answer.content.iter_any():
        for number, piece in enumerate(coding.feed(chunk)):
            if number:
                await asyncio.sleep(0)  # a small chunk may hold very much
            yield piece
    coding.finish()


def _kind(error: Exception) -> str:
    return str(error) if isinstance(error, BadCoding) else type(error).__name__
