"""What all exchanges of one gateway share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from microloop_cli.gateway.listener import Listener
from microloop_cli.gateway.model import Asked, Meter, Provider
from microloop_cli.gateway.placeholders import Placeholders, Unkeyed
from microloop_cli.gateway.spent import Spent
from microloop_cli.gateway.tool_talk import ToolTalk
from microloop_cli.gateway.upstream import Upstream

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Recording(Protocol):
    """Keeps requests and answers: see recording.recorder."""

    def over(
        self,
        meter: Meter,
        asked: Asked,
        *,
        call: int | None,
        method: str,
        target: str,
        status: int,
        kind: str,
    ) -> Meter:
        """The meter of an answer, keeping what it is fed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    upstreams: Mapping[Provider, Upstream]
    listener: Listener
    spent: Spent
    talk: ToolTalk
    session: ClientSession
    placeholders: Placeholders | None
    recorder: Recording | None
    stopped: Callable[[], str]

    def unkeyed(self, provider: Provider) -> Unkeyed:
        """What takes that provider's key out of its answers."""
        instead = "<key>" if self.placeholders is None else self.placeholders.of(provider)
        return Unkeyed(self.upstreams[provider].key, instead)
