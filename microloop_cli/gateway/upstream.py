"""Where model calls go and with which key: per provider, from the user's own environment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from microloop_cli.errors import UsageError
from microloop_cli.gateway.model import Provider

# Providers' own addresses, the variables in which users name others, and those in which they keep keys.
DEFAULTS: dict[Provider, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
ADDRESS_VARIABLES: dict[Provider, tuple[str, ...]] = {
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "anthropic": ("ANTHROPIC_BASE_URL",),
    "google": ("GOOGLE_GEMINI_BASE_URL",),
}
KEY_VARIABLES: dict[Provider, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
# Headers and query parameters in which clients send keys: taken off each request.
KEY_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key"})
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "host", "content-length", "accept-encoding", "expect"}
)
# The server has taken any coding off a body.
_OUTGOING_DROPPED = _HOP_BY_HOP | {"content-encoding"}


class Upstream(msgspec.Struct, frozen=True):
    """One provider's address, without a slash at its end, and the key that is added to calls ("": none)."""

    url: str
    key: str = ""


def upstreams_of(environ: Mapping[str, str], named: Mapping[Provider, str]) -> dict[Provider, Upstream]:
    """All providers: addresses as named, else the user's environment, else the provider's own.

    Raises UsageError for an address that is no http(s) URL.
    """
    found: dict[Provider, Upstream] = {}
    for provider, default in DEFAULTS.items():
        source, url = _address(provider, environ, named, default)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"{source}: {url[:100]!r} is no address of a model server", hint="http(s)://HOST"
            )
        key = next((environ[name] for name in KEY_VARIABLES[provider] if environ.get(name)), "")
        found[provider] = Upstream(url.rstrip("/"), key)
    return found


def _address(
    provider: Provider, environ: Mapping[str, str], named: Mapping[Provider, str], default: str
) -> tuple[str, str]:
    if provider in named:
        return f"--upstream {provider}", named[provider]
    for name in ADDRESS_VARIABLES[provider]:
        if environ.get(name):
            return name, environ[name]
    return "default", default


def target(upstream: Upstream, path: str) -> str:
    """The URL for a request target: a version that both name (`/v1`) stands once; key parameters go."""
    base = upstream.url
    path, question, query = path.partition("?")
    first = "/" + path.lstrip("/").split("/", 1)[0]
    if base.endswith(first):
        path = "/" + path.lstrip("/")[len(first) - 1 :].lstrip("/")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("key="))
    return base + path + (f"?{kept}" if question and kept else "")


def outgoing(provider: Provider, key: str, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A request's headers as they are sent on: the user's key in place of whatever the client sent.

    Without a key of our own the client's goes through: it is then the only one there is.
    """
    kept = [(name, value) for name, value in headers if name.lower() not in _OUTGOING_DROPPED]
    if key:
        kept = [(name, value) for name, value in kept if name.lower() not in KEY_HEADERS]
        kept.append(_key_header(provider, key))
    return [*kept, ("Accept-Encoding", "gzip")]


def incoming(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """An answer's headers as they reach the client: the body comes decoded, its length may be another."""
    dropped = _HOP_BY_HOP | {"content-encoding", "set-cookie"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _key_header(provider: Provider, key: str) -> tuple[str, str]:
    if provider == "anthropic":
        return "x-api-key", key
    return ("x-goog-api-key", key) if provider == "google" else ("Authorization", f"Bearer {key}")
