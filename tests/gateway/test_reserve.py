"""The limits of a run: what is held, admitted, cut, charged and warned of."""

from __future__ import annotations

from decimal import Decimal

import pytest

from microloop_cli.gateway.model import Price, Usage
from microloop_cli.gateway.reserve import begin, end, near, progress, release
from microloop_cli.gateway.spending import Admitted, Refused, RunLimits, Spending

SONNET = Price(
    input_usd=Decimal(3),
    output_usd=Decimal(15),
    cached_usd=Decimal("0.3"),
    cache_write_usd=Decimal("3.75"),
    above=((200_000, Price(input_usd=Decimal(6), output_usd=Decimal("22.5"), cached_usd=Decimal("0.6"))),),
)
FREE = Price(input_usd=Decimal(0), output_usd=Decimal(0))
HALF_DOLLAR = RunLimits(max_cost_usd=Decimal("0.50"))


def admitted(
    limits: RunLimits, state: Spending, input_tokens: int, output: int | None, price: Price | None = SONNET
) -> tuple[Spending, Admitted]:
    state, answer = begin(limits, state, input_tokens=input_tokens, max_output_tokens=output, price=price)
    assert isinstance(answer, Admitted), answer
    return state, answer


def refusal(
    limits: RunLimits, state: Spending, input_tokens: int, output: int | None, price: Price | None = SONNET
) -> Refused:
    after, answer = begin(limits, state, input_tokens=input_tokens, max_output_tokens=output, price=price)
    assert isinstance(answer, Refused), answer
    assert after is state
    return answer


def test_a_call_is_charged_what_it_used_and_not_what_was_held_for_it() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 10_000, 4_000)
    assert call.covered
    assert call.cap_output_tokens is None
    assert state.held_usd == Decimal("0.0975")
    state, charge = end(state, call.number, Usage(input_tokens=9_000, cached_tokens=8_000, output_tokens=100))
    assert charge is not None
    assert charge.cost_usd == state.cost_usd == Decimal("0.0069")
    assert state.held_usd == state.counted_usd == 0
    assert (state.tokens, state.calls) == (9_100, 1)


def test_an_agent_with_half_a_dollar_may_still_ask_for_64000_tokens() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 10_000, 64_000)
    assert not call.covered
    assert call.cap_output_tokens == 31_333
    state, _ = end(state, call.number, Usage(input_tokens=10_000, output_tokens=1_000))
    assert state.cost_usd == Decimal("0.045")


def test_who_wants_no_overshoot_has_such_a_call_refused_with_the_reason() -> None:
    strict = RunLimits(max_cost_usd=Decimal("0.50"), tight="refuse")
    told = refusal(strict, Spending(), 10_000, 64_000)
    assert told.limit == "cost_usd"
    assert "the next may cost $0.9975" in told.message
    assert admitted(strict, Spending(), 10_000, 4_000)[1].covered


def test_parallel_calls_hold_their_worst_cases_until_they_end() -> None:
    strict = RunLimits(max_cost_usd=Decimal("0.50"), tight="refuse")
    state, first = admitted(strict, Spending(), 10_000, 20_000)
    assert "$0.3375 held for running calls" in refusal(strict, state, 10_000, 20_000).message
    state, _ = end(state, first.number, Usage(input_tokens=10_000, output_tokens=10))
    admitted(strict, state, 10_000, 20_000)


def test_ten_parallel_calls_are_not_refused_for_what_they_will_not_use() -> None:
    state = Spending()
    for _ in range(10):
        state, _ = admitted(HALF_DOLLAR, state, 1_000, 64_000)
    assert state.calls == 10


def test_a_stream_that_crosses_the_limit_is_cut_and_nothing_begins_after_it() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 10_000, 64_000)
    state, cut = progress(HALF_DOLLAR, state, call.number, 31_333)
    assert cut is None
    state, cut = progress(HALF_DOLLAR, state, call.number, 31_400)
    assert cut is not None
    assert cut.message == "microloop: this run's cost limit of $0.5000 (--max-cost) is reached: $0.5010 used"
    state, _ = end(state, call.number, Usage(input_tokens=10_000, output_tokens=1), whole=False)
    assert state.cost_usd == Decimal("0.501")
    assert refusal(HALF_DOLLAR, state, 1, 1).limit == "cost_usd"


def test_the_limit_of_tokens_says_whose_it_is_and_what_is_left() -> None:
    limits = RunLimits(max_tokens=10_000)
    state, call = admitted(limits, Spending(), 6_000, None, None)
    assert call.cap_output_tokens == 4_000
    state, _ = end(state, call.number, Usage(input_tokens=6_000, output_tokens=1_000))
    told = refusal(limits, state, 4_000, None, None)
    assert told.limit == "tokens"
    assert [told.used, told.allowed] == [7_000, 10_000]
    assert "--max-tokens" in told.message


