"""An HTTP server of one long answer: `download_server.py MEGABYTES`; prints its port."""

from __future__ import annotations

import socket
import sys

MEGABYTE = 1_000_000


def _main() -> None:
    megabytes = int(sys.argv[1])
    chunk = bytes(MEGABYTE)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {megabytes * MEGABYTE}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                client.sendall(head)
                for _ in range(megabytes):
                    client.sendall(chunk)


if __name__ == "__main__":
    _main()
