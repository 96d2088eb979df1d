"""The gateway's sockets and its start: early clients wait, importing is cheap."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from microloop_cli.errors import HostError
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.sockets import listen_tcp, listen_unix
from microloop_cli.gateway.spending import RunLimits
from tests.gateway.answers import whole
from tests.gateway.providers import Told, provider


class SlowPrices(Prices):
    """A price list that takes its time."""

    def __init__(self) -> None:
        super().__init__(datetime(2026, 1, 1, tzinfo=timezone.utc))
        self.ready = threading.Event()

    def warm(self) -> None:
        self.ready.wait(5)


def test_importing_the_server_loads_neither_its_libraries_nor_the_prices() -> None:
    code = (
        "import sys; import microloop_cli.gateway.server, microloop_cli.gateway.keys; "
        "print(sorted({'aiohttp', 'genai_prices', 'keyring'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_who_comes_before_the_preload_is_over_waits_and_the_loop_goes_on(tmp_path: Path) -> None:
    async def run() -> None:
        prices = SlowPrices()
        gateway = Gateway({}, prices, RunLimits(), lambda: 0.0, listener=Told())
        path = tmp_path / "model.sock"
        starting = asyncio.ensure_future(gateway.start(listen_unix(path)))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(
            b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        )
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - began < 1
        assert not starting.done()
        prices.ready.set()
        assert b" 426 " in await asyncio.wait_for(reader.readline(), 5)
        await starting
        writer.close()
        await gateway.close()

    asyncio.run(run())


def test_a_preload_that_was_done_beside_is_not_done_again() -> None:
    class Counted(SlowPrices):
        times = 0

        def warm(self) -> None:
            self.times += 1

    prices = Counted()
    gateway = Gateway({}, prices, RunLimits(), lambda: 0.0, listener=Told())
    threads = [threading.Thread(target=gateway.preload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert prices.times == 1


def test_calls_come_over_a_unix_socket_as_well(tmp_path: Path) -> None:
    async def run() -> None:
        async with provider(whole) as place:
            other = Gateway(
                place.gateway._upstreams, place.gateway._prices, RunLimits(), lambda: 0.0, listener=place.told
            )
            path = tmp_path / "deep" / "model.sock"
            await other.start(listen_unix(path))
            assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o666, 0o700)
            reader, writer = await asyncio.open_unix_connection(path)
            body = json.dumps({"model": "m", "messages": []}).encode()
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body
            )
            assert b" 200 " in await reader.readline()
            writer.close()
            await other.close()
            assert place.told.order == [("asked", 1), ("answered", 1)]

    asyncio.run(run())


def test_a_socket_that_was_left_there_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "model.sock"
    listen_unix(path).close()
    listen_unix(path).close()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(HostError):
        listen_unix(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_port_that_is_taken_and_a_path_that_is_too_long_are_host_errors(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(HostError):
        listen_tcp("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(HostError):
        listen_unix(tmp_path / ("x" * 120))
    with pytest.raises(HostError):
        listen_tcp("not an address", 0)
