"""One connection as a bounded buffer to read from and a way to write that waits for the other side."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

MAX_BUFFERED = 256 * 1024
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1024 * 1024


class Stream(asyncio.Protocol):
    """After `lost` is set nothing can be read or written any more. Reading ends with b"" when the other side
    will not send more; what it is sent may still arrive."""

    def __init__(self, connected: Callable[[Stream], None] | None = None) -> None:
        self.transport: asyncio.Transport
        self.received_bytes = 0
        self.sent_bytes = 0
        self.lost = False
        self.ended = False
        self._connected = connected
        self._buffer = bytearray()
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._loss: asyncio.Future[None] | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=0)  # what was written is on its way when write() returns
        if self._connected is not None:
            self._connected(self)

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        self._buffer += data
        if len(self._buffer) >= MAX_BUFFERED:
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        self.ended = True
        _wake(self._reader)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        for waiting in (self._reader, self._writer, self._loss):
            _wake(waiting)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)

    async def read(self, seconds: float | None = None) -> bytes:
        """What has arrived, at least one byte; b"" at the end. Raises ConnectionError when the connection is
        lost, asyncio.TimeoutError when nothing arrives in time."""
        if not self._buffer and not self.ended and not self.lost:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await _within(self._reader, seconds)
            finally:
                self._reader = None
        data = self.take()
        if not data and self.lost:
            raise ConnectionError("the connection is lost")
        return data

    def take(self) -> bytes:
        """What is in the buffer now, without waiting; may be nothing."""
        data = bytes(self._buffer)
        self._buffer.clear()
        if not self.ended and not self.lost:
            self.transport.resume_reading()
        return data

    def unread(self, data: bytes) -> None:
        """Puts back what was read too much."""
        self._buffer[:0] = data

    async def write(self, data: bytes) -> None:
        """Returns when the kernel has all of it. Raises ConnectionError when the connection is lost."""
        if self.lost or self.transport.is_closing():
            raise ConnectionError("the connection is lost")
        self.sent_bytes += len(data)
        self.transport.write(data)
        while self._full and not self.lost:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def until_lost(self) -> None:
        """Returns when the connection is lost."""
        while not self.lost:
            self._loss = asyncio.get_running_loop().create_future()
            await self._loss

    async def finish(self, monotonic: Callable[[], float]) -> None:
        """Ends an answer while the other side may still be sending: without reading on, it would be lost."""
        until = monotonic() + _LINGER_SECONDS
        left = self.received_bytes + _LINGER_BYTES
        try:
            if self.transport.can_write_eof() and not self.lost:
                self.transport.write_eof()
            while self.received_bytes < left and await self.read(max(until - monotonic(), 0.001)):
                pass
        except (OSError, asyncio.TimeoutError):
            pass
        self.abort()

    def abort(self) -> None:
        """Gives the connection up at once; what was not sent yet is not sent."""
        self.transport.abort()

    def reset(self) -> None:
        """As abort, and the other side sees that it is no proper end (of TCP; a Unix socket knows none)."""
        sock = self.transport.get_extra_info("socket")
        if not self.lost and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def _within(future: asyncio.Future[None], seconds: float | None) -> None:
    """Waits for the future; cheaper than asyncio.wait_for, which makes a task of it."""
    if seconds is None:
        await future
        return
    timer = asyncio.get_running_loop().call_later(seconds, _expire, future)
    try:
        await future
    finally:
        timer.cancel()


def _expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(asyncio.TimeoutError())


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
