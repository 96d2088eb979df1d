"""What an agent gets in place of keys: each of use for its own provider at this run's gateway. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from microloop_cli.gateway.model import Provider

# Headers and query parameters in which clients send keys.
KEY_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key"})
KEY_PARAMETERS = frozenset({"key", "api_key", "api-key"})
PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")
_SHAPE = re.compile(r"microloop-(openai|anthropic|google)-[0-9a-f]{8,}", re.IGNORECASE)
# What stands where a key is asked for and none is needed ("none", "ollama") is no secret.
_LEAST_SECRET_CHARS = 8


class Placeholders(msgspec.Struct, frozen=True):
    """`token`: at least 32 hex digits, made anew for each run (secrets.token_hex(16))."""

    token: str

    def of(self, provider: Provider) -> str:
        """What the agent gets for that provider's key."""
        return f"microloop-{provider}-{self.token}"

    def objection(self, provider: Provider, shown: Iterable[str]) -> str:
        """Why a request to `provider` that shows these keys is refused; "" when it is not.

        Keys that are no placeholders are none of ours.
        """
        for key in shown:
            for found in _SHAPE.finditer(key):
                if found.group() == self.of(provider):
                    continue
                owner = next((each for each in PROVIDERS if found.group() == self.of(each)), None)
                if owner is None:
                    return "microloop: this placeholder for a key is none of this run"
                return f"microloop: this placeholder is for {owner}'s key and was sent to {provider}"
        return ""


def is_placeholder(key: str) -> bool:
    return _SHAPE.search(key) is not None


def provider_of(key: str) -> Provider | None:
    """Whose key it stands for, in whichever run; None: it is no placeholder."""
    found = _SHAPE.search(key)
    name = found.group(1).lower() if found else ""
    return next((each for each in PROVIDERS if each == name), None)


def shown_keys(target: str, headers: Iterable[tuple[str, str]]) -> list[str]:
    """All that a request shows as a key, decoded: in its headers and in its query."""
    query = target.partition("?")[2].partition("#")[0]
    return [
        *(value for name, value in headers if name.lower() in KEY_HEADERS),
        *(unquote(value) for name, value in parse_qsl(query) if name.lower() in KEY_PARAMETERS),
    ]


class Unkeyed:
    """Takes a provider's key out of what comes back from it: its placeholder stands there instead."""

    def __init__(self, key: str, instead: str) -> None:
        self._forms: Mapping[bytes, bytes] = {}
        if len(key) >= _LEAST_SECRET_CHARS:
            in_json = json.dumps(key)[1:-1]
            written = {key, in_json, in_json.replace("/", "\\/"), quote(key, safe=""), quote(key)}
            self._forms = {form.encode(): instead.encode() for form in sorted(written, key=len, reverse=True)}

    def body(self, body: bytes) -> bytes:
        for form, instead in self._forms.items():
            body = body.replace(form, instead)
        return body

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, self._text(value)) for name, value in headers]

    def _text(self, value: str) -> str:
        if not self._forms:
            return value
        return self.body(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
