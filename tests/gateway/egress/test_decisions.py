"""What the proxy lets through and refuses, by name and by address; what it tells of it."""

from __future__ import annotations

import asyncio
import time
from ipaddress import ip_address

import pytest

from microloop_cli.core.traffic import NetworkAsked
from microloop_cli.gateway.egress import gate
from microloop_cli.gateway.egress.dial import dial
from microloop_cli.gateway.egress.gate import Unreachable
from microloop_cli.gateway.egress.lookup import MAX_AT_ONCE, Lookup
from microloop_cli.gateway.egress.own_addresses import is_own
from tests.gateway.egress.places import OK, echo, place, run, silent, until


def test_an_allowed_request_is_told_with_its_rule_address_and_end() -> None:
    async def story() -> None:
        async with place(OK) as at:
            assert (await at.get("/a?b")).endswith(b"\r\n\r\nhello")
            (asked,), (ended,) = at.asked, at.ended
            assert asked == NetworkAsked(
                n=1, method="GET", host="up.test", port=at.upstream_port, allowed=True,
                rule=f"up.test:{at.upstream_port}", address="127.0.0.1",
            )  # fmt: skip
            assert (ended.n, ended.status, ended.error) == (1, 200, "")
            assert ended.received_bytes > 5
            assert ended.sent_bytes > 30
            assert 0 <= ended.seconds < 5

    run(story())


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_refusal_tells_how_to_allow_it_in_the_body_and_shortly_in_the_status_line(method: str) -> None:
    async def story() -> None:
        async with place(OK) as at:
            target = "nope.example:443" if method == "CONNECT" else "http://nope.example:443/x"
            answer = await at.raw(f"{method} {target} HTTP/1.1\r\nHost: nope.example\r\n\r\n".encode())
            head, _, body = answer.decode().partition("\r\n\r\n")
            lines = head.split("\r\n")
            assert lines[0] == "HTTP/1.1 403 microloop: nope.example:443 is not allowed"
            assert "X-Microloop: refused" in lines
            assert "Content-Type: text/plain; charset=utf-8" in lines
            assert body == at.asked[0].reason + "\n"
            assert "allow it with --allow nope.example" in body
            assert not at.asked[0].allowed
            assert at.ended == []

    run(story())


def test_a_refused_name_is_never_looked_up() -> None:
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async def story() -> None:
        async with place(OK, resolve=resolve) as at:
            await at.raw(b"CONNECT secret.evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            await at.get()
        assert looked_up == ["up.test"]

    run(story())


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["127.0.0.1"], "resolves to 127.0.0.1, a loopback address"),
        (["10.1.2.3"], "resolves to 10.1.2.3, a private address"),
        (["169.254.169.254"], "metadata address"),
        (["::ffff:127.0.0.1"], "resolves to 127.0.0.1, a loopback address"),
        (["fe80::1%lo"], "link-local"),
        (["64:ff9b::7f00:1", "0.0.0.0"], "a loopback address (127.0.0.1) inside an IPv6 one"),
    ],
)
def test_a_public_name_with_only_private_addresses_is_refused(addresses: list[str], said: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return addresses

    async def story() -> None:
        async with place(OK, resolve=resolve, private=()) as at:
            answer = (await at.get()).decode()
            assert answer.startswith("HTTP/1.1 403 ")
            assert said in answer
            assert "network.private" in answer
            assert not at.asked[0].allowed
            assert at.asked[0].address in answer

    run(story())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"],
)
def test_an_address_that_is_private_is_refused_also_where_a_rule_names_it(host: str) -> None:
    async def story() -> None:
        async with place(OK, allow=(f"{host}:{{port}}", "*"), private=()) as at:
            request = f"CONNECT {host}:{at.upstream_port} HTTP/1.1\r\nHost: x\r\n\r\n"
            assert (await at.raw(request.encode())).startswith(b"HTTP/1.1 403 ")
            assert "network.private" in at.asked[0].reason

    run(story())


def test_rebinding_does_not_help_since_a_name_is_looked_up_once_and_the_checked_address_is_used() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return answers[len(looked_up) - 1]

    async def story() -> None:
        async with place(OK, resolve=resolve) as at:
            # Only 127.0.0.1 is named as private here: it stands for the public address of the first answer.
            assert (await at.get()).endswith(b"hello")
            assert len(looked_up) == 1
            assert (await at.get()).startswith(b"HTTP/1.1 403 ")

    run(story())


