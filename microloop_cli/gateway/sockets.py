"""The sockets that the gateway and the proxy listen on, made before them: the kernel queues who is early."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from microloop_cli.errors import HostError

# 200 streams begin at once; the kernel's own bound (net.core.somaxconn) may be lower.
BACKLOG = 1024


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0: a free one (`getsockname()[1]`). HostError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return _listening(sock, (host, port), f"{host}:{port}", "choose another port")


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket that any user may use who can reach its folder, which is made (0700) where it
    is not there. A socket left at `path` is replaced. HostError when that is not possible.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_socket():
            path.unlink()
    except OSError as error:
        raise HostError(
            f"cannot make the socket {path}: {error.strerror}", hint="is its folder writable?"
        ) from None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening = _listening(sock, os.fspath(path), f"{path}", "a shorter path (107 bytes at most)")
    path.chmod(0o666)
    return listening


def _listening(sock: socket.socket, address: tuple[str, int] | str, shown: str, hint: str) -> socket.socket:
    try:
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise HostError(f"cannot listen on {shown}: {error.strerror or error}", hint=hint) from None
    sock.setblocking(False)
    return sock
