"""Requests that try to reach another server, or that two servers could read differently."""

from __future__ import annotations

import pytest

from microloop_cli.errors import HostError
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import Place


@pytest.mark.parametrize(
    "line",
    ["POST @evil.example/v1/messages", "POST http://evil.example/v1/messages", "CONNECT evil.example:443"],
)
def test_a_request_that_names_another_server_is_not_forwarded(line: str) -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.raw(
            f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
        )
        assert status in (0, 400, 404, 405)
        assert place.seen == []

    told(test, whole)


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nContent-Length: 3",
        "X-A: b\r\n folded: c\r\nContent-Length: +2",
        "Transfer-Encoding: chunked, identity",
        "X-Big: " + "a" * 70_000 + "\r\nContent-Length: 2",
    ],
)
def test_requests_that_two_servers_could_read_differently_are_refused(head: str) -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.raw(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n{{}}".encode()
        )
        assert status == 400
        assert place.seen == []

    told(test, whole)


def test_what_cannot_be_counted_is_not_let_through() -> None:
    async def test(place: Place) -> None:
        def broken(*_: object) -> None:
            raise HostError("the budgets cannot be read", hint="")

        place.gateway.spent.begin = broken  # type: ignore[method-assign, assignment]
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, b"the budgets cannot be read" in body, place.seen) == (503, True, [])

    told(test, whole)
