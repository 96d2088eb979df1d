"""Heads of requests: what two readers could understand differently is refused, with an answer that says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.egress.head import MAX_HEAD, Malformed, check_head, head_end
from microloop_cli.gateway.egress.headers import for_client, for_upstream
from microloop_cli.gateway.egress.target import Target, absolute_target, tunnel_target
from tests.gateway.egress.places import OK, place, run

GET = "GET http://up.test/ HTTP/1.1\r\nHost: up.test\r\n"
SMUGGLED = {
    "both lengths": (f"{GET}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "differing lengths": (f"{GET}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    "a length twice": (f"{GET}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    "a list of lengths": (f"{GET}Content-Length: 5, 5\r\n\r\nhello", 400),
    "a signed length": (f"{GET}Content-Length: +5\r\n\r\nhello", 400),
    "a huge length": (f"{GET}Content-Length: {'9' * 30}\r\n\r\n", 400),
    "another coding": (f"{GET}Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "a hidden coding": (f"{GET}Transfer-Encoding: xchunked\r\n\r\n", 501),
    "a coding twice": (f"{GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "a coding in HTTP/1.0": ("GET http://up.test/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    "obs-fold": (f"{GET}X-A: b\r\n c\r\n\r\n", 400),
    "obs-fold with a tab": (f"{GET}X-A: b\r\n\tc\r\n\r\n", 400),
    "a folded first header": ("GET http://up.test/ HTTP/1.1\r\n Host: up.test\r\n\r\n", 400),
    "a space before the colon": (f"{GET}Content-Length : 5\r\n\r\nhello", 400),
    "no colon": (f"{GET}X-A\r\n\r\n", 400),
    "no name": (f"{GET}: x\r\n\r\n", 400),
    "a bare CR in a value": (f"{GET}X-A: b\rX-B: c\r\n\r\n", 400),
    "a bare LF in a value": (f"{GET}X-A: b\nX-B: c\r\n\r\n", 400),
    "bare LFs": (f"{GET}\r\n".replace("\r\n", "\n"), 400),
    "a NUL in a value": (f"{GET}X-A: b\0c\r\n\r\n", 400),
    "a NUL in the target": ("GET http://up.test/\0 HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "a CR in the target": ("GET http://up.test/\rX HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "a space in the target": ("GET http://up.test/ x HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "a control character": (f"{GET}X-A: b\x01c\r\n\r\n", 400),
    "no Host": ("GET http://up.test/ HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (f"{GET}Host: other.test\r\n\r\n", 400),
    "a user": ("GET http://me:pw@up.test/ HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "a user in CONNECT": ("CONNECT me@up.test:443 HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "CONNECT to no port": ("CONNECT up.test HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "CONNECT to port 0": ("CONNECT up.test:0 HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "CONNECT to a URL": ("CONNECT http://up.test/ HTTP/1.1\r\nHost: up.test\r\n\r\n", 400),
    "CONNECT with a body": ("CONNECT up.test:443 HTTP/1.1\r\nHost: up.test\r\nContent-Length: 10\r\n\r\n", 400),
    "a hexadecimal address": ("CONNECT 0x7f.1:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a decimal address": ("GET http://2130706433/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a zone": ("GET http://[::1%25lo]/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a backslash": ("GET http://up.test\\@evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a percent in the host": ("GET http://up%2etest/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no host": ("GET http:///etc HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a fragment": ("GET http://up.test/#x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a file": ("GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "ftp": ("GET ftp://up.test/x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/0.9": ("GET /\r\n\r\n", 400),
    "TLS": ("\x16\x03\x01\x02\x00\x01", 400),
    "nonsense": ("hello\r\n\r\n", 400),
    "a large head": (f"{GET}X-A: {'a' * MAX_HEAD}\r\n\r\n", 431),
    "an endless head": (f"{GET}X-A: {'a' * 2 * MAX_HEAD}", 431),
}  # fmt: skip


def test_smuggling_and_nonsense_are_answered_with_400_and_what_is_wrong() -> None:
    async def story() -> None:
        async with place(OK) as at:
            for name, (request, status) in SMUGGLED.items():
                answer = await at.raw(request.encode("latin-1"))
                head, _, body = answer.partition(b"\r\n\r\n")
                assert head.startswith(f"HTTP/1.1 {status} ".encode()), (name, answer)
                assert b"\r\nConnection: close" in head, name
                assert body.startswith(b"microloop: network: "), (name, answer)
                assert body.count(b"\n") == 1, name
            assert at.events == []

    run(story())


@pytest.mark.parametrize(
    ("request_line", "said"),
    [
        ("GET / HTTP/1.1", b"not a web server"),
        ("OPTIONS * HTTP/1.1", b"not a web server"),
        ("GET https://up.test/ HTTP/1.1", b"use a tunnel: CONNECT"),
        ("GET up.test:80 HTTP/1.1", b"not a web server"),
    ],
)
def test_a_request_that_is_none_for_a_proxy_is_told_what_is(request_line: str, said: bytes) -> None:
    async def story() -> None:
        async with place(OK) as at:
            assert said in await at.raw(f"{request_line}\r\nHost: x\r\n\r\n".encode())

    run(story())


def test_a_head_that_does_not_come_in_time_is_answered_with_408() -> None:
    async def story() -> None:
        async with place(OK) as at:
            assert (await at.raw(b"GET http://up.test/ HT")).startswith(b"HTTP/1.1 408 ")

    run(story())


HEAD = b"POST http://up.test/ HTTP/1.1\r\nHost: up.test\r\nContent-Length: 5\r\n\r\n"


@given(st.binary(max_size=400), st.binary(max_size=50))
def test_any_bytes_are_a_head_or_malformed(junk: bytes, tail: bytes) -> None:
    for data in (junk, junk + b"\r\n\r\n", HEAD[:30] + junk + HEAD[30:] + tail):
        try:
            size = head_end(data)
            check_head(data[:size] or HEAD)
        except Malformed:
            continue
        assert b"\0" not in data[:size]
        assert data[:size].count(b"\n") == data[:size].count(b"\r\n") == data[:size].count(b"\r")


@given(st.lists(st.integers(1, len(HEAD) - 1), unique=True, max_size=8).map(sorted))
def test_a_head_is_found_however_it_is_split(cuts: list[int]) -> None:
    looked_at = 0
    for cut in cuts:
        assert head_end(HEAD[:cut], looked_at) == 0
        looked_at = cut
    assert head_end(HEAD + b"hello", looked_at) == len(HEAD)
    check_head(HEAD)


TARGETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)


@given(TARGETS, st.sampled_from(["GET", "OPTIONS", "CONNECT"]), st.booleans())
def test_any_target_is_read_or_malformed(text: str, method: str, url: bool) -> None:
    text = f"http://{text}" if url else text
    try:
        target = tunnel_target(text) if method == "CONNECT" else absolute_target(text, method)
    except Malformed:
        return
    assert 1 <= target.port <= 65_535
    assert "@" not in target.host
    assert target.path == "" or target.path[0] in "/*"


def test_a_url_is_taken_apart() -> None:
    assert absolute_target("HTTP://Up.Test:/a?b=c", "GET") == Target("up.test", 80, "/a?b=c")
    assert absolute_target("http://[2606:4700::1]:8080?x", "GET") == Target("2606:4700::1", 8080, "/?x")
    assert absolute_target("http://up.test", "OPTIONS") == Target("up.test", 80, "*")
    assert tunnel_target("[::FFFF:1.2.3.4]:443") == Target("1.2.3.4", 443)


def test_headers_for_one_connection_only_are_not_passed_on() -> None:
    given_headers = [
        (b"Host", b"evil.test"), (b"Connection", b"X-Private, close, Host, Content-Length"), (b"X-Private", b"1"),
        (b"Proxy-Authorization", b"Basic x"), (b"Proxy-Connection", b"keep-alive"), (b"Keep-Alive", b"5"),
        (b"Upgrade", b"websocket"), (b"TE", b"trailers"), (b"Trailer", b"X"), (b"Content-Length", b"5"), (b"Accept", b"*/*"),
    ]  # fmt: skip
    assert for_upstream(given_headers, Target("up.test", 8080, "/")) == [
        (b"Host", b"up.test:8080"), (b"Content-Length", b"5"), (b"Accept", b"*/*"), (b"Connection", b"close"),
    ]  # fmt: skip
    assert for_upstream([], Target("2606::1", 80, "/"))[0] == (b"Host", b"[2606::1]")
    coded = [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5"), (b"Server", b"x")]
    assert for_client(coded) == [(b"Server", b"x")]