def test_of_many_addresses_only_the_checked_ones_are_tried() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "127.0.0.2", "127.0.0.1"]

    async def story() -> None:
        async with place(OK, resolve=resolve, private=("127.0.0.1", "127.0.0.2")) as at:
            assert (await at.get()).endswith(b"hello")  # nothing listens on 127.0.0.2
            assert at.asked[0].address == "127.0.0.2"

    run(story())


def test_a_denied_address_is_denied_behind_any_name() -> None:
    async def story() -> None:
        async with place(OK, deny=("127.0.0.1",)) as at:
            answer = await at.get()
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert b"127.0.0.1" in answer
            assert at.asked[0].rule == "127.0.0.1"

    run(story())


def test_an_unknown_name_is_502_and_an_allowed_request_that_ended() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    async def story() -> None:
        async with place(OK, resolve=resolve) as at:
            answer = await at.get()
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert b"up.test: the name is not known" in answer
            assert at.asked[0].allowed
            assert at.ended[0].status == 502
            assert "not known" in at.ended[0].error

    run(story())


def test_a_server_that_is_down_is_502() -> None:
    async def story() -> None:
        async with place(echo, allow=("up.test:1",)) as at:
            answer = await at.raw(b"CONNECT up.test:1 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert at.ended[0].status == 502

    run(story())


def test_an_address_that_is_silent_is_504_in_time_and_the_next_one_is_tried() -> None:
    async def story() -> None:
        with silent() as port:
            with pytest.raises(Unreachable) as raised:
                await dial(["127.0.0.1"], port, lambda stream: None, 0.2)
            assert raised.value.status == 504
            assert raised.value.reason == f"127.0.0.1:{port} did not answer within 0.2 s"
            with pytest.raises(Unreachable) as raised:
                await dial(["127.0.0.2", "127.0.0.1"], port, lambda stream: None, 0.2)
            assert raised.value.status == 504

    run(story())


def test_a_name_server_that_does_not_answer_is_504(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microloop_cli.gateway.egress.gate.LOOKUP_SECONDS", 0.1)

    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    async def story() -> None:
        async with place(OK, resolve=resolve) as at:
            assert (await at.get()).startswith(b"HTTP/1.1 504 ")

    run(story())


def test_names_are_looked_up_by_the_host_when_nothing_else_is_said() -> None:
    async def story() -> None:
        lookup = Lookup()
        for _ in range(MAX_AT_ONCE + 1):
            assert "127.0.0.1" in await lookup("127.0.0.1", 80)
        assert "127.0.0.1" in await lookup("localhost", 80)
        with pytest.raises(OSError, match=r"."):
            await lookup("a" * 64 + ".invalid", 80)

    began = time.monotonic()
    run(story())
    assert time.monotonic() - began < 10


def test_requests_are_numbered_in_the_order_they_were_decided() -> None:
    async def story() -> None:
        async with place(OK) as at:
            await asyncio.gather(
                *(at.get(f"/{i}") for i in range(5)), at.raw(b"CONNECT x.example:1 HTTP/1.0\r\n\r\n")
            )
            await until(lambda: len(at.ended) == 5)
            assert [asked.n for asked in at.asked] == [1, 2, 3, 4, 5, 6]

    run(story())


def test_an_address_of_the_host_itself_is_refused_although_it_is_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "is_own", lambda address: str(address) == "2a00:1450::1")

    async def resolve(host: str, port: int) -> list[str]:
        return ["2a00:1450::1"]

    async def story() -> None:
        async with place(OK, allow=("*",), private=(), resolve=resolve) as at:
            answer = await at.raw(b"CONNECT up.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert "an address of this host" in at.asked[0].reason
        async with place(OK, allow=("*",), private=("2a00:1450::/64",), resolve=resolve) as at:
            await at.raw(b"CONNECT up.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert at.asked[0].allowed  # who names it is let through

    run(story())


def test_the_host_knows_its_own_addresses() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("8.8.8.8"))
    assert not is_own(ip_address("2001:4860:4860::8888"))
