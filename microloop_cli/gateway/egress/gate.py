"""What is decided of a request: first by the policy's rules, then by the addresses that its host has."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address

import msgspec

from microloop_cli.gateway.egress.addresses import refusal
from microloop_cli.gateway.egress.hosts import Address, address_of, host_and_port
from microloop_cli.gateway.egress.lookup import Resolve
from microloop_cli.gateway.egress.own_addresses import is_own
from microloop_cli.gateway.egress.rules import Decision, Rules, decide, denied_address
from microloop_cli.gateway.egress.target import Target

LOOKUP_SECONDS = 10.0
_MAX_ADDRESSES = 16


class Unreachable(Exception):
    """An allowed host cannot be reached; `status` (502, 504) and the text are the answer."""

    def __init__(self, reason: str, status: int = 502) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Admitted(msgspec.Struct, frozen=True):
    """addresses: checked; only to these may be connected. failure: why an allowed host has none."""

    decision: Decision
    addresses: tuple[str, ...] = ()
    address: str = ""
    failure: Unreachable | None = None


async def admit(rules: Rules, resolve: Resolve | None, method: str, target: Target) -> Admitted:
    """The decision about one request. resolve None: another proxy looks names up, so they are not checked."""
    decision = decide(rules, method, target.host, target.port)
    if not decision.allowed:
        return Admitted(decision)
    literal = address_of(target.host)
    if literal is None and resolve is None:
        return Admitted(decision)
    try:
        found = [literal] if literal or resolve is None else await _looked_up(resolve, target)
    except Unreachable as failure:
        return Admitted(decision, failure=failure)
    return _checked(rules, decision, method, target, [address for address in found if address])


def _checked(rules: Rules, decision: Decision, method: str, target: Target, found: list[Address]) -> Admitted:
    """Keeps the addresses that may be connected to; refused when none is left."""
    refused: list[Admitted] = []
    good: list[str] = []
    for address in found[:_MAX_ADDRESSES]:
        denied = denied_address(rules, method, address, target.port)
        kind = refusal(address, rules.private) or _own(address, rules)
        if denied is not None:
            refused.append(Admitted(denied, address=str(address)))
        elif kind:
            decided = Decision(False, decision.rule, _not_public(target, address, kind))
            refused.append(Admitted(decided, address=str(address)))
        else:
            good.append(str(address))
    if good:
        return Admitted(decision, tuple(good), good[0])
    return refused[0]


def _own(address: Address, rules: Rules) -> str:
    named = any(address in network for network in rules.private)
    return "" if named or not is_own(address) else "an address of this host"


def _not_public(target: Target, address: Address, kind: str) -> str:
    where = host_and_port(target.host, target.port)
    what = f"it is {kind}" if target.host == str(address) else f"it resolves to {address}, {kind}"
    return (
        f"microloop: network: {where} is not allowed: {what}; "
        f"if it may be reached, name {address} under network.private"
    )


async def _looked_up(resolve: Resolve, target: Target) -> list[Address]:
    """Addresses, at least one. Raises Unreachable."""
    try:
        texts = await asyncio.wait_for(resolve(target.host, target.port), LOOKUP_SECONDS)
    except asyncio.TimeoutError:
        raise Unreachable(
            f"{target.host}: no name server answered within {LOOKUP_SECONDS:.0f} s", 504
        ) from None
    except OSError as error:
        raise Unreachable(f"{target.host}: the name is not known ({error.strerror or error})") from None
    found = [_address(text) for text in texts]
    if not found:
        raise Unreachable(f"{target.host}: the name has no address")
    return found


def _address(text: str) -> Address:
    """Without the zone that a resolver may add; an IPv4 address that is wrapped in IPv6 is unwrapped."""
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
