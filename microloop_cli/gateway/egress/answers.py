"""The proxy's own answers: one line of text that says what to do. Pure."""

from __future__ import annotations

from http import HTTPStatus

from microloop_cli.gateway.egress.hosts import host_and_port
from microloop_cli.gateway.egress.target import Target

ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"
_MAX_PHRASE = 120


def answer(status: int, text: str, *, phrase: str = "", body: bool = True) -> bytes:
    """A whole answer, after which the connection ends. phrase: for the status line, since many clients show
    nothing else of a tunnel's refusal. body: False for HEAD."""
    content = f"{text}\n".encode()
    lines = [
        f"HTTP/1.1 {status} {_phrase(phrase) or HTTPStatus(status).phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(content)}",
        "X-Microloop: refused" if status == HTTPStatus.FORBIDDEN else "X-Microloop: failed",
        "Connection: close",
    ]
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    return head + content if body else head


def refusal_phrase(target: Target) -> str:
    """For the status line of a refusal: `microloop: example.com:443 is not allowed`."""
    return f"microloop: {host_and_port(target.host, target.port)[: _MAX_PHRASE - 30]} is not allowed"


def _phrase(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:_MAX_PHRASE]
