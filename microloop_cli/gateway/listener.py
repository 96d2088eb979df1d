"""Who is told of what passes the gateway: a run's inbox, or someone at a terminal. Pure."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from microloop_cli.gateway.model import Asked, CallRecord
from microloop_cli.gateway.spending import NearLimit, Refused
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult


class Note(msgspec.Struct, frozen=True):
    """What becomes of a tool's result on its way to the model: `text` is added to it, or stands for it."""

    how: Literal["append", "replace"]
    text: str


class Listener(Protocol):
    """Told at once, in the order of things, on the event loop of the gateway. Nothing here waits."""

    def asked(self, number: int, asked: Asked) -> None:
        """A model call is let through; number counts from 1."""

    def answered(self, record: CallRecord) -> None:
        """It ended; also when the upstream answered with an error (status) or not at all (status 0)."""

    def refused(self, refused: Refused) -> None:
        """A request was answered by the gateway itself, or a stream was cut."""

    def near(self, near: NearLimit) -> None:
        """A limit is nearly used up; told once a limit."""

    def tool_called(self, number: int, call: ToolCall) -> None:
        """The answer to call `number` asks for a tool; told once a call id."""

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        """A tool's result is on its way to the model, in call `number`; asked once a call id. The note is put
        into this and every later request that holds the result."""
