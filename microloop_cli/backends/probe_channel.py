"""A supervisor for probes: lets every command run but a marked one, and notes what the guard reports."""

from __future__ import annotations

from pathlib import Path

from microloop_cli.backends.probe_script import REFUSED
from microloop_cli.errors import MicroloopError
from microloop_cli.guard import wire
from microloop_cli.guard.channel import Channel


class Referee:
    """Answers the guard over one channel; `open` first, then start the sandbox, then `greet`."""

    def __init__(self) -> None:
        self.execs: list[wire.Exec] = []
        self.output = bytearray()
        self.notices: list[str] = []
        self.hello: wire.Hello | None = None
        self.failed: str = ""
        self.exited: wire.AgentExit | None = None
        self._steps = 0
        self._channel: Channel | None = None

    async def open(self, directory: Path, nonce: str) -> None:
        self._channel = await Channel.open(directory, nonce, on_message=self._take, on_lost=self._lost)

    async def greet(self, timeout_seconds: float) -> bool:
        """True when a guard introduced itself in time; else `failed` says why not."""
        if self._channel is None:
            return False
        try:
            self.hello = await self._channel.wait_ready(timeout_seconds)
        except MicroloopError as error:
            self.failed = error.message
            return False
        self._channel.send(wire.Config())
        return True

    def signal(self, number: int) -> None:
        if self._channel is not None:
            self._channel.send(wire.Signal(signal=number))

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _take(self, message: wire.GuardMessage) -> None:
        if isinstance(message, wire.Exec):
            self.execs.append(message)
            if message.awaiting:
                self._answer(message)
        elif isinstance(message, wire.Output):
            self.output += message.data
        elif isinstance(message, wire.StepEnd) and message.held:
            self._send(wire.Release(step=message.step))
        elif isinstance(message, wire.StartFailed):
            self.failed = f"{message.path} could not be started (errno {message.errno})"
            self._send(wire.Bye())
        elif isinstance(message, wire.AgentExit):
            self.exited = message
            self._send(wire.Bye())
        elif isinstance(message, wire.Notice):
            self.notices.append(message.text)
        elif isinstance(message, wire.Fatal):
            self.failed = message.text

    def _answer(self, message: wire.Exec) -> None:
        if message.lineage == "root":
            self._send(wire.ExecVerdict(exec_id=message.exec_id, allow=True, kind="agent"))
            return
        self._steps += 1
        allow = REFUSED not in message.argv
        self._send(
            wire.ExecVerdict(
                exec_id=message.exec_id,
                allow=allow,
                kind="step",
                step=self._steps,
                message="" if allow else "microloop: refused, as the probe asked\n",
            )
        )

    def _send(self, message: wire.SupervisorMessage) -> None:
        if self._channel is not None:
            self._channel.send(message)

    def _lost(self, reason: str) -> None:
        if not self.failed and self.exited is None:
            self.failed = reason