def test_the_limit_of_calls_is_exact_even_while_calls_run() -> None:
    limits = RunLimits(max_calls=2)
    state, one = admitted(limits, Spending(), 1, 1)
    state, _ = admitted(limits, state, 1, 1)
    assert refusal(limits, state, 1, 1).limit == "model_calls"
    assert isinstance(
        begin(limits, release(state, one.number), input_tokens=1, max_output_tokens=1, price=None)[1],
        Admitted,
    )


def test_a_cost_limit_allows_no_model_without_a_price_but_a_free_one_always() -> None:
    nothing = RunLimits(max_cost_usd=Decimal(0))
    assert refusal(nothing, Spending(), 10, 10, None).limit == "price"
    assert refusal(nothing, Spending(), 10, 10).limit == "cost_usd"
    state, call = admitted(nothing, Spending(), 10**6, None, FREE)
    assert call.covered
    assert progress(nothing, state, call.number, 10**9)[1] is None


def test_without_limits_everything_is_counted_and_nothing_refused() -> None:
    state, call = admitted(RunLimits(), Spending(), 10**9, None, None)
    state, charge = end(state, call.number, Usage(input_tokens=7, output_tokens=8))
    assert charge is not None
    assert charge.cost_usd is None
    assert (state.tokens, state.unpriced_calls) == (15, 1)


def test_caches_that_were_used_are_expected_again_so_that_money_is_not_left_over() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 120_000, 1_000)
    told = Usage(input_tokens=100_000, cached_tokens=99_000, output_tokens=100)
    state, _ = end(state, call.number, told)
    for _ in range(5):  # at full price the input alone would be refused at once
        state, call = admitted(HALF_DOLLAR, state, 160_000, 1_000)
        state, _ = end(state, call.number, told)
    assert state.cost_usd < Decimal("0.3")


def test_usage_that_a_stream_tells_early_replaces_the_estimate() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 100_000, 64_000)
    assert state.counted_usd == Decimal("0.3")
    early = Usage(input_tokens=80_000, cached_tokens=80_000, output_tokens=1)
    state, cut = progress(HALF_DOLLAR, state, call.number, 1, early)
    assert state.counted_usd == Decimal("0.024015")
    state, cut = progress(HALF_DOLLAR, state, call.number, 1_000)
    assert (cut, state.counted_usd) == (None, Decimal("0.039"))


def test_a_call_that_tells_no_usage_is_charged_what_was_expected_and_seen() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 1_000, 64_000)
    state, _ = progress(HALF_DOLLAR, state, call.number, 500)
    state, charge = end(state, call.number, None)
    assert charge is not None
    assert charge.usage == Usage(input_tokens=1_000, output_tokens=500, estimated=True)


def test_a_call_is_never_charged_twice_and_a_released_one_not_at_all() -> None:
    state, call = admitted(HALF_DOLLAR, Spending(), 1_000, 1_000)
    state, _ = end(state, call.number, Usage(input_tokens=1_000))
    assert end(state, call.number, Usage(input_tokens=1_000)) == (state, None)
    assert progress(HALF_DOLLAR, state, call.number, 5)[0] is state
    state, again = admitted(HALF_DOLLAR, state, 1_000, 1_000)
    state = release(release(state, again.number), again.number)
    assert state.calls == 1
    assert state.held_usd == state.counted_usd == 0


def test_each_limit_warns_once_at_four_fifths() -> None:
    limits = RunLimits(max_cost_usd=Decimal("0.50"), max_calls=10)
    state, call = admitted(limits, Spending(), 10_000, 64_000)
    state, _ = progress(limits, state, call.number, 24_000)
    assert near(limits, state) == (state, ())
    state, _ = progress(limits, state, call.number, 25_000)
    state, due = near(limits, state)
    assert [(warning.limit, warning.used) for warning in due] == [("cost_usd", Decimal("0.405"))]
    assert near(limits, state) == (state, ())


@pytest.mark.parametrize("count", [-1, -(10**30), 10**30])
def test_impossible_counts_never_raise_or_give_money_back(count: int) -> None:
    nonsense = Usage(
        input_tokens=count,
        cached_tokens=count,
        output_tokens=count,
        reasoning_tokens=count,
        cache_write_tokens=count,
    )
    state, call = admitted(RunLimits(), Spending(), count, count)
    state, _ = progress(RunLimits(), state, call.number, count, nonsense)
    state, charge = end(state, call.number, nonsense)
    assert state.cost_usd >= 0
    assert state.tokens >= 0
    assert charge is not None
