"""Requests as facts, numbered from 1 in the order they were decided."""

from __future__ import annotations

from collections.abc import Callable

from microloop_cli.core.traffic import NetworkAsked, NetworkEnded
from microloop_cli.gateway.egress.gate import Admitted
from microloop_cli.gateway.egress.target import Target

OnEvent = Callable[[NetworkAsked | NetworkEnded], None]


class Entry:
    """One request that was decided; an allowed one must be ended, once."""

    def __init__(self, log: Log, n: int) -> None:
        self._log = log
        self._n = n
        self._began = log.monotonic()

    def end(self, sent: int, received: int, *, status: int | None = None, error: str = "") -> None:
        """sent and received: bytes to and from the upstream."""
        self._log.on_event(
            NetworkEnded(
                n=self._n,
                sent_bytes=sent,
                received_bytes=received,
                seconds=max(self._log.monotonic() - self._began, 0.0),
                status=status,
                error=error[:500],
            )
        )


class SilentEntry:
    """Of a request that goes to a door of microloop's own: others tell of it."""

    def end(self, sent: int, received: int, *, status: int | None = None, error: str = "") -> None:
        return


class Log:
    """Tells on_event, which may raise: then the connection that it was about is closed."""

    def __init__(self, on_event: OnEvent, monotonic: Callable[[], float]) -> None:
        self.on_event = on_event
        self.monotonic = monotonic
        self._count = 0

    def asked(self, method: str, target: Target, admitted: Admitted) -> Entry:
        """Tells what was decided."""
        self._count += 1
        decision = admitted.decision
        self.on_event(
            NetworkAsked(
                n=self._count,
                method=method,
                host=target.host,
                port=target.port,
                allowed=decision.allowed,
                rule=decision.rule,
                address=admitted.address,
                reason=decision.reason,
            )
        )
        return Entry(self, self._count)
