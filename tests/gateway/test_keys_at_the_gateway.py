"""Placeholders for keys, and real keys in what comes back."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from microloop_cli.gateway.placeholders import Placeholders
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import Place

OURS, OTHERS = Placeholders("0123456789abcdef" * 2), Placeholders("f" * 32)
KEY = "sk-real/key+1"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/gemini-2.5-pro:generateContent"


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (CHAT, f"Authorization: Bearer {OURS.of('openai')}"),
        (MESSAGES, f"x-api-key: {OURS.of('anthropic')}"),
        (MESSAGES, f"Authorization: Bearer {OURS.of('anthropic')}"),
        (GENERATE, f"x-goog-api-key: {OURS.of('google')}"),
        (f"{GENERATE}?key={OURS.of('google')}", "X-Other: 1"),
        (CHAT, "Authorization: Bearer something-else"),
    ],
)
def test_a_placeholder_opens_its_own_provider_and_is_replaced(path: str, header: str) -> None:
    async def test(place: Place) -> None:
        assert (await place.send(path, ASKS, header))[0] == 200
        sent = f"{place.seen[0].path} {place.seen[0].headers}"
        assert (KEY in sent, "microloop-" in sent, "something-else" in sent) == (True, False, False)

    told(test, whole, key=KEY, placeholders=OURS)


@pytest.mark.parametrize(
    ("path", "header", "said"),
    [
        (CHAT, f"Authorization: Bearer {OURS.of('anthropic')}", "anthropic's key"),
        (MESSAGES, f"x-api-key: {OURS.of('openai')}", "openai's key"),
        (f"{GENERATE}?key={OURS.of('openai')}", "X-Other: 1", "openai's key"),
        (f"{GENERATE}?%6bey={OURS.of('openai').replace('m', '%6d', 1)}", "X-Other: 1", "openai's key"),
        (CHAT, f"Authorization: Bearer {OTHERS.of('openai')}", "none of this run"),
        (CHAT, f"Authorization: Bearer {OURS.of('openai').upper()}", "none of this run"),
        (CHAT, f"x-goog-api-key: {OTHERS.of('google')}", "none of this run"),
    ],
)
@pytest.mark.parametrize("key", [KEY, ""])
def test_a_placeholder_of_another_provider_or_run_is_401(path: str, header: str, said: str, key: str) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(path, ASKS, header)
        assert (status, place.seen, place.told.order) == (401, [], [])
        assert said in json.loads(body)["error"]["message"]

    told(test, whole, key=key, placeholders=OURS)


def test_without_a_key_of_ours_a_placeholder_is_not_sent_and_a_key_of_the_clients_is() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS, f"Authorization: Bearer {OURS.of('openai')}")
        await place.send(GENERATE + "?key=theirs", ASKS)
        assert "Authorization" not in place.seen[0].headers
        assert place.seen[1].path.endswith("?key=theirs")

    told(test, whole, key="", placeholders=OURS)


@pytest.mark.parametrize("status", [302, 401, 429, 500])
def test_an_upstream_that_says_the_key_says_the_placeholder_to_the_agent(status: int) -> None:
    async def tells(request: web.Request, body: bytes) -> web.Response:
        given = request.headers["Authorization"]
        document = {"error": {"message": f"bad key {given}", "url": "https://x/?key=sk-real%2Fkey%2B1"}}
        text = json.dumps(document).replace("/", "\\/") if status == 429 else json.dumps(document)
        headers = {"WWW-Authenticate": given, "Location": f"/login?{KEY}"}
        return web.Response(status=status, text=text, headers=headers, content_type="application/json")

    async def test(place: Place) -> None:
        answered, head, body = await place.send(CHAT, ASKS, f"Authorization: Bearer {OURS.of('openai')}")
        assert answered == status
        assert KEY.encode() not in head + body
        assert b"sk-real" not in head + body
        assert head.count(OURS.of("openai").encode()) == 2

    told(test, tells, key=KEY, placeholders=OURS)


def test_a_good_answers_headers_do_not_tell_the_key_either() -> None:
    async def tells(request: web.Request, body: bytes) -> web.Response:
        return web.json_response({}, headers={"x-debug": request.headers["Authorization"]})

    async def test(place: Place) -> None:
        _, head, _ = await place.send(CHAT, ASKS)
        assert b"x-debug: Bearer <key>" in head

    told(test, tells, key=KEY)


@pytest.mark.parametrize(
    ("header", "name_of_header"),
    [
        (f"Authorization: Bearer {OURS.of('anthropic')}", "x-api-key"),
        (f"Authorization: Bearer {OURS.of('google')}", "x-goog-api-key"),
        (f"Authorization: Bearer {OURS.of('openai')}", "authorization"),
    ],
)
def test_where_a_path_is_everybodys_the_placeholder_says_whose_it_is(
    header: str, name_of_header: str
) -> None:
    async def test(place: Place) -> None:
        assert (await place.send("/v1/models", b"", header, method="GET"))[0] == 200
        assert KEY in {name.lower(): value for name, value in place.seen[0].headers.items()}[name_of_header]

    told(test, whole, key=KEY, placeholders=OURS)
