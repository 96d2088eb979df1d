"""The model gateway of one run, made of its policy: upstreams and keys, prices, limits, budgets."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.core.traffic import ModelRefused
from microloop_cli.gateway.keys import read_keys
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.upstream import Upstream, upstreams_of
from microloop_cli.policy.model import Policy
from microloop_cli.run.clock import Clock
from microloop_cli.run.ways_out import named_upstreams

if TYPE_CHECKING:
    import socket

    from microloop_cli.gateway.listener import Listener
    from microloop_cli.gateway.own_prices import OwnPrice
    from microloop_cli.gateway.purse import Purse
    from microloop_cli.gateway.recording.recorder import Recorder
    from microloop_cli.gateway.recording.tape import Tape
    from microloop_cli.gateway.server import Gateway


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is made of. project: whose budget is drawn from. tape: recorded answers to serve instead
    of asking models; they cost nothing. redact: takes secrets out of a request's body."""

    policy: Policy
    upstreams: Mapping[Provider, Upstream]
    placeholders: Placeholders
    project: Path
    environ: Mapping[str, str]
    clock: Clock
    recorder: Recorder | None = None
    tape: Tape | None = None
    redact: Callable[[bytes], bytes] = bytes

    async def start(
        self,
        listener: Listener,
        on_missing: Callable[[ModelRefused], None],
        sock: socket.socket,
        closing: AsyncExitStack,
        stopped: Callable[[], str] = str,
    ) -> None:
        """Serve on the socket; what is to be closed is put on `closing`. Raises HostError.

        stopped: why no more calls are made, "" as long as they are.
        """
        upstreams = self.upstreams
        if self.tape is not None:
            from microloop_cli.gateway.recording.player import Player

            player = Player(
                self.tape,
                lambda said: on_missing(ModelRefused(limit="replay", message=said[:4000])),
                self.redact,
            )
            closing.push_async_callback(player.close)
            await player.start()
            upstreams = player.upstreams()
        purse = self._purse()
        if purse is not None:
            closing.callback(purse.close)
        gateway = self._gateway(upstreams, listener, purse, stopped)
        closing.push_async_callback(gateway.close)
        await gateway.start(sock)

    def _gateway(
        self,
        upstreams: Mapping[Provider, Upstream],
        listener: Listener,
        purse: Purse | None,
        stopped: Callable[[], str],
    ) -> Gateway:
        from microloop_cli.gateway.prices import Prices
        from microloop_cli.gateway.server import Gateway
        from microloop_cli.gateway.spending import RunLimits

        model, limits = self.policy.model, self.policy.limits
        prices = Prices(
            self.clock.utc_now(),
            own={} if self.tape else self._own_prices(),
            free=["*"] if self.tape else model.free,
            unknown=model.unknown,
            upstreams={name: upstream.url for name, upstream in self.upstreams.items()},
        )
        run_limits = RunLimits(
            max_cost_usd=_decimal(limits.cost_usd),
            max_tokens=limits.tokens,
            max_calls=limits.model_calls,
            warn_at=Decimal(str(limits.warn_at)),
            tight=model.tight,
        )
        return Gateway(
            upstreams,
            prices,
            run_limits,
            self.clock.monotonic,
            listener=listener,
            placeholders=self.placeholders,
            purse=purse,
            recorder=self.recorder,
            stopped=stopped,
        )

    def _own_prices(self) -> dict[str, OwnPrice]:
        from microloop_cli.gateway.own_prices import OwnPrice

        given = ((price.model, msgspec.to_builtins(price)) for price in self.policy.model.prices)
        return {
            name: msgspec.convert({key: value for key, value in price.items() if key != "model"}, OwnPrice)
            for name, price in given
        }

    def _purse(self) -> Purse | None:
        from microloop_cli.gateway.budgets import BudgetBook, Budgets, default_path
        from microloop_cli.gateway.purse import Purse

        given = self.policy.budgets
        budgets = Budgets(
            day_usd=_decimal(given.day_usd),
            project_day_usd=_decimal(given.project_day_usd),
            project_usd=_decimal(given.project_usd),
        )
        if self.tape is not None or budgets == Budgets():
            return None
        book = BudgetBook(default_path(self.environ, _home(self.environ)), budgets)
        return Purse(book, str(self.project), self._now)

    def _now(self) -> tuple[date, float]:
        moment = self.clock.utc_now()
        return moment.astimezone().date(), moment.timestamp()


def model_upstreams(policy: Policy, environ: Mapping[str, str]) -> dict[Provider, Upstream]:
    """Addresses and keys. May run the command that the policy names; PolicyError, HostError, UsageError."""
    return upstreams_of(environ, named_upstreams(policy), read_keys(policy.model.keys, environ))


def _home(environ: Mapping[str, str]) -> Path:
    """The user's; services and containers may have no HOME."""
    given = environ.get("HOME", "")
    if given.startswith("/"):
        return Path(given)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path(os.sep)


def _decimal(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))
