"""Where model calls go and with which key: per provider, from the user's own environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import msgspec

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.outer_proxy import proxy_of
from microloop_cli.gateway.placeholders import KEY_HEADERS, KEY_PARAMETERS, is_placeholder
from microloop_cli.gateway.upstream_address import checked_address

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
    "anthropic": ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
# What `claude setup-token` makes, for those who log in instead of paying by the key.
_LOGIN_TOKEN = "sk-ant-oat"
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "host", "content-length", "accept-encoding", "expect"}
)
# Control characters, and bytes that are no UTF-8: they would make another header of it, or none at all.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# The server has taken any coding off a body; the others would make it another request than the one counted.
_OUTGOING_DROPPED = (
    _HOP_BY_HOP
    | {"content-encoding", "x-http-method-override", "x-http-method", "x-method-override"}
    | {"x-original-url", "x-rewrite-url"}
)


class Upstream(msgspec.Struct, frozen=True):
    """One provider's address, without a slash at its end, and the key that is added to calls ("": none).

    proxy: the user's own, through which it is reached; "" none.
    """

    url: str
    key: str = ""
    proxy: str = ""


def upstreams_of(
    environ: Mapping[str, str],
    named: Mapping[Provider, str],
    keys: Mapping[Provider, str] | None = None,
) -> dict[Provider, Upstream]:
    """All providers: addresses as named, else the user's environment, else the provider's own; keys as given
    (see keys.read_keys), else from the user's environment.

    Raises UsageError for an address that is no http(s) URL.
    """
    found: dict[Provider, Upstream] = {}
    for provider, default in DEFAULTS.items():
        source, url = _address(provider, environ, named, default)
        url = checked_address(source, url)
        key = next((environ[name] for name in KEY_VARIABLES[provider] if environ.get(name)), "")
        key = (keys or {}).get(provider) or key.strip()
        found[provider] = Upstream(url, key, proxy_of(url, environ))
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
    """The URL for a request target: a version that both name (`/v1`) stands once; key parameters go when we
    have a key, and placeholders always.
    """
    base = upstream.url
    path, question, query = path.partition("?")
    if path == "/messages":  # clients that expect the version in the address
        path = "/v1/messages"
    first = "/" + path.lstrip("/").split("/", 1)[0]
    if base.endswith(first):
        path = "/" + path.lstrip("/")[len(first) - 1 :].lstrip("/")
    kept = "&".join(part for part in query.split("&") if part and not _is_key(part, upstream.key))
    return base + path + (f"?{kept}" if question and kept else "")


def _is_key(part: str, ours: str) -> bool:
    name, _, value = part.partition("=")
    return unquote(name).lower() in KEY_PARAMETERS and (bool(ours) or is_placeholder(unquote(value)))


def outgoing(provider: Provider, key: str, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A request's headers as they are sent on: the user's key in place of whatever the client sent.

    Without a key of our own the client's goes through: it is then the only one there is. A placeholder never
    does.
    """
    given = list(headers)
    dropped = _OUTGOING_DROPPED | _hop_by_hop(given)
    kept = [
        (name, value)
        for name, value in given
        if name.lower() not in dropped
        and not _UNSENDABLE.search(value)
        and not (name.lower() in KEY_HEADERS and (key or is_placeholder(value)))
    ]
    if key:
        kept.append(_key_header(provider, key))
    return [*kept, ("Accept-Encoding", "gzip")]


def incoming(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """An answer's headers as they reach the client: the body comes decoded, its length may be another."""
    given = list(headers)
    dropped = _HOP_BY_HOP | {"content-encoding", "set-cookie"} | _hop_by_hop(given)
    return [
        (name, value)
        for name, value in given
        if name.lower() not in dropped and not _UNSENDABLE.search(value)
    ]


def _hop_by_hop(headers: Iterable[tuple[str, str]]) -> set[str]:
    """What the header Connection says is for the next server only."""
    said = (value for name, value in headers if name.lower() == "connection")
    return {token.strip().lower() for value in said for token in value.split(",")}


def _key_header(provider: Provider, key: str) -> tuple[str, str]:
    if provider == "anthropic" and not key.startswith(_LOGIN_TOKEN):
        return "x-api-key", key
    return ("x-goog-api-key", key) if provider == "google" else ("Authorization", f"Bearer {key}")
