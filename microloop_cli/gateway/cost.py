"""What tokens cost: exact Decimals of US dollars, rounded nowhere but for display. Pure."""

from __future__ import annotations

from decimal import Decimal

from microloop_cli.gateway.model import Price, Usage

MILLION = Decimal(1_000_000)
# Counts are clamped here: a hostile answer may claim any number, and more could not be multiplied exactly.
MAX_TOKENS = 10**12


def cost(price: Price, usage: Usage) -> Decimal:
    """US dollars for one call. Counts that contradict each other are charged at the higher reading."""
    input_tokens, output_tokens = count(usage.input_tokens), count(usage.output_tokens)
    cached, hour = count(usage.cached_tokens), count(usage.cache_write_1h_tokens)
    short = max(0, count(usage.cache_write_tokens) - hour)
    plain = max(0, input_tokens - cached - short - hour)
    rates = at_size(price, input_tokens)
    return (
        plain * rates.input_usd
        + cached * cached_rate(rates)
        + short * write_rate(rates)
        + hour * hour_rate(rates)
        + max(output_tokens, count(usage.reasoning_tokens)) * rates.output_usd
    ) / MILLION


def dearest_cost(price: Price, input_tokens: int, output_tokens: int) -> Decimal:
    """US dollars when each input token is billed at the dearest input rate: the worst case of a call."""
    rates = at_size(price, input_tokens)
    dearest = max(rates.input_usd, cached_rate(rates), write_rate(rates), hour_rate(rates))
    return (count(input_tokens) * dearest + count(output_tokens) * rates.output_usd) / MILLION


def affordable_output(price: Price, input_tokens: int, usd: Decimal) -> int:
    """How many output tokens `usd` pays for, in a call with so much input; MAX_TOKENS when they are free."""
    rate = at_size(price, input_tokens).output_usd
    if usd <= 0:
        return 0
    if rate <= 0 or usd * MILLION >= rate * MAX_TOKENS:
        return MAX_TOKENS
    return int(usd * MILLION // rate)


def at_size(price: Price, input_tokens: int) -> Price:
    """The rates of a call with so much input: the highest tier that it is above."""
    found = price
    for start, tier in price.above:
        if input_tokens > start:
            found = tier
    return found


def cached_rate(price: Price) -> Decimal:
    return price.input_usd if price.cached_usd is None else price.cached_usd


def write_rate(price: Price) -> Decimal:
    return price.input_usd if price.cache_write_usd is None else price.cache_write_usd


def hour_rate(price: Price) -> Decimal:
    return write_rate(price) if price.cache_write_1h_usd is None else price.cache_write_1h_usd


def shown_usd(amount: Decimal) -> str:
    """For people: cents from a dollar on, else four decimals; something is never shown as nothing."""
    if 0 < amount < Decimal("0.0001"):
        return "<$0.0001"
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def count(tokens: int) -> int:
    """A count that is one: not negative, and small enough for exact costs."""
    return min(max(0, tokens), MAX_TOKENS)
