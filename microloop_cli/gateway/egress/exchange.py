"""One request for an http:// URL, passed on and answered; bodies stream, neither is ever held as a whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from microloop_cli.gateway.egress.gate import Unreachable
from microloop_cli.gateway.egress.head import MAX_HEAD, Malformed
from microloop_cli.gateway.egress.headers import for_client, for_upstream
from microloop_cli.gateway.egress.stream import Stream
from microloop_cli.gateway.egress.target import Target

if TYPE_CHECKING:
    import h11


class Exchange:
    """started: the client has seen the begin of an answer, so an error can only be a broken one."""

    def __init__(self, client: Stream, asked: h11.Connection, upstream: Stream, quiet_seconds: float) -> None:
        import h11

        self.started = False
        self.status: int | None = None
        self._client = client
        self._asked = asked
        self._upstream = upstream
        self._answering = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._quiet_seconds = quiet_seconds

    async def run(
        self, request: h11.Request, target: Target, url: str, extra: list[tuple[bytes, bytes]]
    ) -> bool:
        """True when the client may send its next request. url: what is asked of the upstream.

        Raises Unreachable when the upstream fails, Malformed when the request's body is none, and
        ConnectionError when the client is gone.
        """
        import h11

        headers = [*for_upstream(request.headers.raw_items(), target), *extra]
        try:
            asks = h11.Request(method=request.method, target=url, headers=headers)
            head = self._answering.send(asks) or b""
        except h11.LocalProtocolError as error:
            raise Malformed(str(error)) from None
        upload = asyncio.ensure_future(self._upload(head))
        try:
            await self._download()
        except Unreachable:
            self._raise_of_client(upload)
            raise
        finally:
            upload.cancel()
            await asyncio.wait([upload])
            # Looked at, so that nobody complains that it was not; what counts was raised above.
            _ = upload.cancelled() or upload.exception()
        return self._asked.our_state is h11.DONE and self._asked.their_state is h11.DONE

    def _raise_of_client(self, upload: asyncio.Future[None]) -> None:
        """A request that broke off took the connection to the upstream with it: that is what happened."""
        error = upload.exception() if upload.done() and not upload.cancelled() else None
        if error is not None:
            raise error

    async def _upload(self, head: bytes) -> None:
        """The request, then watching whether the client is still there: it never returns by itself."""
        import h11

        try:
            await self._to_upstream(head)
            while True:
                event = self._asked.next_event()
                if event is h11.NEED_DATA:
                    self._asked.receive_data(await self._client.read())
                elif isinstance(event, h11.Data):
                    await self._to_upstream(self._answering.send(event))
                else:
                    await self._to_upstream(self._answering.send(h11.EndOfMessage()))
                    await self._client.until_lost()
                    raise ConnectionError("the client is gone")
        except h11.RemoteProtocolError as error:
            self._upstream.abort()
            raise Malformed(f"the request's body is none: {error}") from None
        except ConnectionError:
            self._upstream.abort()
            raise

    async def _to_upstream(self, data: bytes | None) -> None:
        """An upstream that takes no more may have answered already: that is found out by reading."""
        if data and not self._upstream.lost:
            try:
                await self._upstream.write(data)
            except ConnectionError:
                return

    async def _download(self) -> None:
        import h11

        while True:
            try:
                event = self._answering.next_event()
            except h11.RemoteProtocolError as error:
                raise Unreachable(f"the server's answer is no HTTP: {error}") from None
            if event is h11.NEED_DATA:
                self._answering.receive_data(await self._from_upstream())
            elif isinstance(event, h11.InformationalResponse):
                await self._interim(event)
            elif isinstance(event, h11.Response):
                await self._response(event)
            elif isinstance(event, h11.Data):
                await self._to_client(event)
            elif isinstance(event, h11.EndOfMessage):
                await self._to_client(h11.EndOfMessage())
                return
            else:
                raise Unreachable("the server closed the connection without an answer")

    async def _from_upstream(self) -> bytes:
        """Waits as long as anything moves to or from the upstream. Raises Unreachable."""
        while True:
            sent = self._upstream.sent_bytes
            try:
                return await self._upstream.read(self._quiet_seconds)
            except asyncio.TimeoutError:
                if self._upstream.sent_bytes == sent:
                    seconds = f"{self._quiet_seconds:.0f}"
                    said = f"the server said nothing for {seconds} s"
                    raise Unreachable(said, 504) from None
            except ConnectionError:
                raise Unreachable("the server broke the connection off") from None

    async def _interim(self, event: h11.InformationalResponse) -> None:
        """100 and its like; a client of HTTP/1.0 knows none, and 101 was not asked for."""
        if event.status_code == 101:
            raise Unreachable("the server switched to a protocol nobody asked for")
        if self._asked.their_http_version != b"1.0":
            await self._to_client(_copied(event))

    async def _response(self, event: h11.Response) -> None:
        self.status = event.status_code
        self.started = True
        await self._to_client(_copied(event))

    async def _to_client(self, event: h11.Event) -> None:
        import h11

        try:
            data = self._asked.send(event)
        except h11.LocalProtocolError as error:
            raise Unreachable(f"the server's answer is no HTTP: {error}") from None
        if data:
            await self._client.write(data)


def _copied(event: h11.Response | h11.InformationalResponse) -> h11.Response | h11.InformationalResponse:
    return type(event)(
        status_code=event.status_code,
        reason=event.reason,
        headers=for_client(event.headers.raw_items()),
    )
