"""What a model costs, and what becomes of a model nobody knows."""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.cost import affordable_output, cost, dearest_cost, shown_usd
from microloop_cli.gateway.model import Price, Provider, Usage
from microloop_cli.gateway.prices import OwnPrice, Prices

AT = datetime(2026, 6, 1, tzinfo=timezone.utc)
PRICES = Prices(AT)
WORST = Prices(AT, unknown="worst")


def price_of(provider: Provider, model: str, prices: Prices = PRICES) -> Price:
    price = prices.of(provider, model)
    assert price is not None, model
    return price


def test_the_well_known_models_cost_what_their_makers_say() -> None:
    gpt, claude = price_of("openai", "gpt-4o"), price_of("anthropic", "claude-sonnet-4-5")
    assert (gpt.input_usd, gpt.cached_usd, gpt.output_usd) == (Decimal("2.5"), Decimal("1.25"), Decimal(10))
    assert (claude.input_usd, claude.output_usd, claude.cached_usd) == (
        Decimal(3),
        Decimal(15),
        Decimal("0.3"),
    )
    assert (claude.cache_write_usd, claude.cache_write_1h_usd) == (Decimal("3.75"), Decimal(6))
    assert price_of("google", "gemini-2.5-pro").input_usd == Decimal("1.25")


def test_each_kind_of_token_is_priced_apart_and_to_the_last_digit() -> None:
    usage = Usage(
        input_tokens=100_003,
        cached_tokens=90_000,
        cache_write_tokens=8_001,
        cache_write_1h_tokens=1_000,
        output_tokens=777,
        reasoning_tokens=500,
    )
    by_hand = 2_002 * 3 + 90_000 * Decimal("0.3") + 7_001 * Decimal("3.75") + 1_000 * 6 + 777 * 15
    assert cost(price_of("anthropic", "claude-sonnet-4-5"), usage) == by_hand / 1_000_000
    assert cost(price_of("anthropic", "claude-sonnet-4-5"), usage) == Decimal("0.07691475")


def test_a_large_prompt_pays_the_higher_price_for_all_its_tokens() -> None:
    gemini = price_of("google", "gemini-2.5-pro")
    assert cost(gemini, Usage(input_tokens=200_000, output_tokens=1000)) == Decimal("0.26")
    assert cost(gemini, Usage(input_tokens=200_001, output_tokens=1000)) == Decimal("0.5150025")


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        ("openai", "openai/gpt-4o", "gpt-4o"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o"),
        ("openai", "GPT-4o", "gpt-4o"),
        ("openai", "gpt-4o-latest", "gpt-4o"),
        ("openai", "my-router/gpt-4o", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("anthropic", "anthropic/claude-sonnet-4-5[1m]", "claude-sonnet-4-5"),
        ("google", "models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google", "gemini/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google", "gemini-2.5-flash-001", "gemini-2.5-flash"),
    ],
)
def test_a_model_has_one_price_however_it_is_spelled(provider: Provider, model: str, same_as: str) -> None:
    assert price_of(provider, model) == price_of(provider, same_as)


def test_a_model_asked_for_through_another_makers_wire_format_has_its_makers_price() -> None:
    assert price_of("openai", "claude-sonnet-4-5") == price_of("anthropic", "claude-sonnet-4-5")
    assert price_of("openai", "anthropic/claude-sonnet-4-5") == price_of("anthropic", "claude-sonnet-4-5")


def test_a_router_that_the_list_knows_is_priced_as_itself() -> None:
    routed = Prices(AT, upstreams={"openai": "https://api.deepseek.com/v1"})
    assert PRICES.of("openai", "deepseek-chat") is None
    assert price_of("openai", "deepseek-chat", routed).input_usd > 0


def test_a_local_upstream_keeps_the_prices_of_the_names_it_uses() -> None:
    local = Prices(AT, upstreams={"openai": "http://127.0.0.1:9999/v1"})
    assert price_of("openai", "gpt-4o", local) == price_of("openai", "gpt-4o")


