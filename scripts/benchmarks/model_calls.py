"""What the model gateway costs: the first byte of a streamed answer, and 200 streams at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.table import Report, Row, p50
from benchmarks.world import HELPERS, Broken

LATER_MS, MEMORY_MIB, STREAMS = 3.0, 150.0, 200
WARM_UP = 20


def model_calls(report: Report, times: int) -> None:
    """Side by side: straight to the model server, and through the gateway; each call on a new connection."""
    with _helper("model_upstream.py", "5", "0.001") as upstream, _gateway(upstream.port) as gateway:
        for kib in (2, 200):
            plain, guarded = asyncio.run(_first_bytes(upstream.port, gateway.port, times * 20, kib))
            later = p50(guarded) - p50(plain)
            report.add(
                Row(
                    f"first byte of a stream, {kib} KiB asked",
                    "ms",
                    plain,
                    guarded,
                    f"+{later:.2f} ms, at most +{LATER_MS:.0f}",
                    later <= LATER_MS,
                )
            )
    _at_once(report)


def _at_once(report: Report) -> None:
    with _helper("model_upstream.py", "50", "0.02") as upstream, _gateway(upstream.port) as gateway:
        seconds = [asyncio.run(_streams(port)) for port in (upstream.port, gateway.port)]
        memory, ended, _ = gateway.ask()
        if ended != STREAMS:
            raise Broken(f"{STREAMS} streams were sent and {ended:.0f} counted")
        report.add(Row(f"{STREAMS} streams of 1 s at once", "s", seconds[:1], seconds[1:]))
        mib = memory / 1024
        limit = f"under {MEMORY_MIB:.0f} MiB"
        report.add(Row("the gateway's memory with them", "MiB", [], [mib], limit, mib < MEMORY_MIB))


async def _first_bytes(plain: int, guarded: int, times: int, kib: int) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(times + WARM_UP):
        for port, seconds in zip((plain, guarded), found, strict=True):
            took = await _call(port, kib)
            if turn >= WARM_UP:
                seconds.append(took * 1000)
    return found


async def _streams(port: int) -> float:
    began = time.perf_counter()
    await asyncio.gather(*[_call(port, 20) for _ in range(STREAMS)])
    return time.perf_counter() - began


async def _call(port: int, kib: int) -> float:
    """Seconds until the first event; reads the answer to its end. Raises Broken for one that is not whole."""
    words = "word " * (kib * 1024 // 5)
    document = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": words}]}
    body = json.dumps(document).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    began = time.perf_counter()
    writer.write(head.encode() + body)
    await reader.readuntil(b"data: ")
    took = time.perf_counter() - began
    rest = await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), 60)
    writer.close()
    if b"[DONE]" not in rest:
        raise Broken("a streamed answer was not whole")
    return took


class _Helper:
    """A program that prints its port."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.port = int(process.stdout.readline() or 0)
        if not self.port:
            raise Broken("a helper did not start")

    def ask(self) -> tuple[float, float, float]:
        """What the gateway says at its end: most KiB of memory, calls counted, dollars."""
        said, _ = self._process.communicate("\n", timeout=30)
        memory, ended, dollars = said.split()
        return float(memory), float(ended), float(dollars)


def _gateway(upstream: int) -> AbstractContextManager[_Helper]:
    return _helper("model_gateway.py", f"http://127.0.0.1:{upstream}/v1")


@contextmanager
def _helper(name: str, *arguments: str) -> Iterator[_Helper]:
    process = subprocess.Popen(
        [sys.executable, str(HELPERS / name), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _Helper(process)
    finally:
        process.kill()
        process.wait()
