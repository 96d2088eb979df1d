"""What the calls of one run have come to: the pure limits with a clock and someone to tell."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from microloop_cli.gateway import reserve
from microloop_cli.gateway.model import Asked, CallRecord, Meter, Usage
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.spending import NOTHING, Admitted, NearLimit, Refused, RunLimits, Spending


class Spent:
    """Admits, follows and charges calls. A request that names no model call is not counted."""

    def __init__(
        self,
        limits: RunLimits,
        prices: Prices,
        monotonic: Callable[[], float],
        *,
        on_call: Callable[[CallRecord], None],
        on_near: Callable[[NearLimit], None],
        purse: Purse | None = None,
    ) -> None:
        self.spending = Spending()
        self._limits = limits
        self._prices = prices
        self._monotonic = monotonic
        self._on_call = on_call
        self._on_near = on_near
        self._purse = purse
        self._began: dict[int, float] = {}

    def begin(self, asked: Asked) -> Admitted | Refused | None:
        """None: nothing to charge."""
        if asked.surface == "other":
            return None
        price = self._prices.of(asked.provider, asked.model)
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
        self._began[admitted.number] = self._monotonic()
        if self._purse is not None:
            least_usd = self.spending.running[admitted.number].expected_input_usd
            no = self._purse.hold(admitted.number, admitted.held_usd, least_usd)
            if no is not None:
                self.release(admitted)
                return no
        return admitted

    def progress(self, admitted: Admitted | None, reading: Meter) -> Refused | None:
        """Count what has passed; Refused: the stream is to be cut now."""
        if admitted is None:
            return None
        self.spending, refused = reserve.progress(
            self._limits, self.spending, admitted.number, reading.seen_output_tokens(), reading.usage()
        )
        return refused

    def release(self, admitted: Admitted | None) -> None:
        """The call came to nothing."""
        if admitted is not None:
            self._began.pop(admitted.number, None)
            self._settle(admitted.number, None)
            self.spending = reserve.release(self.spending, admitted.number)

    def end(
        self,
        asked: Asked,
        admitted: Admitted | None,
        usage: Usage | None,
        status: int,
        *,
        whole: bool,
        cut: bool,
    ) -> None:
        """Charge a call that was answered, and tell of it. An error answer costs nothing."""
        if admitted is None:
            return
        if not 200 <= status < 300:
            self.release(admitted)
            return
        began = self._began.pop(admitted.number, self._monotonic())
        self.spending, charge = reserve.end(self.spending, admitted.number, usage, whole=whole)
        if charge is None:
            return
        self._settle(admitted.number, charge.cost_usd)
        self._on_call(
            CallRecord(
                number=admitted.number,
                provider=asked.provider,
                surface=asked.surface,
                model=asked.model,
                status=status,
                usage=charge.usage,
                cost_usd=charge.cost_usd,
                seconds=round(self._monotonic() - began, 6),
                cut=cut,
            )
        )
        self.spending, due = reserve.near(self._limits, self.spending)
        for warning in due:
            self._on_near(warning)

    def _settle(self, number: int, cost_usd: Decimal | None) -> None:
        if self._purse is not None:
            self._purse.settle(number, cost_usd)
