"""One client of the proxy: its requests one after the other, or its tunnel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.gateway.egress.answers import ESTABLISHED, answer, refusal_phrase
from microloop_cli.gateway.egress.dial import dial, dial_door
from microloop_cli.gateway.egress.exchange import Exchange
from microloop_cli.gateway.egress.gate import Admitted, Unreachable, admit
from microloop_cli.gateway.egress.head import MAX_HEAD, Malformed, check_head
from microloop_cli.gateway.egress.hosts import host_and_port
from microloop_cli.gateway.egress.log import Entry, Log, SilentEntry
from microloop_cli.gateway.egress.lookup import Resolve
from microloop_cli.gateway.egress.parent import Parent, dial_parent, tunnel_through
from microloop_cli.gateway.egress.request_head import read_head
from microloop_cli.gateway.egress.rules import Rules
from microloop_cli.gateway.egress.stream import Stream
from microloop_cli.gateway.egress.target import Target, absolute_target, tunnel_target
from microloop_cli.gateway.egress.tunnel import Tunnel

if TYPE_CHECKING:
    import h11

_ENDED = "the run ended"
_CLIENT_GONE = "the client broke the connection off"
_HERE = ("127.0.0.1", "localhost")


class Times(msgspec.Struct, frozen=True):
    """Seconds: until a request's first byte, from there to the end of its head, and how long an upstream may
    be silent."""

    idle: float = 60.0
    head: float = 30.0
    quiet: float = 120.0


class Way(msgspec.Struct, frozen=True):
    """What the connections of one proxy share. connected: told of every connection to an upstream. doors:
    ports of the sandbox's loopback that microloop itself serves, to its sockets: see EgressProxy.
    """

    rules: Rules
    log: Log
    resolve: Resolve
    parent: Parent | None
    connected: Callable[[Stream], None]
    times: Times
    doors: Mapping[int, str] = {}


class Connection:
    """Owns the client's stream and closes it."""

    def __init__(self, way: Way, client: Stream) -> None:
        self._way = way
        self._client = client
        self._with_body = True

    async def serve(self) -> None:
        """Until the client or an error ends it. Raises what the listener raises."""
        try:
            while await self._request():
                self._with_body = True
        except Malformed as error:
            await self._failed(error)
        except ConnectionError:
            pass  # the client is gone
        finally:
            self._client.abort()

    async def _request(self) -> bool:
        """One request; True when another may follow."""
        import h11

        times = self._way.times
        head = await read_head(self._client, self._way.log.monotonic, times.idle, times.head)
        if head is None:
            return False
        check_head(head)
        asked = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        asked.receive_data(head)
        try:
            request = asked.next_event()
        except h11.RemoteProtocolError as error:
            raise Malformed(str(error)) from None
        assert isinstance(request, h11.Request)
        self._with_body = request.method != b"HEAD"
        if request.method == b"CONNECT":
            await self._tunnel(request)
            return False
        return await self._forward(asked, request)

    async def _tunnel(self, request: h11.Request) -> None:
        framing = dict(request.headers)  # each of them is there once, see check_head
        if b"transfer-encoding" in framing or framing.get(b"content-length", b"").strip(b"0"):
            raise Malformed("a CONNECT has no body")
        target = tunnel_target(request.target.decode("ascii"))
        opened = await self._open("CONNECT", target)
        if opened is None:
            return
        entry, upstream = opened
        tunnel: Tunnel | None = None
        error = _ENDED
        try:
            await self._client.write(ESTABLISHED)
            tunnel = Tunnel(self._client, upstream)
            await tunnel.run()
            error = tunnel.error
        except ConnectionError:
            error = _CLIENT_GONE
        finally:
            upstream.abort()
            entry.end(tunnel.sent_bytes if tunnel else 0, tunnel.received_bytes if tunnel else 0, error=error)

    async def _forward(self, asked: h11.Connection, request: h11.Request) -> bool:
        method = request.method.decode("ascii")
        target = absolute_target(request.target.decode("ascii"), method)
        opened = await self._open(method, target)
        if opened is None:
            return False
        entry, upstream = opened
        exchange = Exchange(self._client, asked, upstream, self._way.times.quiet)
        failure: Unreachable | Malformed | None = None
        error, again = _ENDED, False
        try:
            again = await exchange.run(request, target, *self._asked_of_upstream(target))
            error = ""
        except (Unreachable, Malformed) as broken:
            failure, error = broken, broken.reason
        except ConnectionError:
            error = _CLIENT_GONE
            raise
        finally:
            upstream.abort()
            status = exchange.status or (failure.status if failure else None)
            entry.end(upstream.sent_bytes, upstream.received_bytes, status=status, error=error)
        if failure is not None and exchange.started:
            self._client.reset()
        elif failure is not None:
            await self._failed(failure)
        elif again:
            self._client.unread(asked.trailing_data[0])
        else:
            await self._client.finish(self._way.log.monotonic)
        return again

    def _asked_of_upstream(self, target: Target) -> tuple[str, list[tuple[bytes, bytes]]]:
        """The request's target, and headers that a parent proxy wants."""
        parent = self._way.parent
        if parent is None:
            return target.path, []
        path = "" if target.path == "*" else target.path
        return f"http://{host_and_port(target.host, target.port)}{path}", parent.headers

    async def _open(self, method: str, target: Target) -> tuple[Entry | SilentEntry, Stream] | None:
        """A connection to the upstream of an allowed request; None when the client has its answer."""
        way = self._way
        door = way.doors.get(target.port) if target.host in _HERE else None
        if door is not None:
            return SilentEntry(), await dial_door(door, way.connected)
        admitted = await admit(way.rules, None if way.parent else way.resolve, method, target)
        entry = way.log.asked(method, target, admitted)
        if not admitted.decision.allowed:
            await self._last(
                answer(403, admitted.decision.reason, phrase=refusal_phrase(target), body=self._with_body)
            )
            return None
        try:
            return entry, await self._dialled(method, target, admitted)
        except Unreachable as failure:
            entry.end(0, 0, status=failure.status, error=failure.reason)
            await self._failed(failure)
            return None
        except asyncio.CancelledError:
            entry.end(0, 0, error=_ENDED)
            raise

    async def _dialled(self, method: str, target: Target, admitted: Admitted) -> Stream:
        way = self._way
        if admitted.failure is not None:
            raise admitted.failure
        if way.parent is None:
            return await dial(admitted.addresses, target.port, way.connected)
        stream = await dial_parent(way.parent, way.resolve, way.connected)
        if method == "CONNECT":
            await tunnel_through(way.parent, stream, target)
        return stream

    async def _failed(self, failure: Malformed | Unreachable) -> None:
        text = f"microloop: network: {failure.reason}"
        await self._last(answer(failure.status, text, body=self._with_body))

    async def _last(self, answered: bytes) -> None:
        """The proxy's own answer, after which the connection ends."""
        try:
            await self._client.write(answered)
            await self._client.finish(self._way.log.monotonic)
        except ConnectionError:
            return
