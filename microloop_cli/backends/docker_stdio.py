"""The container's stdin, stdout and stderr, passed through the attach socket by two daemon threads."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import TypeVar

from microloop_cli.backends.processes import Stdio
from microloop_cli.errors import SandboxError

_CHUNK_BYTES = 1 << 16
_HEADER = struct.Struct(">BxxxL")
_STDERR = 2
_T = TypeVar("_T")


def in_daemon_thread(work: Callable[[], _T]) -> asyncio.Future[_T]:
    """Run blocking work beside the loop; a thread that never returns does not keep the process alive."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        from docker.errors import DockerException
        from urllib3.exceptions import HTTPError

        result: _T | None = None
        error: Exception | None = SandboxError("the talk with the Docker daemon broke off")
        try:
            result = work()
            error = None
        except (OSError, DockerException, HTTPError) as caught:
            error = caught
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="microloop-docker").start()
    return future


class StdioPump:
    """Moves bytes until the daemon ends the stream. With a tty the stream is raw, else framed by stream."""

    def __init__(self, attached: socket.socket, stdio: Stdio, *, tty: bool) -> None:
        self._socket = attached
        self._stdio = stdio
        self._tty = tty
        self._broken: set[int] = set()
        self._wake_read, self._wake_write = os.pipe()
        self._drop_read, self._drop_write = os.pipe()
        self._dropping = False
        attached.settimeout(None)

    def start(self) -> asyncio.Future[None]:
        """Start both directions; the future is done when all output was passed on."""
        self._input = in_daemon_thread(self._pass_input)
        self._output = in_daemon_thread(self._pass_output)
        return self._output

    def drop_what_is_not_read(self) -> None:
        """From now on do not wait for a reader of the output: after a kill it may never read."""
        if not self._dropping:
            self._dropping = True
            os.write(self._drop_write, b"x")

    async def close(self) -> None:
        """Stop reading stdin and give up the socket; idempotent."""
        if self._wake_write < 0:
            return
        os.close(self._wake_write)
        self._wake_write = -1
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.drop_what_is_not_read()
        _, running = await asyncio.wait([self._input, self._output], timeout=1)
        if running:
            return  # a thread that still holds the descriptors keeps them
        for fd in (self._wake_read, self._drop_read, self._drop_write):
            os.close(fd)
        self._socket.close()

    def _pass_input(self) -> None:
        poll = select.poll()
        poll.register(self._stdio.stdin, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        with contextlib.suppress(OSError):
            while data := self._next_input(poll):
                self._socket.sendall(data)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _next_input(self, poll: select.poll) -> bytes:
        """Empty at the end of stdin and when the pump is closed."""
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if self._wake_read in ready:
                return b""
            try:
                return os.read(self._stdio.stdin, _CHUNK_BYTES)
            except BlockingIOError:
                continue

    def _pass_output(self) -> None:
        if self._tty:
            while data := self._receive():
                self._write(self._stdio.stdout, memoryview(data))
            return
        buffer = bytearray()
        while data := self._receive():
            buffer += data
            self._pass_frames(buffer)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_CHUNK_BYTES)
        except OSError:
            return b""

    def _pass_frames(self, buffer: bytearray) -> None:
        """Write every whole frame in the buffer and cut it off."""
        at = 0
        while len(buffer) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(buffer, at)
            end = at + _HEADER.size + size
            if len(buffer) < end:
                break
            target = self._stdio.stderr if stream == _STDERR else self._stdio.stdout
            self._write(target, memoryview(bytes(buffer[at + _HEADER.size : end])))
            at = end
        del buffer[:at]

    def _write(self, target: int, data: memoryview) -> None:
        """Write all; once the reader is gone, or nothing shall wait for it, drop what follows.

        At most PIPE_BUF at once after the descriptor was found writable: such a write does not block.
        """
        poll = select.poll()
        poll.register(target, select.POLLOUT)
        poll.register(self._drop_read, select.POLLIN)
        while data and target not in self._broken:
            ready = {fd for fd, _ in poll.poll()}
            if target not in ready:
                return
            try:
                data = data[os.write(target, data[: select.PIPE_BUF]) :]
            except BlockingIOError:
                continue
            except OSError:
                self._broken.add(target)
