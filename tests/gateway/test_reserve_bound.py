"""The overshoot bound that reserve.py states, tried with calls that begin, stream and end in any order."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.gateway.cost import cost, dearest_cost
from microloop_cli.gateway.model import Price, Usage
from microloop_cli.gateway.reserve import begin, end, over, progress
from microloop_cli.gateway.spending import Admitted, RunLimits, Spending

SONNET = Price(
    input_usd=Decimal(3),
    output_usd=Decimal(15),
    cached_usd=Decimal("0.3"),
    cache_write_usd=Decimal("3.75"),
    above=((200_000, Price(input_usd=Decimal(6), output_usd=Decimal("22.5"), cached_usd=Decimal("0.6"))),),
)


class Plan(msgspec.Struct, frozen=True):
    estimate: int
    actual: int
    cached: int
    asked: int
    wants: int
    streamed: bool
    chunk: int


plans = st.builds(
    lambda estimate, actual, cached, asked, wants, streamed, chunk: Plan(
        estimate, -(-estimate * actual // 100), estimate * actual * cached // 10_000, asked, wants, streamed, chunk
    ),
    st.integers(1, 250_000), st.integers(50, 100), st.integers(0, 100),
    st.sampled_from([100, 8_000, 64_000]), st.integers(0, 70_000), st.booleans(), st.integers(1, 5_000),
)  # fmt: skip


class Simulation:
    """Calls that begin, stream and end in any order, by a server that keeps to its caps; the bound is kept."""

    def __init__(self, limits: RunLimits) -> None:
        self.limits, self.state = limits, Spending()
        self.open: dict[int, tuple[Plan, int, int]] = {}  # plan, output so far, most output
        self.bound = Decimal(0)

    def start(self, plan: Plan) -> None:
        was_over = over(self.limits, self.state)
        self.state, answer = begin(
            self.limits, self.state, input_tokens=plan.estimate, max_output_tokens=plan.asked, price=SONNET
        )
        if isinstance(answer, Admitted):
            assert was_over is None
            cap = plan.asked if answer.cap_output_tokens is None else answer.cap_output_tokens
            most = plan.asked if plan.streamed else cap
            self.open[answer.number] = (plan, 0, min(most, plan.wants))

    def go_on(self, number: int) -> None:
        plan, seen, most = self.open[number]
        before, slack, was_over = self.state, self.slack(), over(self.limits, self.state) is not None
        if plan.streamed and seen < most:
            seen = min(most, seen + plan.chunk)
            self.open[number] = (plan, seen, most)
            self.state, cut = progress(self.limits, self.state, number, seen)
            if cut is not None:
                self.end(number, seen, whole=False)
        else:
            self.end(number, seen if plan.streamed else most, whole=True)
        assert self.state is not before
        if over(self.limits, self.state) is not None and not was_over:
            self.bound = slack

    def end(self, number: int, output: int, *, whole: bool) -> None:
        plan, _, _ = self.open.pop(number)
        usage = Usage(input_tokens=plan.actual, cached_tokens=plan.cached, output_tokens=output)
        self.state, charge = end(self.state, number, usage, whole=whole)
        assert charge is not None
        assert charge.cost_usd == cost(SONNET, usage)

    def slack(self) -> Decimal:
        """What the calls that run now can add unseen."""
        total = Decimal(0)
        for number, (plan, _, most) in self.open.items():
            unseen = plan.chunk if plan.streamed else most
            total += dearest_cost(SONNET, plan.estimate, unseen)
            total -= self.state.running[number].expected_input_usd
        return total


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(plans, st.integers(0, 7)), max_size=60),
    st.integers(0, 300),
    st.sampled_from(["admit", "refuse"]),
)
def test_no_interleaving_of_calls_ends_over_the_limit_by_more_than_the_bound(
    steps: list[Plan | int], cents: int, tight: str
) -> None:
    limits = RunLimits(max_cost_usd=Decimal(cents) / 100, tight="admit" if tight == "admit" else "refuse")
    run = Simulation(limits)
    for step in steps:
        if isinstance(step, Plan):
            run.start(step)
        elif run.open:
            run.go_on(sorted(run.open)[step % len(run.open)])
    while run.open:
        run.go_on(min(run.open))
    assert limits.max_cost_usd is not None
    assert run.state.cost_usd <= limits.max_cost_usd + (run.bound if tight == "admit" else 0)
    assert run.state.counted_usd == run.state.held_usd == 0
    assert run.state.counted_tokens == run.state.held_tokens == 0
