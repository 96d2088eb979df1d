"""Which variables are secrets, and the forms in which their values turn up. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

# Shorter values (`1`, `true`) are no secrets, and masking them would tear up everything else.
SHORTEST_GIVEN_CHARS = 5
SHORTEST_HOST_CHARS = 8
_SHORTEST_FORM_CHARS = 8
_SHORTEST_LINE_CHARS = 20
_SHORTEST_LOWERED_CHARS = 12
_SECRET_NAME = re.compile(
    r"(?:^|_)[A-Z0-9]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PWD|CREDENTIALS?|NONCE|PAT|WEBHOOK)(?:_|$)"
)
_PLACE = re.compile(r"_(?:FILE|PATH|DIR|HOME|NAME|HELPER|TYPE)$")
_ORDINARY = re.compile(
    r"[a-z]{1,12}|[A-Z]{1,12}|[0-9.]{1,12}|[A-Za-z]{2}_[A-Z]{2}(?:\.[A-Za-z0-9-]{1,12})?"
    r"|(?:~|\.{1,2})?(?:/[\w.@+-]{1,255}){1,64}/?(?::(?:/[\w.@+-]{1,255}){1,64}/?){0,64}"
    r"|[a-z]{2,8}://[\w.:-]{1,255}(?:/[\w./-]{0,255})?"
)


def secret_values(given: Mapping[str, str], host: Mapping[str, str]) -> dict[str, str]:
    """The values, by name, that must not be stored.

    given: variables passed on for the agent; all but those that are plainly none (a path, one word, an
    address without a password) under a name that says nothing. host: microloop's own environment, of which
    those count whose names say so (`..._KEY`, `..._TOKEN`); the agent may find their values elsewhere.
    """
    found = {name: value for name, value in given.items() if _is_given_secret(name, value)}
    for name, value in host.items():
        if name not in found and len(value) >= SHORTEST_HOST_CHARS and _is_secret_of_host(name, value):
            found[name] = value
    return found


def forms(value: str) -> Iterator[str]:
    """The value, and how it reads in JSON, a URL, base64 (wherever it begins there) and line by line."""
    yield value
    yield from (value.replace("\n", "\r\n"), value.replace("\n", "\\n"))
    yield from (quote(value, safe=""), quote(value), quote_plus(value))
    yield value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    yield from _escaped_forms(value)
    yield value.replace("'", "'\\''")
    yield value.replace("'", "'\"'\"'")
    raw = value.encode("utf-8", "surrogateescape")
    if len(raw) >= _SHORTEST_FORM_CHARS:
        for before in range(3):
            yield from _base64_forms(raw, before)
    if "\n" in value:
        yield from (line for line in value.splitlines() if len(line) >= _SHORTEST_LINE_CHARS)


def _escaped_forms(value: str) -> Iterator[str]:
    """As encoders of JSON in other languages write it: PHP escapes `/`, Go `<>&`, Java `='`, .NET `+`; Python
    all that is no ASCII. A host's name is in lower case."""
    plain = json.dumps(value)[1:-1]
    yield from (plain, plain.replace("/", "\\/"))
    for characters, digits in (("<>&", "04x"), ("<>&='", "04x"), ("<>&'+`", "04X")):
        yield "".join(f"\\u{ord(c):{digits}}" if c in characters else c for c in plain)
    if len(value) >= _SHORTEST_LOWERED_CHARS and any(map(str.isdigit, value)):
        yield value.lower()


def _base64_forms(raw: bytes, before: int) -> Iterator[str]:
    """What is the same in base64 whatever stands around `raw`, when `before` bytes (mod 3) come first."""
    first = (8 * before + 5) // 6
    last = 8 * (before + len(raw)) // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(b"\0" * before + raw).decode()[first:last]


def _is_given_secret(name: str, value: str) -> bool:
    if len(value) < SHORTEST_GIVEN_CHARS:
        return False
    return _is_secret_of_host(name, value) or _ORDINARY.fullmatch(value) is None


def _is_secret_of_host(name: str, value: str) -> bool:
    upper = name.upper()
    if _SECRET_NAME.search(upper) is None or _PLACE.search(upper) is not None or upper in {"PWD", "OLDPWD"}:
        return False
    looks_like_a_path = "CREDENTIAL" in upper or (value.count("/") > 1 and "." in value)
    return not (value.startswith("/") and looks_like_a_path)
