"""The supervisor's end of the guard's channel: a Unix socket that lets one proven guard in, then is gone."""

from __future__ import annotations

import asyncio
import hmac
import os
import socket
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import cast

from microloop_cli.errors import HostError, ProtocolError
from microloop_cli.guard import wire

SOCKET_NAME = "channel.sock"
SOCKET_MODE = 0o666  # the guard may run as another user; the directory around the socket is private
LONGEST_PATH_BYTES = 107  # sun_path holds 108 with its NUL
MOST_CANDIDATES = 16
HELLO_SECONDS = 10.0

_UCRED = struct.Struct("3i")


class Channel:
    """One run's channel. Made by `Channel.open`; ends by itself (`on_lost`, once) or by `close` (silently).

    on_message: called for every message after Hello, synchronously, in order.
    on_lost: called once when an accepted guard is gone or spoke nonsense, with the reason.
    on_refused: called for every client that was turned away, with the reason.
    """

    def __init__(
        self,
        path: Path,
        nonce: str,
        allowed_uids: Collection[int] | None,
        on_message: Callable[[wire.GuardMessage], None],
        on_lost: Callable[[str], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self.path = path
        self.peer_pid: int | None = None
        self._nonce = nonce.encode()
        self._allowed_uids = allowed_uids
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_refused = on_refused
        self._refusals: list[str] = []
        self._ready: asyncio.Future[wire.Hello] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None
        self._candidates: set[_Connection] = set()
        self._guard: _Connection | None = None
        self._over = False

    @classmethod
    async def open(
        cls,
        directory: Path,
        nonce: str,
        *,
        on_message: Callable[[wire.GuardMessage], None],
        on_lost: Callable[[str], None],
        on_refused: Callable[[str], None] = lambda _reason: None,
        allowed_uids: Collection[int] | None = None,
    ) -> Channel:
        """Listen at `directory`/channel.sock; `directory` is the caller's, mode 0700.

        allowed_uids: user ids (as this process sees them) the guard may have; None lets any in.
        Raises HostError when the path is too long or the socket cannot be made.
        """
        path = directory / SOCKET_NAME
        channel = cls(path, nonce, allowed_uids, on_message, on_lost, on_refused)
        listener = _listen(path)
        try:
            channel._server = await asyncio.get_running_loop().create_unix_server(
                lambda: _Connection(channel), sock=listener
            )
        except BaseException:
            listener.close()
            raise
        return channel

    async def wait_ready(self, timeout_seconds: float) -> wire.Hello:
        """The Hello of the guard that was let in. Raises ProtocolError when none came in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), timeout_seconds)
        except asyncio.TimeoutError:
            refused = f"; turned away: {'; '.join(self._refusals)}" if self._refusals else ""
            raise ProtocolError(
                f"the guard did not connect within {timeout_seconds:g} s{refused}",
                hint="run `microloop doctor` to see what the sandbox lacks",
            ) from None

    def send(self, *messages: wire.SupervisorMessage) -> None:
        """Send in one write; nothing happens once the guard is gone."""
        self.write_bytes(b"".join(map(wire.encode, messages)))

    def write_bytes(self, data: bytes) -> None:
        """Send encoded messages as they are; nothing happens once the guard is gone."""
        if self._guard is not None and not self._over:
            self._guard.transport.write(data)

    def close(self) -> None:
        """Close everything and remove the socket; `on_lost` will not be called. Idempotent."""
        self._over = True
        self._stop_listening()
        self._give_up_waiting("the channel was closed")
        if self._guard is not None:
            self._guard.transport.close()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        for candidate in tuple(self._candidates):
            if candidate is not self._guard:
                candidate.drop()

    def _came(self, candidate: _Connection, uid: int) -> None:
        if self._over or self._guard is not None or len(self._candidates) >= MOST_CANDIDATES:
            self._refuse(candidate, "one client too many")
        elif self._allowed_uids is not None and uid not in self._allowed_uids:
            self._refuse(candidate, f"a client of user {uid}")
        else:
            self._candidates.add(candidate)

    def _refuse(self, candidate: _Connection, reason: str) -> None:
        candidate.drop()
        self._candidates.discard(candidate)
        self._refusals.append(reason)
        self._on_refused(reason)

    def _introduced(self, candidate: _Connection, message: wire.GuardMessage) -> bool:
        """Judge a candidate's first message; True lets it in."""
        if not isinstance(message, wire.Hello):
            self._refuse(candidate, f"a client that began with {type(message).__name__}")
            return False
        if not hmac.compare_digest(message.nonce.encode(), self._nonce):
            self._refuse(candidate, "a client that does not know the run's nonce")
            return False
        self._candidates.discard(candidate)
        self._guard = candidate
        self.peer_pid = candidate.pid
        self._stop_listening()
        if message.version != wire.VERSION:
            self._lose(f"the guard speaks version {message.version} of the protocol, not {wire.VERSION}")
            return False
        if not self._ready.done():
            self._ready.set_result(message)
        return True

    def _lose(self, reason: str) -> None:
        """End an accepted guard's channel, once."""
        if self._over:
            return
        self._over = True
        if self._guard is not None:
            self._guard.drop()
        self._give_up_waiting(reason)
        self._on_lost(reason)

    def _give_up_waiting(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ProtocolError(reason))
            self._ready.exception()  # nobody need be waiting for it


class _Connection(asyncio.Protocol):
    """One client: a candidate until its Hello was judged, then the guard."""

    transport: asyncio.Transport
    pid: int

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._decoder: wire.Decoder[wire.GuardMessage] = wire.Decoder("guard")
        self._accepted = False
        self._dropped = False
        self._patience: asyncio.TimerHandle | None = None

    def drop(self) -> None:
        self._dropped = True
        if self._patience is not None:
            self._patience.cancel()
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.pid, uid = _peer(cast(socket.socket, transport.get_extra_info("socket")))
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(HELLO_SECONDS, self._fail, "a client that said nothing")
        self._channel._came(self, uid)

    def data_received(self, data: bytes) -> None:
        if self._dropped:
            return
        try:
            messages = self._decoder.feed(data)
        except ProtocolError as error:
            self._fail(error.message)
            return
        for message in messages:
            if self._channel._over:
                return
            self._take(message)
        if self._decoder.error is not None:
            self._fail(self._decoder.error.message)

    def _take(self, message: wire.GuardMessage) -> None:
        if self._dropped:
            return
        if not self._accepted:
            self._accepted = self._channel._introduced(self, message)
            if self._patience is not None:
                self._patience.cancel()
        elif isinstance(message, wire.Hello):
            self._fail("the guard said hello twice")
        else:
            self._channel._on_message(message)

    def _fail(self, reason: str) -> None:
        if self._accepted:
            self._channel._lose(reason)
        elif not self._dropped:
            self._channel._refuse(self, reason)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._decoder.pending_bytes:
            self._fail("the guard's last message is cut off")
        elif exc is not None:
            self._fail(f"the channel broke: {exc}")
        else:
            self._fail("the guard closed the channel" if self._accepted else "a client that left unproven")


def _listen(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        raise HostError(
            f"the channel's path is longer than a Unix socket's may be ({LONGEST_PATH_BYTES} bytes): {path}",
            hint="set TMPDIR (or XDG_RUNTIME_DIR) to a shorter directory",
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.bind(os.fspath(path))
        path.chmod(SOCKET_MODE)
    except OSError as error:
        listener.close()
        raise HostError(
            f"cannot make the guard's channel {path}: {error.strerror}",
            hint="the directory must exist, be writable and hold no channel yet",
        ) from error
    return listener


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user id of the other end, as this process sees them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _gid = _UCRED.unpack(raw)
    return pid, uid
