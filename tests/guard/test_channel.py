"""The channel lets exactly one proven guard in, turns all others away, and says once when it is lost."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from microloop_cli.errors import HostError, ProtocolError
from microloop_cli.guard import wire
from microloop_cli.guard.channel import Channel

NONCE = "a1b2c3"
HELLO = wire.Hello(guard_pid=1, capabilities=("capture",), nonce=NONCE, kernel="6.18", guard_version="0.1.0")


class Seen:
    """What a channel reported, in order."""

    def __init__(self) -> None:
        self.messages: list[wire.GuardMessage] = []
        self.lost: list[str] = []
        self.refused: list[str] = []

    async def open(self, directory: Path, *, uids: set[int] | None = None) -> Channel:
        return await Channel.open(
            directory,
            NONCE,
            on_message=self.messages.append,
            on_lost=self.lost.append,
            on_refused=self.refused.append,
            allowed_uids=uids,
        )


@pytest.fixture
def private() -> Iterator[Path]:
    with TemporaryDirectory(prefix="ch-", dir="/tmp") as name:  # short: a Unix socket's path is
        yield Path(name)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 10)

    asyncio.run(bounded())


async def until(condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come in 5 s")


async def connect(channel: Channel, *messages: wire.Message) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_unix_connection(channel.path)
    writer.write(b"".join(map(wire.encode, messages)))
    await writer.drain()
    return writer


def test_the_guard_with_the_nonce_is_let_in_and_the_socket_is_gone(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private, uids={os.getuid()})
        assert stat.S_IMODE(channel.path.stat().st_mode) == 0o666
        guard = await connect(channel, HELLO, wire.Notice(text="one"))
        assert await channel.wait_ready(5) == HELLO
        assert channel.peer_pid == os.getpid()
        assert not channel.path.exists()
        guard.write(wire.encode(wire.Notice(text="two")))
        await until(lambda: len(seen.messages) == 2)
        assert seen.messages == [wire.Notice(text="one"), wire.Notice(text="two")]
        assert (seen.lost, seen.refused) == ([], [])
        channel.close()
        guard.close()

    run(main)


def test_messages_to_the_guard_arrive_in_one_piece_and_in_order(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        reader, guard = await asyncio.open_unix_connection(channel.path)
        guard.write(wire.encode(HELLO))
        await channel.wait_ready(5)
        sent: list[wire.SupervisorMessage] = [
            wire.Config(agent_names=("node",)),
            wire.Signal(signal=15),
            wire.Bye(),
        ]
        channel.send(*sent)
        got = wire.Decoder("supervisor").feed(await reader.read(65_536))
        assert got == sent
        channel.write_bytes(b"as it is")
        assert await reader.readexactly(8) == b"as it is"
        channel.close()
        channel.send(wire.Bye())
        assert await reader.read() == b""
        guard.close()

    run(main)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (wire.encode(wire.Hello(guard_pid=1, nonce="guessed")), "nonce"),
        (wire.encode(wire.Hello(guard_pid=1, nonce="é")), "nonce"),
        (wire.encode(wire.Notice(text="let me in")) + wire.encode(HELLO), "began with Notice"),
        (b"GET / HTTP/1.1\r\n\r\n", "unknown message type"),
        (wire.encode(wire.Bye()), "unknown message type"),
        (wire.encode(HELLO)[:-1], None),
        (b"", None),
    ],
)
def test_a_client_that_is_no_guard_is_turned_away_and_the_guard_still_gets_in(
    private: Path, first: bytes, reason: str | None
) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        reader, stranger = await asyncio.open_unix_connection(channel.path)
        stranger.write(first)
        if reason is None:
            stranger.close()
        else:
            assert await reader.read() == b""
        await until(lambda: seen.refused)
        assert len(seen.refused) == 1
        assert reason is None or reason in seen.refused[0]
        guard = await connect(channel, HELLO)
        assert await channel.wait_ready(5) == HELLO
        assert seen.lost == []
        channel.close()
        guard.close()

    run(main)


def test_a_client_of_another_user_is_turned_away(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private, uids={os.getuid() + 1})
        stranger = await connect(channel, HELLO)
        await until(lambda: seen.refused)
        assert f"user {os.getuid()}" in seen.refused[0]
        with pytest.raises(ProtocolError, match=f"turned away: a client of user {os.getuid()}"):
            await channel.wait_ready(0.05)
        channel.close()
        stranger.close()

    run(main)


def test_clients_beside_the_guard_are_dropped_when_it_is_let_in(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        reader, _silent = await asyncio.open_unix_connection(channel.path)
        guard = await connect(channel, HELLO)
        await channel.wait_ready(5)
        assert await reader.read() == b""
        with pytest.raises(FileNotFoundError):
            await asyncio.open_unix_connection(channel.path)
        assert seen.lost == []
        channel.close()
        guard.close()

    run(main)


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (b"", "closed the channel"),
        (wire.encode(wire.Notice(text="cut"))[:-1], "cut off"),
        (bytes(16), "unknown message type 0"),
        (wire.encode(HELLO), "hello twice"),
        (wire.encode(wire.ExecVerdict(exec_id=1, allow=True, kind="step")), "unknown message type 65"),
    ],
)
def test_a_lost_guard_is_reported_once_with_the_reason(private: Path, then: bytes, reason: str) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        guard = await connect(channel, HELLO, wire.Notice(text="before"))
        await channel.wait_ready(5)
        guard.write(then)
        guard.close()
        await until(lambda: seen.lost)
        await asyncio.sleep(0.05)
        assert len(seen.lost) == 1
        assert reason in seen.lost[0]
        assert seen.messages == [wire.Notice(text="before")]
        channel.close()
        assert len(seen.lost) == 1

    run(main)


def test_messages_before_nonsense_are_delivered_before_the_loss(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        _, guard = await asyncio.open_unix_connection(channel.path)
        guard.write(wire.encode(HELLO) + wire.encode(wire.Notice(text="last")) + bytes(16))
        await until(lambda: seen.lost)
        assert seen.messages == [wire.Notice(text="last")]
        guard.close()

    run(main)


def test_a_guard_of_another_protocol_version_ends_the_run_at_once(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        guard = await connect(channel, wire.Hello(version=wire.VERSION + 1, guard_pid=1, nonce=NONCE))
        with pytest.raises(ProtocolError, match=f"version {wire.VERSION + 1}"):
            await channel.wait_ready(5)
        assert len(seen.lost) == 1
        guard.close()

    run(main)


def test_a_guard_that_never_comes_is_an_error_with_a_hint(private: Path) -> None:
    async def main() -> None:
        channel = await Seen().open(private)
        with pytest.raises(ProtocolError, match=r"did not connect within 0\.05 s") as error:
            await channel.wait_ready(0.05)
        assert "microloop doctor" in error.value.hint
        channel.close()
        channel.close()
        assert not channel.path.exists()

    run(main)


def test_closing_is_silent_and_ends_those_who_wait(private: Path) -> None:
    async def main() -> None:
        seen = Seen()
        channel = await seen.open(private)
        waiting = asyncio.ensure_future(channel.wait_ready(5))
        await asyncio.sleep(0)
        channel.close()
        with pytest.raises(ProtocolError, match="was closed"):
            await waiting
        assert seen.lost == []

    run(main)


def test_a_path_too_long_for_a_socket_is_said_so(private: Path) -> None:
    deep = private / ("d" * 100)
    deep.mkdir()

    async def main() -> None:
        with pytest.raises(HostError, match="longer than a Unix socket's may be") as error:
            await Seen().open(deep)
        assert "TMPDIR" in error.value.hint

    run(main)


def test_a_directory_that_is_not_there_or_already_has_a_channel_is_said_so(private: Path) -> None:
    async def main() -> None:
        with pytest.raises(HostError, match="No such file"):
            await Seen().open(private / "missing")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(private / "channel.sock"))
            with pytest.raises(HostError, match="Address already in use"):
                await Seen().open(private)

    run(main)
