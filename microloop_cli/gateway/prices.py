"""What a model costs: by the policy's own prices, else by the price list of genai-prices, else not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from microloop_cli.gateway.cost import cost
from microloop_cli.gateway.model import Price, Provider
from microloop_cli.gateway.model_names import plain, prefixed
from microloop_cli.gateway.own_prices import OwnPrice, own_prices
from microloop_cli.gateway.price_list import dearest_price, listed_price

__all__ = ["OwnPrice", "Prices", "Quote", "Unknown", "cost"]

Unknown = Literal["error", "worst"]
# An agent may ask for any number of names.
_MAX_REMEMBERED = 256


class Quote(msgspec.Struct, frozen=True):
    """A price and where it is from: the policy, the price list, or else the provider's dearest."""

    price: Price
    source: Literal["policy", "list", "worst"]


class Prices:
    """Prices as they are at one moment (`at`, aware: the start of the run).

    own: patterns of model names to prices; free: patterns of models that cost nothing. A pattern is an exact
    name or a glob, with or without the provider ("openai/my-*"). upstreams: base addresses by provider, so
    that a router that the price list knows is priced as itself. unknown: what becomes of an unknown model.
    Raises PolicyError when a price cannot be. The price list is loaded at the first need (0.4 s): see `warm`.
    """

    def __init__(
        self,
        at: datetime,
        *,
        own: Mapping[str, OwnPrice] | None = None,
        free: Sequence[str] = (),
        unknown: Unknown = "error",
        upstreams: Mapping[Provider, str] | None = None,
    ) -> None:
        self._at = at
        self._own = own_prices(own or {}, free)
        self._unknown = unknown
        self._upstreams = dict(upstreams or {})
        self._quotes: dict[tuple[Provider, str, str], Quote | None] = {}

    def warm(self) -> None:
        """Load the price list now; meant for a thread beside the sandbox's start."""
        dearest_price("openai", self._at, "")

    def of(self, provider: Provider, model: str, *, mode: str = "") -> Price | None:
        """The price of a model; None: it has none and the policy does not want the worst case.

        mode: the service tier or speed that the request asks for ("priority", "flex", "fast"); "" standard.
        """
        quote = self.quote(provider, model, mode=mode)
        return None if quote is None else quote.price

    def quote(self, provider: Provider, model: str, *, mode: str = "") -> Quote | None:
        """As `of`, with where the price is from."""
        key = (provider, plain(model), mode[:32])
        if key not in self._quotes:
            if len(self._quotes) >= _MAX_REMEMBERED:
                self._quotes.clear()
            self._quotes[key] = self._find(*key)
        return self._quotes[key]

    def refusal(self, provider: Provider, model: str) -> str:
        """What to tell an agent and a person when `of` is None."""
        shown = ascii(model[:100]) if model else "(none named)"
        return (
            f"no price is known for the {provider} model {shown}: give one under model.prices, name it with "
            "--free (model.free) if it costs nothing, or set model.unknown to worst to charge the dearest"
        )

    def _find(self, provider: Provider, name: str, mode: str) -> Quote | None:
        if name and (rule := self._own.find(_names(provider, name))):
            return Quote(rule[1], "policy")
        if name and (price := self._listed(provider, name, mode)):
            return Quote(price, "list")
        worst = dearest_price(provider, self._at, mode) if self._unknown == "worst" else None
        return None if worst is None else Quote(worst, "worst")

    def _listed(self, provider: Provider, name: str, mode: str) -> Price | None:
        upstream = self._upstreams.get(provider)
        at_router = listed_price(upstream, name, self._at, mode) if upstream else None
        return at_router or listed_price(provider, name, self._at, mode)


def _names(provider: Provider, name: str) -> tuple[str, ...]:
    bare = prefixed(name)
    return (f"{provider}/{name}", name, *((bare[1],) if bare else ()))
