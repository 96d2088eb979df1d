"""What passed the egress proxy, for a person: requests, the hosts that were refused, their sums."""

from __future__ import annotations

import msgspec


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """One request. seconds, sent_bytes, received_bytes: None while no end is recorded, or it was refused."""

    n: int
    at_seconds: float
    method: str
    host: str
    port: int
    allowed: bool
    rule: str = ""
    address: str = ""
    reason: str = ""
    sent_bytes: int | None = None
    received_bytes: int | None = None
    seconds: float | None = None
    status: int | None = None
    error: str = ""


class RefusedHost(msgspec.Struct, frozen=True, kw_only=True):
    """All refusals of one host and port: how many, and the first one's rule, address and reason."""

    host: str
    port: int
    method: str
    count: int
    rule: str
    address: str
    reason: str


class NetworkTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of a run. refused_hosts: in the order of their first refusal, hosts_omitted: more of them.
    failed: allowed ones that broke off. Bytes are those of requests that ended.
    """

    allowed: int = 0
    refused: int = 0
    failed: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    refused_hosts: tuple[RefusedHost, ...] = ()
    hosts_omitted: int = 0


def reason_told(refused: RefusedHost | RequestView) -> str:
    """Why it was refused, without what stands beside it anyway. Not harmless yet."""
    where = place_of(refused)
    told = refused.reason.removeprefix("microloop: ").removeprefix("network: ")
    told = told.removeprefix(f"{where} is not allowed: ").removeprefix(f"{where} is ")
    return told or "no rule of the policy names it"


def hint_told(refused: RefusedHost | RequestView) -> str:
    """How to allow it, "" where the reason says so already."""
    return "" if "network." in refused.reason else how_to_allow(refused)


def how_to_allow(refused: RefusedHost | RequestView) -> str:
    """What a person can do so that it passes the next time, "" when nothing would help. Not harmless yet.

    An address is looked up only for a host that some rule allows; so one that is known was itself refused.
    """
    if refused.rule and "denied" in refused.reason:
        return f"take {refused.rule} out of network.deny in the policy"
    if refused.address:
        return f"add {refused.address} to network.private in the policy"
    if refused.rule:
        return ""
    host = f"[{refused.host}]" if ":" in refused.host else refused.host
    wanted = host if refused.port in (80, 443) else f"{host}:{refused.port}"
    return f"microloop run --allow {wanted}, or add it to network.allow in the policy"


def place_of(request: RefusedHost | RequestView) -> str:
    """`example.com:443`, `[::1]:80`."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    return f"{host}:{request.port}"
