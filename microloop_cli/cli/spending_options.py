"""Options about models that more than one command has: amounts of dollars, addresses of providers.

As a policy has them, so that they are a layer over it. What they need is imported when one is given.
"""

from __future__ import annotations

from typing import Any

from microloop_cli.errors import UsageError


def dollars(option: str, text: str | None) -> float | None:
    """`2.50` or `$2.50`; None for none given. UsageError for what is no amount above zero."""
    if text is None:
        return None
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise UsageError(
            f"{option}: {text[:40]!r} is no amount of dollars", hint=f"for example {option} 2.50"
        )
    return float(amount)


def upstreams(given: list[str]) -> dict[str, tuple[str, Any]]:
    """PROVIDER=URL, several, as key path to option and value. UsageError for another provider or no URL."""
    if not given:
        return {}
    from microloop_cli.gateway.upstream import DEFAULTS

    named: dict[str, tuple[str, Any]] = {}
    for entry in given:
        name, _, url = entry.partition("=")
        if name not in DEFAULTS or not url:
            known = ", ".join(DEFAULTS)
            raise UsageError(f"--upstream: {entry[:100]!r} is no PROVIDER=URL", hint=f"providers: {known}")
        named[f"model.upstreams.{name}"] = ("--upstream", url)
    return named
