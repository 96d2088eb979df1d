"""More connections than a run can bear, and clients that speak no HTTP: the gateway goes on, and says nothing."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from microloop_cli.gateway import server
from microloop_cli.gateway.sockets import is_shortage
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import Place

FLOOD = 40
ROOT = Path(__file__).resolve().parents[2]


def test_who_comes_when_it_is_full_is_told_so_and_gets_in_when_others_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "connections_at_most", lambda: 8)

    async def test(place: Place) -> None:
        crowd = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(FLOOD)]
        refused = [reader for reader, _ in crowd if await _said(reader)]
        assert len(refused) == FLOOD - 8
        assert (await place.send(CHAT, ASKS))[0] == 503
        for _, writer in crowd:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await place.send(CHAT, ASKS))[0] == 200

    async def _said(reader: asyncio.StreamReader) -> bytes:
        try:
            return await asyncio.wait_for(reader.read(20), 0.2)
        except asyncio.TimeoutError:
            return b""

    told(test, whole)


@pytest.mark.parametrize(
    ("soft", "hard", "each", "after"),
    [(1024, 8192, 512, 4096), (256, 1024, 96, 1024), (8192, 8192, 512, 8192), (64, 64, 16, 64)],
)
def test_a_process_may_open_what_its_connections_need_or_takes_fewer(
    soft: int, hard: int, each: int, after: int
) -> None:
    code = (
        "import resource; from microloop_cli.gateway.sockets import connections_at_most\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(connections_at_most(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.split() == [str(each), str(after)], done.stderr


def test_a_shortage_of_files_is_none_of_our_defects() -> None:
    assert is_shortage(OSError(errno.EMFILE, "Too many open files"))
    assert not is_shortage(OSError(errno.EBADF, "Bad file descriptor"))
    assert not is_shortage(None)


@pytest.mark.parametrize(
    "nonsense",
    [b"POST @evil/v1 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0" * 100,
     b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
     b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"],
)  # fmt: skip
def test_nonsense_is_answered_and_not_told_to_the_user(
    nonsense: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(nonsense)
        assert b"400" in await asyncio.wait_for(reader.read(100), 5)
        writer.close()

    told(test, whole)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
