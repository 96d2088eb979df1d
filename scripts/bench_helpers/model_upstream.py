"""A model server that streams: `model_upstream.py` EVENTS PAUSE_SECONDS; prints its port."""

from __future__ import annotations

import asyncio
import json
import re
import sys

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(document: object) -> bytes:
    text = document if isinstance(document, str) else json.dumps(document)
    data = f"data: {text}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


DELTA = _chunk({"id": "1", "choices": [{"index": 0, "delta": {"content": "a few words of an answer "}}]})
USAGE = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
END = _chunk({"id": "1", "choices": [], "usage": USAGE}) + _chunk("[DONE]") + b"0\r\n\r\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    events, pause_seconds = int(sys.argv[1]), float(sys.argv[2])
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            await reader.readexactly(int(length.group(1)) if length else 0)
            writer.write(HEAD)
            for _ in range(events):
                writer.write(DELTA)
                await asyncio.sleep(pause_seconds)
            writer.write(END)
            await writer.drain()
    except (OSError, EOFError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
