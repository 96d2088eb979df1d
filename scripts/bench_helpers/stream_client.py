"""A client of model servers: `stream_client.py RESULTS KIB CALLS AT_ONCE [PORT...]`; without a port it asks
where OPENAI_BASE_URL says. Each call has a connection of its own. RESULTS gets for each call milliseconds
until its first event and until its end, port by port; with several AT_ONCE only the seconds of them all.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

STUCK_SECONDS = 30.0


async def _call(port: int, kib: int) -> tuple[float, float]:
    """Milliseconds until the first event and until the end of one answer."""
    words = "word " * (kib * 1024 // 5)
    document = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": words}]}
    body = json.dumps(document).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = os.environ.get("OPENAI_API_KEY", "")
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    began = time.perf_counter()
    writer.write(head.encode() + body)
    start = await reader.readuntil(b"data: ")
    first = time.perf_counter() - began
    rest = await reader.readuntil(b"\r\n0\r\n\r\n")
    whole = time.perf_counter() - began
    writer.close()
    if b" 200 " not in start or b"[DONE]" not in rest:
        raise SystemExit("a streamed answer was not whole")
    return first * 1000, whole * 1000


async def _in_turn(ports: list[int], kib: int, calls: int) -> list[float]:
    figures: list[float] = []
    for _ in range(calls):
        for port in ports:
            figures += await asyncio.wait_for(_call(port, kib), STUCK_SECONDS)
    return figures


async def _together(port: int, kib: int, calls: int) -> list[float]:
    began = time.perf_counter()
    await asyncio.wait_for(asyncio.gather(*[_call(port, kib) for _ in range(calls)]), STUCK_SECONDS)
    return [time.perf_counter() - began]


def _main() -> None:
    kib, calls, at_once = (int(argument) for argument in sys.argv[2:5])
    ports = [int(port) for port in sys.argv[5:]] or [
        int(os.environ["OPENAI_BASE_URL"].split(":")[2].split("/")[0])
    ]
    work = _together(ports[0], kib, at_once) if at_once > 1 else _in_turn(ports, kib, calls)
    figures = asyncio.run(work)
    Path(sys.argv[1]).write_text("".join(f"{figure:.4f}\n" for figure in figures))


if __name__ == "__main__":
    _main()
