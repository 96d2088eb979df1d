"""A run's inbox with a real bundle, and the listener that a gateway would tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.actions import Action, AnyDecision
from microloop_cli.core.evaluation.tool_epochs import ToolEpochs
from microloop_cli.core.events import AnyFact, WorkspaceChanged
from microloop_cli.core.fact import Fact
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.settings import Limits, Settings
from microloop_cli.core.state import initial
from microloop_cli.errors import BundleError, MicroloopError
from microloop_cli.gateway.listener import Listener, Note
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.listening import RunListener
from microloop_cli.run.redacting import FactRedactor
from microloop_cli.run.tools import ToolIntake
from microloop_cli.testing.clock import FakeClock

SECRET = "correct-horse-battery-9"
CAP = 1_000


class Room:
    """A run's inbox with a real bundle and a listener; `epoch` is what the workspace is found in next."""

    def __init__(self, folder: Path, *, inferred: bool = False, limits: Limits | None = None) -> None:
        redactor = Redactor({"PASSPHRASE": SECRET})
        self.writer = BundleWriter(folder, redactor)
        self.folder = folder
        self.full = False
        self.failures: list[MicroloopError] = []
        self.events: list[AnyFact | AnyDecision] = []
        self.epoch: str | None = None
        reader = OutputReader()
        state = initial(Settings(limits=limits or Limits()))
        self.inbox = Inbox(state, self, FakeClock(), lambda actions: None, FactRedactor(redactor))
        tools = ToolIntake(
            self.inbox,
            settled=self.settled,
            reader=lambda: reader,
            redactor=redactor,
            store=self.writer,
            epochs=ToolEpochs() if inferred else None,
            head_bytes=CAP,
            tail_bytes=CAP,
        )
        self.listener: Listener = RunListener(self.inbox, tools, self.failures.append)
        self.calls = 0

    def append(self, at: float, *events: AnyFact | AnyDecision) -> None:
        if self.full:
            raise BundleError("the disk is full")
        self.events += events

    @property
    def decisions(self) -> list[Action]:
        return [event for event in self.events if not isinstance(event, Fact)]

    def settled(self) -> tuple[AnyFact, ...]:
        epoch, self.epoch = self.epoch, None
        return () if epoch is None else (WorkspaceChanged(epoch=epoch, paths=("a",), count=1),)

    def call(self, tool: str, **arguments: Any) -> str:
        self.calls += 1
        call = ToolCall(id=f"call_{self.calls}", name=tool, arguments=json.dumps(arguments))
        self.listener.tool_called(1, call)
        return call.id

    def result(self, call_id: str, text: str = "the same text\n", **more: Any) -> Note | None:
        return self.listener.tool_answered(2, ToolResult(id=call_id, text=text, **more))

    def last(self, kind: type[Any]) -> Any:
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def stored(self, name: str) -> bytes:
        self.writer.close()
        return (self.folder / name).read_bytes()
