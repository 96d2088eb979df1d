"""The HTTP proxy that the user's own environment names for an address, as curl and others read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def proxy_of(url: str, environ: Mapping[str, str]) -> str:
    """Its URL; "" when there is none for `url`: none is named, NO_PROXY says so, or it is this machine."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if _is_here(host) or _is_excepted(host, _value(environ, "no_proxy")):
        return ""
    named = _value(environ, f"{parts.scheme}_proxy") or _value(environ, "all_proxy")
    if named and "://" not in named:
        named = f"http://{named}"
    return named if urlsplit(named).scheme in ("http", "https") else ""


def _value(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_excepted(host: str, no_proxy: str) -> bool:
    """Entries are names that stand for what is below them, too; ports and CIDRs are not looked at."""
    entries = (entry.strip().lower().lstrip("*").lstrip(".") for entry in no_proxy.split(","))
    if no_proxy.strip() == "*":
        return True
    return any(entry and (host == entry or host.endswith(f".{entry}")) for entry in entries)
