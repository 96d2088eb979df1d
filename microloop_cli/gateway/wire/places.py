"""Which provider and surface a request is for, by its path; by its headers where paths are shared."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from microloop_cli.gateway.model import Provider, Surface
from microloop_cli.gateway.placeholders import KEY_HEADERS, provider_of
from microloop_cli.gateway.wire.billing import model_in_path
from microloop_cli.gateway.wire.reading import text

_ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
_PARAMETERS = re.compile(r";[^/]*")
_GOOGLE_CALL = re.compile(r"/([^/:]+):([a-z]+)$", re.IGNORECASE)
_GOOGLE_LIST = re.compile(r"^/v\d+(alpha|beta)\d*/(models|cachedcontents|files|tunedmodels)\b")
_AZURE_MODEL = re.compile(r"/deployments/([^/]+)/", re.IGNORECASE)
# Not threads/ID/messages of OpenAI's assistants.
_SURFACES: tuple[tuple[re.Pattern[str], Provider, Surface], ...] = (
    (re.compile(r"/completions$"), "openai", "chat"),
    (re.compile(r"/responses$"), "openai", "responses"),
    (re.compile(r"(^|/v\d+)/messages$"), "anthropic", "messages"),
    (re.compile(r"/v\d+/(messages/|complete$)"), "anthropic", "other"),
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """model: where the path names it, else ""; streams: the path asks for a stream."""

    provider: Provider
    surface: Surface
    model: str = ""
    streams: bool = False


def place(method: str, path: str, headers: Mapping[str, str]) -> Place:
    """What a request is for. `path` may be odd (escaped, doubled slashes, dots, absolute): it is read as a
    lenient server would read it, so that no spelling of a model's path goes by unmetered.
    """
    plain = plain_path(text(path))
    posted = method.upper() == "POST"
    google = _GOOGLE_CALL.search(plain)
    if google:
        return _google(google.group(1), google.group(2).lower(), posted)
    low = plain.lower()
    for pattern, provider, surface in _SURFACES:
        if pattern.search(low):
            named = _AZURE_MODEL.search(plain)
            model = named.group(1) if named else ""
            return Place(provider=provider, surface=surface if posted else "other", model=model)
    azure = _AZURE_MODEL.search(plain)
    model = azure.group(1) if azure else model_in_path(plain)
    return Place(provider=_by_headers(headers, low), surface="other", model=model)


def plain_path(path: str) -> str:
    """The path without origin, query and parameters; decoded once; dots and doubled slashes resolved."""
    path = _ORIGIN.sub("", path)
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    path = _PARAMETERS.sub("", unquote(path, errors="replace").replace("\\", "/"))
    return posixpath.normpath("/" + path.strip().lstrip("/"))


def _google(model: str, action: str, posted: bool) -> Place:
    streams = action == "streamgeneratecontent"
    surface: Surface = "generate" if posted and (streams or action == "generatecontent") else "other"
    return Place(provider="google", surface=surface, model=model, streams=streams)


def _by_headers(headers: Mapping[str, str], low: str) -> Provider:
    """Whose a path is that all of them have, or none."""
    for name, value in headers.items():
        if name.lower() in KEY_HEADERS and (provider := provider_of(value)):
            return provider
    names = {name.lower() for name in headers}
    if "x-goog-api-key" in names or _GOOGLE_LIST.search(low):
        return "google"
    if "anthropic-version" in names or "x-api-key" in names:
        return "anthropic"
    return "openai"