def test_a_higher_service_tier_costs_more() -> None:
    prices = Prices(datetime(2026, 11, 1, tzinfo=timezone.utc))
    fast = prices.of("openai", "gpt-5.4", mode="priority")
    assert fast is not None
    assert fast.input_usd > price_of("openai", "gpt-5.4", prices).input_usd
    assert prices.of("openai", "gpt-5.4", mode="no such tier") == price_of("openai", "gpt-5.4", prices)


def test_prices_are_those_of_the_day() -> None:
    before = Prices(datetime(2025, 6, 9, tzinfo=timezone.utc))
    assert price_of("openai", "o3", before).input_usd > price_of("openai", "o3").input_usd


@pytest.mark.parametrize(
    "model", ["gpt-99-ultra", "", "llama-local", "x" * 10_000, "\x1b[2J\x00/%s", "whisper-1"]
)
def test_an_unknown_model_is_refused_with_the_way_out(model: str) -> None:
    assert PRICES.of("openai", model) is None
    told = PRICES.refusal("openai", model)
    assert "model.prices" in told
    assert told.isprintable()
    assert len(told) < 500


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
def test_the_worst_case_is_dearer_than_any_model_of_the_provider(provider: Provider) -> None:
    quote = WORST.quote(provider, "nobody-knows-this")
    assert quote is not None
    assert quote.source == "worst"
    one = Usage(input_tokens=300_000, cached_tokens=100_000, cache_write_tokens=50_000, output_tokens=9_000)
    known = {"openai": "o1-pro", "anthropic": "claude-opus-4-1", "google": "gemini-2.5-pro"}[provider]
    assert cost(quote.price, one) >= cost(price_of(provider, known), one) > 0


def test_a_model_whose_list_entry_is_empty_is_not_taken_to_be_free() -> None:
    assert PRICES.of("google", "gemma-3-27b-it") is None


def test_the_policys_own_price_goes_before_the_list() -> None:
    own = {
        "gpt-4o": OwnPrice(input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(2)),
        "team-*": OwnPrice(input_usd_per_mtok=Decimal("0.1"), output_usd_per_mtok=Decimal("0.2")),
    }
    prices = Prices(AT, own=own, free=["qwen*", "openai/local-*"])
    assert cost(
        price_of("openai", "openai/GPT-4o", prices), Usage(input_tokens=10, output_tokens=1)
    ) == Decimal("0.000012")
    assert price_of("openai", "team-7", prices).output_usd == Decimal("0.2")
    assert cost(price_of("openai", "qwen3:8b", prices), Usage(input_tokens=10**9)) == 0
    assert cost(price_of("openai", "local-1", prices), Usage(output_tokens=10**9)) == 0
    assert prices.of("anthropic", "local-1") is None


def test_an_exact_name_goes_before_a_glob_and_a_price_before_free() -> None:
    own = {
        "m*": OwnPrice(input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(1)),
        "mine": OwnPrice(input_usd_per_mtok=Decimal(5), output_usd_per_mtok=Decimal(5)),
    }
    prices = Prices(AT, own=own, free=["*"])
    assert price_of("openai", "mine", prices).input_usd == 5
    assert price_of("openai", "more", prices).input_usd == 1
    assert price_of("openai", "gpt-4o", prices).input_usd == 0


@pytest.mark.parametrize("rate", ["-1", "NaN", "Infinity", "1e9", "0.0000000001"])
def test_an_impossible_price_is_a_policy_error_with_its_key(rate: str) -> None:
    own = {"mine": OwnPrice(input_usd_per_mtok=Decimal(rate), output_usd_per_mtok=Decimal(1))}
    with pytest.raises(PolicyError, match=r"model\.prices\.mine\.input_usd_per_mtok"):
        Prices(AT, own=own)


