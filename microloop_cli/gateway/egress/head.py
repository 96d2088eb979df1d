"""The head of a request, read strictly: what two readers could understand differently is refused. Pure."""

from __future__ import annotations

import re

MAX_HEAD = 64 * 1024
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(_TOKEN + rb"{1,32} [\x21-\x7e]+ HTTP/1\.([01])")
_HEADER = re.compile(rb"(" + _TOKEN + rb"+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_END = b"\r\n\r\n"


class Malformed(Exception):
    """A request that is not understood; `status` and the text are the answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def head_end(data: bytes | bytearray, looked_at: int = 0) -> int:
    """How many bytes the head at the start of `data` has, 0 when its end has not come yet.

    looked_at: how many bytes were there at the last look. Raises Malformed as soon as it can be none.
    """
    if data[:1] == b"\x16":
        raise Malformed(
            "this is TLS, but the way to the proxy is plain: http://, not https://, in HTTPS_PROXY"
        )
    start = max(looked_at - len(_END), 0)
    end = data.find(_END, start)
    size = end + len(_END) if end >= 0 else len(data)
    cut = data[size - 1 : size] == b"\r"  # what could be the first half of an end of line is none yet
    if _BARE.search(data, start, size - 1 if cut else size):
        raise Malformed("the head holds a bare CR, a bare LF or a NUL")
    if size > MAX_HEAD:
        raise Malformed(f"the head is larger than {MAX_HEAD // 1024} KiB", 431)
    return size if end >= 0 else 0


def check_head(head: bytes) -> None:
    """Raises Malformed for a head (with its empty line) that anyone could read in a second way."""
    request_line, *lines = head[: -len(_END)].split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise Malformed("the first line is none of an HTTP/1.1 request")
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, value = _header(line)
        fields.setdefault(name, []).append(value)
    _check_framing(fields, old=match[1] == b"0")
    if len(fields.get(b"host", [])) > 1:
        raise Malformed("there are two Host headers")
    if b"host" not in fields and match[1] == b"1":
        raise Malformed("there is no Host header")


def _header(line: bytes) -> tuple[bytes, bytes]:
    if line[:1] in (b" ", b"\t"):
        raise Malformed("a header goes on in a second line (obs-fold)")
    match = _HEADER.fullmatch(line)
    if match is None:
        raise Malformed("a header line is none")
    return match[1].lower(), match[2].rstrip(b" \t")


def _check_framing(fields: dict[bytes, list[bytes]], *, old: bool) -> None:
    """Where the body ends must be said once, in one way."""
    lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
    if lengths and codings:
        raise Malformed("there are both Content-Length and Transfer-Encoding")
    if len(lengths) > 1 or len(codings) > 1:
        raise Malformed("the length of the body is given twice")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise Malformed("Content-Length is no number")
    if codings and (old or codings[0].lower() != b"chunked"):
        raise Malformed("a Transfer-Encoding other than chunked is not known here", 501)
