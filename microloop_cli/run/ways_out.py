"""The two ways out of a sandbox: where they are, inside and outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from microloop_cli.backends.base import BackendName, Door
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.sockets import listen_tcp, listen_unix
from microloop_cli.policy.model import Policy

LOOPBACK = "127.0.0.1"
# Fixed, below the ports the kernel hands out: the sandbox's loopback is its own.
MODEL = Door(21411, "model.sock")
EGRESS = Door(21412, "egress.sock")


class WaysOut(msgspec.Struct, frozen=True, kw_only=True):
    """Base addresses as the agent sees them, "" where there is no such way.

    doors: what the guard relays; empty where the servers listen on the host's own loopback, then `bound` is
    the model gateway's socket, bound already so that its port is known.
    """

    model: str = ""
    egress: str = ""
    doors: tuple[Door, ...] = ()
    bound: Any = None

    def open_in(self, folder: Path) -> dict[str, Any]:
        """The listening sockets by the name of their door; HostError. Before the sandbox is started."""
        if self.bound is not None:
            return {MODEL.name: self.bound}
        return {door.name: listen_unix(folder / door.name) for door in self.doors}

    def model_doors(self, folder: Path) -> dict[int, str]:
        """Where the proxy leads a client that asks it for the model gateway."""
        return {door.port: str(folder / door.name) for door in self.doors if door is MODEL}


def ways_out(policy: Policy, backend: BackendName) -> WaysOut:
    """Where the network is the host's own there is nothing to be let through, but calls are still counted."""
    if backend != "none" and policy.sandbox.network == "none":
        doors = (MODEL, EGRESS) if policy.model.gateway else (EGRESS,)
        model = f"http://{LOOPBACK}:{MODEL.port}" if policy.model.gateway else ""
        return WaysOut(model=model, egress=f"http://{LOOPBACK}:{EGRESS.port}", doors=doors)
    if not policy.model.gateway:
        return WaysOut()
    bound = listen_tcp(LOOPBACK, 0)
    return WaysOut(model=f"http://{LOOPBACK}:{bound.getsockname()[1]}", bound=bound)


def ways_noted(policy: Policy, backend: BackendName) -> Iterator[str]:
    """What a person should know: a run that has the host's network is held to nothing here."""
    if backend != "none" and policy.sandbox.network == "none":
        return
    if policy.model.gateway:
        yield "model calls that do not go through the gateway are not counted: the network is the host's"
    if policy.network.allow or policy.network.deny:
        yield "network.allow and network.deny hold nothing back: the network is the host's"


def named_upstreams(policy: Policy) -> Mapping[Provider, str]:
    """The providers' addresses that the policy names."""
    given: dict[Provider, str | None] = {
        "openai": policy.model.upstreams.openai,
        "anthropic": policy.model.upstreams.anthropic,
        "google": policy.model.upstreams.google,
    }
    return {provider: url for provider, url in given.items() if url is not None}
