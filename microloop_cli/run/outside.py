"""The environment of an agent that comes to the gateway without a sandbox. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from microloop_cli.policy.model import Keys
from microloop_cli.run.agent_environment import NOT_PROXIED

_FROM_VARIABLE = "env:"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def outside_environment(environ: Mapping[str, str], doors: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """The user's own environment with the variables of the doors in it. The agent does not get what keys are
    read from, and does not look for the gateway behind a proxy."""
    sources = (keys.openai, keys.anthropic, keys.google)
    held = {where[len(_FROM_VARIABLE) :] for where in sources if where and where.startswith(_FROM_VARIABLE)}
    kept = {name: value for name, value in environ.items() if name not in held}
    if any(kept.get(name) for name in _PROXIES):
        own = kept.get("no_proxy") or kept.get("NO_PROXY") or ""
        skipped = ",".join(filter(None, (own, *NOT_PROXIED)))
        kept |= {"no_proxy": skipped, "NO_PROXY": skipped}
    return {**kept, **doors}