def test_a_price_in_a_policy_file_is_read_exactly() -> None:
    read = msgspec.convert({"input_usd_per_mtok": 0.1, "output_usd_per_mtok": "0.30"}, OwnPrice)
    assert (read.input_usd_per_mtok, read.output_usd_per_mtok) == (Decimal("0.1"), Decimal("0.30"))


counts = st.integers(min_value=-5, max_value=10**12)


@given(counts, counts, counts, counts, counts)
def test_no_answer_makes_a_cost_negative_inexact_or_dearer_than_the_worst_case(
    plain: int, cached: int, write: int, output: int, reasoning: int
) -> None:
    price = price_of("anthropic", "claude-sonnet-4-5")
    parts = [max(0, part) for part in (plain, cached, write)]
    usage = Usage(
        input_tokens=min(sum(parts), 10**12),
        cached_tokens=cached,
        cache_write_tokens=write,
        output_tokens=output,
        reasoning_tokens=reasoning,
    )
    paid = cost(price, usage)
    scaled = paid * 10**9
    assert paid >= 0
    assert scaled == int(scaled)
    if sum(parts) <= 10**12:
        assert paid <= dearest_cost(price, sum(parts), max(output, reasoning))


@given(st.integers(0, 10**6), st.integers(0, 10**9))
def test_what_can_be_afforded_is_the_most_that_fits(input_tokens: int, micro_usd: int) -> None:
    price, usd = price_of("google", "gemini-2.5-pro"), Decimal(micro_usd) / 1_000_000
    tokens = affordable_output(price, input_tokens, usd)
    whole = dearest_cost(price, input_tokens, 0)
    assert dearest_cost(price, input_tokens, tokens) - whole <= usd
    assert dearest_cost(price, input_tokens, tokens + 1) - whole > usd


def test_our_arithmetic_agrees_with_the_price_lists_own() -> None:
    import genai_prices
    from genai_prices.data import providers

    for provider in providers:
        for model in provider.models if provider.id in ("openai", "anthropic", "google") else ():
            price = PRICES.of(provider.id, model.id)  # type: ignore[arg-type]
            if price is None or model.id.startswith(("gpt-audio", "gpt-image", "gpt-realtime")):
                continue
            for tokens in (1_000, 150_000, 250_000, 300_000):
                theirs = genai_prices.calc_price(
                    genai_prices.Usage(input_tokens=tokens, output_tokens=777, cache_read_tokens=100),
                    model.id,
                    provider_id=provider.id,
                    genai_request_timestamp=AT,
                )
                ours = cost(price, Usage(input_tokens=tokens, output_tokens=777, cached_tokens=100))
                assert ours >= theirs.total_price, model.id
                assert ours == theirs.total_price or _makes_more_than_text(theirs.model_price, model.id), (
                    model.id
                )


def _makes_more_than_text(price: Any, model: str) -> bool:
    """Then all tokens are charged at the dearest rate."""
    made = [getattr(price, f"output_{kind}_mtok", None) for kind in ("audio", "image", "video")]
    return any(made) or price.output_mtok is None or "transcribe" in model


def test_images_and_sound_are_charged_at_their_own_rate() -> None:
    image, sound = PRICES.of("google", "gemini-2.5-flash-image"), PRICES.of("openai", "gpt-4o-transcribe")
    assert image is not None
    assert sound is not None
    assert (image.output_usd, sound.input_usd) == (Decimal(30), Decimal(6))


def test_the_price_list_never_asks_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a price was asked from the network")

    monkeypatch.setattr(socket, "socket", refuse)
    fresh = Prices(AT)
    fresh.warm()
    assert fresh.of("openai", "gpt-4o") is not None


def test_costs_are_shown_rounded_but_never_as_nothing() -> None:
    assert shown_usd(Decimal("12.3456")) == "$12.35"
    assert shown_usd(Decimal("0.01234")) == "$0.0123"
    assert shown_usd(Decimal("0.00000001")) == "<$0.0001"
    assert shown_usd(Decimal(0)) == "$0.0000"
