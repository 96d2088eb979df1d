"""Stands between a client and the real Docker daemon, and does something about chosen requests."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

DAEMON = "/var/run/docker.sock"

# Called for a chosen request: what to answer in the daemon's place (empty: break off), or None to pass it on.
OnRequest = Callable[[], "bytes | None"]


def refusal(message: str) -> bytes:
    """The daemon's way to say no."""
    body = b'{"message": "%s"}' % message.encode()
    head = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def between(path: Path, mark: bytes, on_request: OnRequest) -> str:
    """A DOCKER_HOST at `path`: the real daemon but for requests that hold `mark`."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threading.Thread(target=_serve, args=(listener, mark, on_request), daemon=True).start()
    return f"unix://{path}"


def _serve(listener: socket.socket, mark: bytes, on_request: OnRequest) -> None:
    while True:
        client, _ = listener.accept()
        daemon = socket.socket(socket.AF_UNIX)
        daemon.connect(DAEMON)
        for work, *ends in ((_ask, client, daemon, mark, on_request), (_pass_on, daemon, client)):
            threading.Thread(target=work, args=ends, daemon=True).start()


def _ask(client: socket.socket, daemon: socket.socket, mark: bytes, on_request: OnRequest) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(1 << 16):
            answer = on_request() if mark in data else None
            if answer is None:
                daemon.sendall(data)
                continue
            client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)
        daemon.shutdown(socket.SHUT_WR)


def _pass_on(daemon: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := daemon.recv(1 << 16):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
