"""Prices that the policy gives: exact names and globs, and models that are free. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.model import Price

MAX_USD_PER_MTOK = Decimal(1_000_000)
MAX_DECIMALS = 9
FREE = Price(input_usd=Decimal(0), output_usd=Decimal(0))


class OwnPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as a policy file says it, in US dollars per million tokens; what is left out is as in Price."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None


class OwnPrices(msgspec.Struct, frozen=True):
    """Patterns in lower case: exact names are looked up first, then globs in the order they were given."""

    priced: tuple[tuple[str, Price], ...] = ()
    free: tuple[str, ...] = ()

    def find(self, names: Sequence[str]) -> tuple[str, Price] | None:
        """The pattern and the price for a model that goes by any of `names`; a price goes before `free`."""
        rules = (*self.priced, *((pattern, FREE) for pattern in self.free))
        exact = [rule for rule in rules if rule[0] in names]
        globs = (rule for rule in rules if any(fnmatchcase(name, rule[0]) for name in names))
        return exact[0] if exact else next(globs, None)


def own_prices(priced: Mapping[str, OwnPrice], free: Sequence[str]) -> OwnPrices:
    """Raises PolicyError with the key path when a price cannot be."""
    return OwnPrices(
        priced=tuple((pattern.lower(), _checked(pattern, price)) for pattern, price in priced.items()),
        free=tuple(pattern.lower() for pattern in free),
    )


def _checked(pattern: str, price: OwnPrice) -> Price:
    for field in price.__struct_fields__:
        rate: Decimal | None = getattr(price, field)
        if rate is not None and not _possible(rate):
            raise PolicyError(
                f"model.prices.{pattern}.{field}: {rate} is no price",
                hint=f"Dollars per million tokens: 0 to {MAX_USD_PER_MTOK}, {MAX_DECIMALS} decimals at most.",
            )
    return Price(
        input_usd=price.input_usd_per_mtok,
        output_usd=price.output_usd_per_mtok,
        cached_usd=price.cached_usd_per_mtok,
        cache_write_usd=price.cache_write_usd_per_mtok,
        cache_write_1h_usd=price.cache_write_1h_usd_per_mtok,
    )


def _possible(rate: Decimal) -> bool:
    """Finite, not negative, and short enough that costs stay exact."""
    if not rate.is_finite() or not 0 <= rate <= MAX_USD_PER_MTOK:
        return False
    exponent = rate.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DECIMALS
