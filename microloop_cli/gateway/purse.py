"""What one run draws from budgets that other runs draw from, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from microloop_cli.gateway.budgets import BudgetBook, OverBudget, Reservation
from microloop_cli.gateway.spending import NOTHING, Refused


class Purse:
    """Holds an amount for each call. `now`: the local date, and seconds since the epoch."""

    def __init__(self, book: BudgetBook, project: str, now: Callable[[], tuple[date, float]]) -> None:
        self._book = book
        self._project = project
        self._now = now
        self._held: dict[int, Reservation] = {}

    def hold(self, number: int, worst_usd: Decimal, least_usd: Decimal) -> Refused | None:
        """Hold the worst case of a call, or as much of it as is left, `least_usd` at least. HostError."""
        day, seconds = self._now()
        held = self._book.reserve(self._project, day, worst_usd, seconds, least_usd=least_usd)
        if isinstance(held, OverBudget):
            return Refused(
                limit="cost",
                used=held.used_usd,
                allowed=held.allowed_usd,
                message=f"microloop: {held.message}",
            )
        self._held[number] = held
        return None

    def settle(self, number: int, actual_usd: Decimal | None) -> None:
        """Charge what the call came to; None: nothing."""
        held = self._held.pop(number, None)
        if held is not None:
            self._book.settle(held, actual_usd or NOTHING)

    def close(self) -> None:
        self._book.close()
