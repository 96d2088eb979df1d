"""MB/s through the egress proxy: `python -m tests.gateway.egress.throughput`. Client and server are processes
of their own, so that only the proxy's own loop is measured."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path

from microloop_cli.gateway.egress.presets import load_rules
from microloop_cli.gateway.egress.proxy import EgressProxy
from microloop_cli.policy.model import Network

MEGABYTE = 1_000_000
CHUNK = bytes(MEGABYTE)


def serve(listener: socket.socket, megabytes: int) -> None:
    """Each client gets so many megabytes, as the body of an HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {megabytes * MEGABYTE}\r\n\r\n".encode()
    while True:
        client, _ = listener.accept()
        client.recv(65_536)
        client.sendall(head)
        for _ in range(megabytes):
            client.sendall(CHUNK)
        client.close()


def fetch(path: str, port: int, tunnel: bool, megabytes: int) -> None:
    """Reads the whole answer by way of the proxy's Unix socket."""
    with socket.socket(socket.AF_UNIX) as proxy:
        proxy.connect(path)
        if tunnel:
            proxy.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert proxy.recv(65_536).startswith(b"HTTP/1.1 200")
        proxy.sendall(
            f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        buffer = bytearray(MEGABYTE)
        got = 0
        while size := proxy.recv_into(buffer):
            got += size
        assert got > megabytes * MEGABYTE, got


async def measured(path: str, port: int, tunnel: bool, megabytes: int) -> float:
    """MB/s of one download."""
    client = multiprocessing.get_context("fork").Process(target=fetch, args=(path, port, tunnel, megabytes))
    began = time.monotonic()
    client.start()
    while client.is_alive():
        await asyncio.sleep(0.01)
    assert client.exitcode == 0
    return megabytes / (time.monotonic() - began)


async def measure(megabytes: int = 500) -> dict[str, float]:
    """MB/s of a tunnel and of a plain download."""
    upstream = socket.create_server(("127.0.0.1", 0))
    port = upstream.getsockname()[1]
    server = multiprocessing.get_context("fork").Process(
        target=serve, args=(upstream, megabytes), daemon=True
    )
    server.start()
    rules = load_rules(Network(allow=(f"127.0.0.1:{port}",), private=("127.0.0.1",)))
    proxy = EgressProxy(rules, lambda _event: None, time.monotonic)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "egress.sock")
        listener.bind(path)
        listener.listen()
        await proxy.start(listener)
        try:
            return {
                "egress_tunnel_mb_per_s": round(await measured(path, port, True, megabytes)),
                "egress_http_mb_per_s": round(await measured(path, port, False, megabytes)),
            }
        finally:
            await proxy.close()
            server.terminate()
            server.join()
            upstream.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure())) + "\n")
