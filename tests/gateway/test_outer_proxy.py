"""Users behind a proxy of their own reach their models through it."""

from __future__ import annotations

import asyncio

import pytest

from microloop_cli.gateway.outer_proxy import proxy_of
from microloop_cli.gateway.upstream import Upstream, upstreams_of
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import Place
from tests.gateway.raw_upstreams import behind, says

PROXY = "http://proxy.corp:3128"
API = "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (API, {}, ""),
        (API, {"HTTPS_PROXY": PROXY}, PROXY),
        (API, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        (API, {"HTTP_PROXY": PROXY}, ""),
        (API, {"ALL_PROXY": "proxy.corp:3128"}, PROXY),
        (API, {"ALL_PROXY": "socks5://proxy.corp"}, ""),
        (API, {"HTTPS_PROXY": PROXY, "NO_PROXY": "a.com, .openai.com"}, ""),
        (API, {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, ""),
        (API, {"HTTPS_PROXY": PROXY, "NO_PROXY": "ai.com"}, PROXY),
        ("http://127.0.0.1:11434", {"HTTP_PROXY": PROXY}, ""),
        ("http://localhost:11434", {"HTTP_PROXY": PROXY}, ""),
        ("http://[::1]:11434", {"HTTP_PROXY": PROXY}, ""),
        ("http://10.1.2.3", {"HTTP_PROXY": PROXY}, PROXY),
    ],
)
def test_the_proxy_is_the_one_that_curl_would_take(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_of(url, environ) == proxy


def test_upstreams_are_read_with_their_proxies() -> None:
    found = upstreams_of({"HTTPS_PROXY": PROXY}, {"google": "http://127.0.0.1:1"})
    assert (found["openai"].proxy, found["google"].proxy) == (PROXY, "")


def test_a_call_goes_through_the_proxy_and_one_that_refuses_is_502() -> None:
    async def test(place: Place) -> None:
        proxy = place.gateway._upstreams["openai"].url
        place.gateway._upstreams["openai"] = Upstream("http://models.example", "sk-real", proxy)  # type: ignore[index]
        status, _, _ = await place.send(CHAT, ASKS)
        assert (status, place.seen[0].path) == (200, "http://models.example/v1/chat/completions")

    told(test, whole)

    async def refused() -> None:
        async with behind(says(b"HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n")) as place:
            proxy = place.gateway._upstreams["openai"].url
            place.gateway._upstreams["openai"] = Upstream("https://models.example", "sk-real", proxy)  # type: ignore[index]
            status, _, body = await place.send(CHAT, ASKS)
            assert (status, b"sk-real" in body) == (502, False)
            assert [call.status for call in place.told.calls] == [0]

    asyncio.run(refused())
