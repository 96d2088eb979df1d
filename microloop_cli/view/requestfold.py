"""The part of the fold that follows requests at the egress proxy. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from microloop_cli.core.traffic import NetworkAsked, NetworkEnded
from microloop_cli.view.figures import believable
from microloop_cli.view.requests import NetworkTotals, RefusedHost, RequestView

HOSTS_KEPT = 200
_MOST_BYTES = 10**15


class RequestFold:
    """Told of requests in the ledger's order. Each is kept only when the log is wanted (`keep`)."""

    def __init__(self, keep: bool = False) -> None:
        self._keep = keep
        self._requests: dict[int, RequestView] = {}
        self._refused: dict[tuple[str, int], RefusedHost] = {}
        self._omitted: set[tuple[str, int]] = set()
        self._allowed = self._refusals = self._failed = 0
        self._sent = self._received = 0

    def asked(self, at: float, event: NetworkAsked) -> None:
        if event.allowed:
            self._allowed += 1
        else:
            self._refusals += 1
            self._refuse(event)
        if self._keep:
            self._requests[event.n] = RequestView(
                n=event.n,
                at_seconds=at,
                method=event.method,
                host=event.host,
                port=event.port,
                allowed=event.allowed,
                rule=event.rule,
                address=event.address,
                reason=event.reason,
            )

    def ended(self, event: NetworkEnded) -> None:
        sent, received = _bytes(event.sent_bytes), _bytes(event.received_bytes)
        self._sent += sent
        self._received += received
        self._failed += bool(event.error)
        known = self._requests.get(event.n)
        if known is not None:
            self._requests[event.n] = replace(
                known,
                sent_bytes=sent,
                received_bytes=received,
                seconds=believable(event.seconds),
                status=event.status,
                error=event.error,
            )

    def requests(self) -> tuple[RequestView, ...]:
        """In the order of their numbers; none unless they are kept."""
        return tuple(request for _, request in sorted(self._requests.items()))

    def totals(self) -> NetworkTotals:
        return NetworkTotals(
            allowed=self._allowed,
            refused=self._refusals,
            failed=self._failed,
            sent_bytes=self._sent,
            received_bytes=self._received,
            refused_hosts=tuple(self._refused.values()),
            hosts_omitted=len(self._omitted),
        )

    def _refuse(self, event: NetworkAsked) -> None:
        place = (event.host, event.port)
        known = self._refused.get(place)
        if known is not None:
            self._refused[place] = replace(known, count=known.count + 1)
        elif len(self._refused) < HOSTS_KEPT:
            self._refused[place] = RefusedHost(
                host=event.host,
                port=event.port,
                method=event.method,
                count=1,
                rule=event.rule,
                address=event.address,
                reason=event.reason,
            )
        elif len(self._omitted) < 100 * HOSTS_KEPT:
            self._omitted.add(place)


def _bytes(number: int) -> int:
    return min(max(0, number), _MOST_BYTES)
