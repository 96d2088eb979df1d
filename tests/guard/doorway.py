"""The inside of a door: its port, and a client in Python."""

from __future__ import annotations

import socket
import sys
import textwrap
from pathlib import Path

from .harness import Launcher

PREAMBLE = """
import os, socket, sys, time
def connect(port=int(sys.argv[1])):
    return socket.create_connection(("127.0.0.1", port))
def read_all(s):
    data = bytearray()
    while part := s.recv(1 << 20):
        data += part
    return bytes(data)
def guard_ticks():
    return sum(map(int, open("/proc/1/stat").read().rpartition(")")[2].split()[11:13]))
"""


def inside_python(script: str, *arguments: object) -> list[str]:
    """A command that runs `script`; its first argument is the port that `connect()` connects to."""
    return [sys.executable, "-c", PREAMBLE + textwrap.dedent(script), *map(str, arguments)]


def door_options(launcher: Launcher, place: Path) -> tuple[int, list[str]]:
    """A port that is free where the guard runs, and its arguments for a door from there to `place`."""
    port = free_port() if launcher.name == "plain" else 21411
    return port, ["--door", f"{port}={place}"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port
