"""A server on a Unix socket, a thread for each connection, as the other end of a door."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path


class Server:
    """Calls `handler` with each connection and closes it afterwards; `close` ends the listening."""

    def __init__(self, place: Path, handler: Callable[[socket.socket], None], backlog: int = 128) -> None:
        self.place, self._handler = place, handler
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        place.chmod(0o666)
        self._listener.listen(backlog)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError):
            self._handler(connection)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return when `condition` holds; fail the test when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
