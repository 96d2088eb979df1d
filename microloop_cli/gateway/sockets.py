"""The sockets that the gateway and the proxy listen on, made before them: the kernel queues who is early."""

from __future__ import annotations

import errno
import os
import resource
import socket
from pathlib import Path

from microloop_cli.errors import HostError

# 200 streams begin at once; the kernel's own bound (net.core.somaxconn) may be lower.
BACKLOG = 1024
# Taken from the kernel in one round of the event loop, before anybody can say that there are too many.
ACCEPTED_AT_ONCE = 128
_MOST_CONNECTIONS, _LEAST_CONNECTIONS = 512, 16
# Two servers with these, each to one upstream; and what else a run opens: ledger, watches, outputs.
_FILES_WANTED = 4096
_FILES_FOR_OTHERS = 256
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


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


def connections_at_most() -> int:
    """How many connections each of the two servers may take, after this process may open more files.

    Many shells allow 1024, and an agent has as many connections as it likes: a run that can open no more
    files can write nothing.
    """
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if most == resource.RLIM_INFINITY else min(_FILES_WANTED, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        allowed = wanted
    if allowed == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    room = (allowed - _FILES_FOR_OTHERS - 3 * ACCEPTED_AT_ONCE) // 4
    return min(_MOST_CONNECTIONS, max(_LEAST_CONNECTIONS, room))


def is_shortage(error: BaseException | None) -> bool:
    """Whether it says that there are too many open files, or no memory for another socket, at this moment."""
    return isinstance(error, OSError) and error.errno in _SHORTAGES


def _listening(sock: socket.socket, address: tuple[str, int] | str, shown: str, hint: str) -> socket.socket:
    try:
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise HostError(f"cannot listen on {shown}: {error.strerror or error}", hint=hint) from None
    sock.setblocking(False)
    return sock
