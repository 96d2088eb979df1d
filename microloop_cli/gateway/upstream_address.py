"""The address of a model server: what is one, and which request targets would lead out of it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from microloop_cli.errors import UsageError

# What stands in a URL as it is (RFC 3986); all else would have to be encoded, or is a mistake.
_URL = re.compile(r"[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%?#]+")
_SEPARATORS = re.compile(r"[/\\]")
# Some servers take an encoded character for what it stands for, some even twice.
_TIMES_DECODED = 2


def checked_address(source: str, url: str) -> str:
    """The address without a slash at its end. source: who named it. Raises UsageError for what is none."""
    mistake = _mistake(url)
    if mistake:
        raise UsageError(
            f"{source}: {_shown(url)!r} is no address of a model server: {mistake}",
            hint="http(s)://HOST/PATH",
        )
    return url.rstrip("/")


def leads_elsewhere(target: str) -> bool:
    """Whether a request's target, put behind an upstream's path, could be read as one outside of it."""
    path = target.partition("?")[0]
    for _ in range(_TIMES_DECODED):
        path = unquote(path)
    return any(part.partition(";")[0] in (".", "..") for part in _SEPARATORS.split(path))


def _mistake(url: str) -> str:
    if not _URL.fullmatch(url):
        return "it holds what no URL does"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return str(error).lower()
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it names no host over http or https"
    if "@" in parts.netloc:
        return "a key belongs in the variable for it, not here"
    if "?" in url or "#" in url:
        return "nothing can stand behind its path"
    return ""


def _shown(url: str) -> str:
    """Without the user and password that it may hold."""
    return re.sub(r"//[^/]*@", "//...@", url)[:100]
