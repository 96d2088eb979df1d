"""Failures that lie in the surroundings (network, rate limits, disk) and may pass by themselves. Pure."""

from __future__ import annotations

import functools
import re

from microloop_cli.core.progress.signals import Trouble

_TAIL_CHARS = 1500

# A short text that is in all phrases of the row, so that most outputs cost one look a row; then the phrases.
_PHRASES: tuple[tuple[Trouble, str, tuple[str, ...]], ...] = (
    ("disk", "no space", ("no space left on device",)),
    ("disk", "enospc", ("enospc",)),
    ("disk", "-only f", ("read-only file system",)),
    ("disk", "disk quota", ("disk quota exceeded",)),
    (
        "rate_limit",
        "rate",
        (
            "rate limit exceeded",
            "rate limit reached",
            "rate limited",
            "rate-limited",
            "rate limit error",
            "ratelimiterror",
            "rate_limit_e",
            "hit the rate limit",
            "hit your rate limit",
            "api rate limit",
            "exceeded the rate limit",
            "secondary rate limit",
            "pull rate limit",
        ),
    ),
    ("rate_limit", "many", ("too many requests", "toomanyrequests")),
    (
        "rate_limit",
        "quota",
        ("quota exceeded", "exceeded your current quota", "exceeded your quota", "insufficient_quota"),
    ),
    (
        "network",
        "resol",
        (
            "could not resolve host",
            "couldn't resolve host",
            "could not resolve proxy",
            "failed to resolve",
            "name resolution",
            "temporary failure resolving",
            "nameresolutionerror",
        ),
    ),
    ("network", "getaddrinfo ", ("getaddrinfo enotfound", "getaddrinfo eai_again", "getaddrinfo failed")),
    ("network", "eai_again", ("eai_again",)),
    ("network", "econn", ("econnreset", "econnrefused", "econnaborted")),
    ("network", "unreach", ("network is unreachable", "enetunreach", "ehostunreach")),
    (
        "network",
        "connect",
        (
            "connection refused",
            "connection reset",
            "connection timed out",
            "connection aborted",
            "connection was reset",
            "failed to connect to",
            "could not connect to",
            "couldn't connect to",
            "failed to establish a new connection",
            "connection closed by remote",
            "remote end closed connection",
            "connecttimeout",
            "connect timeout",
            "cannot connect to proxy",
            "connection broken",
            "unable to connect to",
        ),
    ),
    (
        "network",
        "timed",
        ("read timed out", "operation timed out", "request timed out", "connect timed out", "etimedout"),
    ),
    ("network", "timeout", ("readtimeout", "i/o timeout", "handshake timeout")),
    ("network", "tls ", ("tls handshake", "tls connection was non-properly terminated")),
    ("network", " hung up", ("remote end hung up",)),
    ("network", "hang up", ("socket hang up",)),
    ("network", "no such host", ("no such host",)),
    ("network", "name or service", ("name or service not known",)),
    ("network", "network ", ("network aborted", "error network")),
    ("network", "gateway", ("bad gateway", "gateway timeout", "gateway time-out")),
    ("network", "unavailable", ("service unavailable", "service temporarily unavailable")),
    (
        "network",
        "proxy",
        ("proxyerror", "proxy connect aborted", "from proxy after connect", "proxy authentication"),
    ),
)
_CODES = r"(?<![a-z_])(?:http(?:/[\d.]+)?|status(?: code)?|error|code|returned)\W{0,4}(429|50[234])(?!\w)"


@functools.cache
def _codes() -> re.Pattern[str]:
    return re.compile(_CODES)


def trouble(normalised: str) -> Trouble | None:
    """What the last 1,500 characters of a failed command's output blame; None when nothing of the kind.

    Ask for failed commands only: a listing or a search may hold such words and mean nothing by them.
    """
    lowered = normalised[-_TAIL_CHARS:].lower()
    for kind, hint, phrases in _PHRASES:
        if hint in lowered and any(phrase in lowered for phrase in phrases):
            return kind
    if "429" in lowered or "50" in lowered:
        return _by_status(lowered)
    return None


def _by_status(lowered: str) -> Trouble | None:
    match = _codes().search(lowered)
    if match is None:
        return None
    return "rate_limit" if match[1] == "429" else "network"
