"""The price list that ships with genai-prices, read as it was packaged: it never asks the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from microloop_cli.gateway.model import Price
from microloop_cli.gateway.model_names import prefixed, spellings

if TYPE_CHECKING:
    from genai_prices import types

# Their models are asked for by bare name through anybody's proxy; other names may as well be local models.
_BARE = ("openai", "anthropic", "google")
_MAX_DEPTH = 3
_MADE = ("output_audio_mtok", "output_image_mtok", "output_video_mtok")
_HEARD = ("input_audio_mtok", "input_image_mtok", "input_video_mtok")
_RATES = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")


def listed_price(provider: str, name: str, at: datetime, mode: str) -> Price | None:
    """The price of a model as `plain` names it. None: not listed, not billed by token, or without a rate.

    provider: an id of the list, or the address of an upstream. at: aware. mode: as in Prices.of.
    """
    for owner, wanted in _places(provider, name):
        for spelling in spellings(wanted):
            model = owner.find_model(spelling, all_providers=_providers())
            if model is not None:
                return _price(_text_rates(model.id, model.get_prices(at, _context(mode))))
    return None


def dearest_price(provider: str, at: datetime, mode: str) -> Price | None:
    """The highest of each rate that any text model of the provider has, of any tier; None without models."""
    owner = _provider(provider)
    if owner is None:
        return None
    found = [_price(model.get_prices(at, _context(mode))) for model in owner.models]
    rates = [rate for price in found if price for rate in (price, *(tier for _, tier in price.above))]
    if not rates:
        return None
    top = max(rate.input_usd for rate in rates)
    return Price(
        input_usd=top,
        output_usd=max(rate.output_usd for rate in rates),
        cache_write_usd=max(top, *(rate.cache_write_usd or top for rate in rates)),
        cache_write_1h_usd=max(top, *(rate.cache_write_1h_usd or top for rate in rates)),
    )


def _places(provider: str, name: str) -> Iterator[tuple[types.Provider, str]]:
    """Where a name may stand, most likely first: the provider, the one it names itself, the makers."""
    rest: tuple[str, str] | None = (provider, name)
    for _ in range(_MAX_DEPTH):
        if rest is None:
            break
        if owner := _provider(rest[0]):
            yield owner, rest[1]
        name = rest[1]
        rest = prefixed(name)
    for maker in _BARE:
        if owner := _provider(maker):
            yield owner, name


def _providers() -> list[types.Provider]:
    # The packaged data itself, not `get_snapshot()`: that is another list once somebody has updated it.
    from genai_prices.data import providers

    return providers


def _provider(wanted: str) -> types.Provider | None:
    for provider in _providers():
        if provider.id == wanted or ("://" in wanted and re.match(provider.api_pattern, wanted)):
            return provider
    return None


def _context(mode: str) -> Mapping[str, str] | None:
    return {"service_tier": mode, "speed": mode} if mode else None


def _text_rates(model: str, prices: types.ModelPrice) -> types.ModelPrice:
    """Of a model that makes images, sound or films, or writes down what it hears: all tokens at its dearest
    rate, for nobody says here which are which. Others are billed as they read and write text.
    """
    made = [rate for name in _MADE if (rate := getattr(prices, name, None)) is not None]
    if not made and "transcribe" not in model:
        return prices
    heard = [rate for name in _HEARD if (rate := getattr(prices, name, None)) is not None]
    given, output = (getattr(prices, name) for name in ("input_mtok", "output_mtok"))
    dearest: Any = copy(prices)
    dearest.input_mtok = max((rate for rate in (given, *heard) if rate is not None), key=_base, default=None)
    dearest.output_mtok = max((rate for rate in (output, *made) if rate is not None), key=_base, default=None)
    found: types.ModelPrice = dearest
    return found


def _base(rate: Decimal | types.TieredPrices) -> Decimal:
    return rate if isinstance(rate, Decimal) else rate.base


def _price(prices: types.ModelPrice) -> Price | None:
    """Tiers of single rates become whole prices, one for each size at which any rate changes."""
    base = _rates(prices, 0)
    if base is None:
        return None
    starts = {tier.start for key in _RATES for tier in getattr(getattr(prices, key), "tiers", ())}
    tiers = ((start, _rates(prices, start + 1)) for start in sorted(starts))
    return msgspec.structs.replace(base, above=tuple((start, tier) for start, tier in tiers if tier))


def _rates(prices: types.ModelPrice, input_tokens: int) -> Price | None:
    given, output, cached, write, hour = (_rate(getattr(prices, key), input_tokens) for key in _RATES)
    if not given:  # billed by the hour or the letter; an empty entry is no promise that it is free
        return None
    return Price(
        input_usd=given,
        output_usd=output or Decimal(0),  # embeddings have no output
        cached_usd=cached,
        cache_write_usd=write,
        cache_write_1h_usd=hour,
    )


def _rate(rate: Decimal | types.TieredPrices | None, input_tokens: int) -> Decimal | None:
    if rate is None or isinstance(rate, Decimal):
        return rate
    found = rate.base
    for tier in rate.tiers:
        if input_tokens > tier.start:
            found = tier.price
    return found
