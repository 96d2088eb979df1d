"""Downloads from a server here: `download.py RESULTS PORT WAY [PROXY]`. WAY: direct, tunnel or http. PROXY:
the path of a Unix socket; without it HTTP_PROXY says where. RESULTS gets the MB/s.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

MEGABYTE = 1_000_000


def _connected(port: int, way: str) -> socket.socket:
    if way == "direct":
        return socket.create_connection(("127.0.0.1", port))
    if len(sys.argv) > 4:
        proxy = socket.socket(socket.AF_UNIX)
        proxy.connect(sys.argv[4])
        return proxy
    host, _, number = os.environ["HTTP_PROXY"].removeprefix("http://").partition(":")
    return socket.create_connection((host, int(number)))


def _main() -> None:
    port, way = int(sys.argv[2]), sys.argv[3]
    buffer, got = bytearray(MEGABYTE), 0
    began = time.perf_counter()
    with _connected(port, way) as stream:
        if way == "tunnel":
            stream.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            if b" 200 " not in stream.recv(65_536):
                raise SystemExit("the tunnel was refused")
        target = "/" if way != "http" else f"http://127.0.0.1:{port}/"
        stream.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        head = stream.recv(65_536)
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        if b" 200 " not in head or length < MEGABYTE:
            raise SystemExit("the download was refused")
        got = len(head.partition(b"\r\n\r\n")[2])
        while size := stream.recv_into(buffer):
            got += size
    took = time.perf_counter() - began
    if got != length:
        raise SystemExit(f"{got} of {length} bytes came")
    Path(sys.argv[1]).write_text(f"{got / MEGABYTE / took:.1f}\n")


if __name__ == "__main__":
    _main()
