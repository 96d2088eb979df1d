"""What follows a CONNECT: bytes both ways as they come, each side held back to the speed of the other."""

from __future__ import annotations

import asyncio

from microloop_cli.gateway.egress.stream import Stream

_QUIET_SECONDS = 120.0


class Tunnel:
    """Takes two connections over. received and sent: bytes from and to the upstream."""

    def __init__(self, client: Stream, upstream: Stream) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._given_up = False
        self._client = _End(self, client)
        self._upstream = _End(self, upstream)
        self._client.other, self._upstream.other = self._upstream, self._client
        self._client.take_over(client)
        self._upstream.take_over(upstream)

    @property
    def received_bytes(self) -> int:
        return self._upstream.received_bytes

    @property
    def sent_bytes(self) -> int:
        return self._client.received_bytes

    @property
    def error(self) -> str:
        """Why it broke off, "" when both sides ended it."""
        if self._given_up:
            return "half closed, and nothing moved any more"
        if self._upstream.broken:
            return "the server broke the connection off"
        return "the client broke the connection off" if self._client.broken else ""

    async def run(self, quiet_seconds: float = _QUIET_SECONDS) -> None:
        """Until both connections are closed. One that is half closed may be quiet for twice quiet_seconds at
        most. When it is cancelled, both are given up."""
        moved = -1
        try:
            while not self.done.done():
                await asyncio.wait([self.done], timeout=quiet_seconds)
                if self._half_closed and self._moved == moved and not self.done.done():
                    self._given_up = True
                    break
                moved = self._moved
        finally:
            self._client.transport.abort()
            self._upstream.transport.abort()

    def check(self) -> None:
        """Called when one end is lost: what is on the way to the other is still sent, then it is closed."""
        if self._client.lost and self._upstream.lost:
            if not self.done.done():
                self.done.set_result(None)
        elif self._client.lost:
            self._upstream.transport.close()
        elif self._upstream.lost:
            self._client.transport.close()

    @property
    def _half_closed(self) -> bool:
        return any(end.ended or end.lost for end in (self._client, self._upstream))

    @property
    def _moved(self) -> int:
        return self._client.received_bytes + self._upstream.received_bytes


class _End(asyncio.Protocol):
    """One side; it reads and the other writes."""

    def __init__(self, tunnel: Tunnel, stream: Stream) -> None:
        self.other: _End
        self.transport = stream.transport
        self.received_bytes = 0
        self.ended = False
        self.lost = stream.lost
        self.broken = False
        self._tunnel = tunnel

    def take_over(self, stream: Stream) -> None:
        """What the stream had read and seen so far, then all that comes."""
        self.transport.set_protocol(self)
        data = stream.take()
        if data:
            self.data_received(data)
        if stream.ended:
            self.eof_received()
        if stream.lost:
            self._tunnel.check()

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.other.ended:
            self.transport.close()
            self.other.transport.close()
        else:
            self.other.end_writing()
        return True

    def end_writing(self) -> None:
        try:
            self.transport.write_eof()
        except OSError:
            self.transport.abort()  # it was broken already

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.broken = error is not None and not self.other.lost
        self._tunnel.check()
