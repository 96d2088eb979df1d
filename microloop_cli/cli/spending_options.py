"""Options about models that more than one command has: amounts of dollars, addresses of providers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from microloop_cli.errors import UsageError
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.upstream import DEFAULTS


def dollars(option: str, text: str) -> Decimal:
    """`2.50` or `$2.50`. UsageError for what is no amount above zero."""
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise UsageError(
            f"{option}: {text[:40]!r} is no amount of dollars", hint="for example --max-cost 2.50"
        )
    return amount


def upstreams(given: list[str]) -> dict[Provider, str]:
    """PROVIDER=URL, several. UsageError for another provider or no URL."""
    named: dict[Provider, str] = {}
    for entry in given:
        name, _, url = entry.partition("=")
        provider = next((known for known in DEFAULTS if known == name), None)
        if provider is None or not url:
            known = ", ".join(DEFAULTS)
            raise UsageError(f"--upstream: {entry[:100]!r} is no PROVIDER=URL", hint=f"providers: {known}")
        named[provider] = url
    return named
