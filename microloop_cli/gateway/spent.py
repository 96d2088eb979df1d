"""What the calls of one run have come to: the pure limits with a clock and someone to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from microloop_cli.errors import HostError
from microloop_cli.gateway import reserve
from microloop_cli.gateway.cost import affordable_output, shown_usd
from microloop_cli.gateway.listener import Listener
from microloop_cli.gateway.model import Asked, CallRecord, Meter, Usage
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.spending import NOTHING, Admitted, Refused, RunLimits, Spending

NO_ANSWER = 0


@dataclass(slots=True)
class Call:
    """A model call that was let through. bound_usd: what the budgets hold for it, when that is not its worst
    case. cap_output_tokens: what is left pays for no longer an answer.
    """

    number: int
    asked: Asked
    began: float
    cap_output_tokens: int | None = None
    bound_usd: Decimal | None = None
    first_byte_seconds: float | None = None


class Spent:
    """Admits, follows and charges calls, and tells of each: `asked` when it begins, `answered` once."""

    def __init__(
        self,
        limits: RunLimits,
        prices: Prices,
        monotonic: Callable[[], float],
        listener: Listener,
        purse: Purse | None = None,
    ) -> None:
        self.spending = Spending()
        self._limits = limits
        self._prices = prices
        self._monotonic = monotonic
        self._listener = listener
        self._purse = purse

    async def begin(self, asked: Asked) -> Call | Refused:
        """Let a model call through, or not."""
        began = self._monotonic()
        price = self._prices.of(asked.provider, asked.model, mode=asked.mode)
        if price is None:
            said = f"microloop: {self._prices.refusal(asked.provider, asked.model)}"
            return Refused(limit="price", used=self.spending.used_usd, allowed=NOTHING, message=said)
        self.spending, admitted = reserve.begin(
            self._limits,
            self.spending,
            input_tokens=asked.input_estimate_tokens,
            max_output_tokens=asked.max_output_tokens,
            price=price,
        )
        if isinstance(admitted, Refused):
            return admitted
        call = Call(admitted.number, asked, began, admitted.cap_output_tokens)
        if self._purse is not None:
            no = await self._held(self._purse, call, admitted)
            if no is not None:
                return no
        self._listener.asked(call.number, asked)
        return call

    def revise(self, call: Call, asked: Asked) -> None:
        """The request was changed before it is sent."""
        call.asked = asked
        self.spending = reserve.revise(self.spending, call.number, asked.input_estimate_tokens)

    def heard(self, call: Call) -> None:
        """Something of its answer's body is there."""
        if call.first_byte_seconds is None:
            call.first_byte_seconds = round(self._monotonic() - call.began, 6)

    def progress(self, call: Call, reading: Meter) -> Refused | None:
        """Count what has passed; Refused: the stream is to be cut now."""
        self.spending, refused = reserve.progress(
            self._limits, self.spending, call.number, reading.seen_output_tokens(), reading.usage()
        )
        return refused or self._over_budget(call)

    def end(
        self, call: Call, usage: Usage | None, status: int, *, whole: bool = True, cut: bool = False
    ) -> None:
        """Charge a call that was answered, or went out and whose answer nobody heard (status 0), and tell of
        it. An error answer costs nothing. Once it has ended nothing is charged or told again.
        """
        if status != NO_ANSWER and not 200 <= status < 300:
            self.fail(call, status)
            return
        self.spending, charge = reserve.end(self.spending, call.number, usage, whole=whole)
        if charge is None:
            return
        self._settle(call, charge.cost_usd)
        self._tell(call, status, charge.usage, charge.cost_usd, cut=cut)
        self.spending, due = reserve.near(self._limits, self.spending)
        for warning in due:
            self._listener.near(warning)

    def fail(self, call: Call, status: int = NO_ANSWER) -> None:
        """It came to nothing: no answer, or one that is an error. Not charged, not counted, but told."""
        if call.number not in self.spending.running:
            return
        self.spending = reserve.release(self.spending, call.number)
        self._settle(call, None)
        self._tell(call, status, Usage(), NOTHING, cut=False)

    async def _held(self, purse: Purse, call: Call, admitted: Admitted) -> Refused | None:
        """Draws on the budgets; what they leave bounds the call, too. Other calls may begin meanwhile."""
        running = self.spending.running[call.number]
        held: Decimal | Refused | None = None
        try:
            held = await purse.hold(call.number, admitted.held_usd, running.expected_input_usd)
        except HostError as error:  # what cannot be counted is not let through
            held = Refused(limit="unavailable", used=NOTHING, allowed=NOTHING, message=f"microloop: {error}")
        finally:
            if not isinstance(held, Decimal):
                self.spending = reserve.release(self.spending, call.number)
        if isinstance(held, Refused):
            return held
        if held < admitted.held_usd and running.price is not None:
            call.bound_usd = held
            most = affordable_output(running.price, running.input_tokens, held - running.expected_input_usd)
            call.cap_output_tokens = min(most, call.cap_output_tokens or most)
        return None

    def _over_budget(self, call: Call) -> Refused | None:
        running = self.spending.running.get(call.number)
        if running is None or call.bound_usd is None or running.counted_usd <= call.bound_usd:
            return None
        said = (
            f"microloop: the budget left {shown_usd(call.bound_usd)} for this call, and its answer is longer"
        )
        return Refused(limit="budget", used=running.counted_usd, allowed=call.bound_usd, message=said)

    def _settle(self, call: Call, cost_usd: Decimal | None) -> None:
        if self._purse is not None:
            self._purse.settle(call.number, cost_usd)

    def _tell(self, call: Call, status: int, usage: Usage, cost_usd: Decimal | None, *, cut: bool) -> None:
        self._listener.answered(
            CallRecord(
                number=call.number,
                provider=call.asked.provider,
                surface=call.asked.surface,
                model=call.asked.model,
                status=status,
                usage=usage,
                cost_usd=cost_usd,
                seconds=round(self._monotonic() - call.began, 6),
                first_byte_seconds=call.first_byte_seconds,
                cut=cut,
            )
        )
