"""Which addresses are taken for model servers, and which requests would leave them."""

from __future__ import annotations

import pytest

from microloop_cli.errors import UsageError
from microloop_cli.gateway.upstream import outgoing, upstreams_of
from microloop_cli.gateway.upstream_address import leads_elsewhere
from tests.gateway.answers import ASKS, told, whole
from tests.gateway.providers import Place


@pytest.mark.parametrize(
    "url",
    ["ftp://host", "http://", "host:80", "http://[::1", "http://host:99999", "http://host:x", "http://a b/",
     "http://host/\r\nX-Admin: 1", "http://host\\@evil/", "http://host/v1?x=1", "http://host/#", "http://höst/",
     "", "//host", "http:///v1"],
)  # fmt: skip
def test_what_is_no_address_is_a_usage_error_that_says_who_named_it(url: str) -> None:
    with pytest.raises(UsageError, match="--upstream openai: "):
        upstreams_of({}, {"openai": url})


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="OPENAI_BASE_URL") as raised:
        upstreams_of({"OPENAI_BASE_URL": "https://me:hunter2@host/v1"}, {})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:11434/v1", "https://[::1]:8/", "https://host/a%20b/v1/"])
def test_addresses_of_all_kinds_are_taken(url: str) -> None:
    assert upstreams_of({}, {"openai": url})["openai"].url == url.rstrip("/")


OUT = ["/v1/../admin", "/v1/../../admin", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1\\..\\admin", "/v1/..;/admin",
       "/v1/%252e%252e/admin", "/.", "/v1/./chat", "/..", "/v1/.%2e"]  # fmt: skip


@pytest.mark.parametrize("target", OUT)
def test_a_request_that_would_leave_the_upstreams_path_is_not_forwarded(target: str) -> None:
    async def test(place: Place) -> None:
        assert (await place.send(target, ASKS))[0] == 400
        assert place.seen == []

    assert leads_elsewhere(target)
    told(test, whole)


@pytest.mark.parametrize("target", ["/v1/models/a..b", "/v1/...", "/v1/chat?x=../y", "/v1/files/.env", "/"])
def test_dots_in_names_are_no_way_out(target: str) -> None:
    assert not leads_elsewhere(target)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_that_tunnel_or_say_the_key_again_are_not_forwarded(method: str) -> None:
    async def test(place: Place) -> None:
        target = "/v1/models" if method == "TRACE" else "host:443"
        assert (await place.send(target, b"", method=method))[0] in (400, 405)
        assert place.seen == []

    told(test, whole)


def test_headers_that_name_another_path_are_not_sent_on() -> None:
    sent = outgoing("openai", "sk", [("X-Original-URL", "/admin"), ("X-Rewrite-Url", "/admin"), ("X-A", "b")])
    assert [name for name, _ in sent] == ["X-A", "Authorization", "Accept-Encoding"]
