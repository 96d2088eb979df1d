"""What one run draws from budgets that other runs draw from, too: in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

from microloop_cli.errors import HostError
from microloop_cli.gateway.budgets import BudgetBook, OverBudget, Reservation
from microloop_cli.gateway.spending import NOTHING, Refused


class Purse:
    """Holds an amount for each call. `now`: the local date, and seconds since the epoch.

    trouble: a charge that could not be written; what was held for it stays held until its lease is over.
    """

    def __init__(self, book: BudgetBook, project: str, now: Callable[[], tuple[date, float]]) -> None:
        self._book = book
        self._project = project
        self._now = now
        self._held: dict[int, Reservation] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="microloop-budgets")
        self.trouble: HostError | None = None

    async def hold(self, number: int, worst_usd: Decimal, least_usd: Decimal) -> Decimal | Refused:
        """Hold the worst case of a call, or as much of it as is left, `least_usd` at least: how much is held.

        HostError when the budgets cannot be used. Cancelled, it holds nothing in the end.
        """
        loop, now = asyncio.get_running_loop(), self._now()
        doing = loop.run_in_executor(self._thread, self._hold, number, worst_usd, least_usd, now)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            self.settle(number, None)
            doing.add_done_callback(_heard)
            raise

    def settle(self, number: int, actual_usd: Decimal | None) -> None:
        """Charge what the call came to, soon; None: nothing. In the order of the calls of these methods."""
        self._thread.submit(self._settle, number, actual_usd or NOTHING)

    def close(self) -> None:
        """Waits until all is charged."""
        self._thread.shutdown(wait=True)
        self._book.close()

    def _hold(
        self, number: int, worst_usd: Decimal, least_usd: Decimal, now: tuple[date, float]
    ) -> Decimal | Refused:
        day, seconds = now
        held = self._book.reserve(self._project, day, worst_usd, seconds, least_usd=least_usd)
        if isinstance(held, OverBudget):
            return Refused(limit="budget", used=held.used_usd, allowed=held.allowed_usd, message=held.message)
        self._held[number] = held
        return held.held_usd

    def _settle(self, number: int, actual_usd: Decimal) -> None:
        held = self._held.pop(number, None)
        if held is None:
            return
        try:
            self._book.settle(held, actual_usd)
        except HostError as error:
            self.trouble = error


def _heard(doing: asyncio.Future[Decimal | Refused]) -> None:
    """Whoever waited is gone: an error is told to nobody."""
    if not doing.cancelled():
        doing.exception()
