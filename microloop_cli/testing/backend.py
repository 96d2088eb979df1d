"""A backend without the kernel's help: a fake guard speaks the protocol and runs the agent as a child."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import cast

from microloop_cli.backends import enforcement
from microloop_cli.backends.base import BackendName, Probe, Sandbox, SandboxPlan, SandboxRequest
from microloop_cli.backends.host_tree import check_writable
from microloop_cli.backends.none import refuse_doors
from microloop_cli.backends.processes import INHERITED, Stdio
from microloop_cli.backends.programs import STANDARD_PATH, find_program
from microloop_cli.errors import ProtocolError, UsageError
from microloop_cli.guard import wire

_PATIENCE_SECONDS = 10.0
_FAILED = 125
_REFUSED = 126


class FakeBackend:
    """Passes the conformance suite where nothing is contained. It sees the root command only: no steps."""

    name: BackendName = "none"

    def plan(self, request: SandboxRequest) -> SandboxPlan:
        refuse_doors(request)
        if not request.workspace.is_dir():
            raise UsageError(f"the workspace {request.workspace} is not a directory", hint="name a directory")
        check_writable(request.workspace)
        path = os.environ.get("PATH", os.pathsep.join(STANDARD_PATH))
        find_program(request.argv[0], path.split(os.pathsep), request.cwd)
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TERM") if name in os.environ}
        return SandboxPlan(
            backend=self.name,
            launch_spec={
                "argv": list(request.argv),
                "env": own | request.env,
                "cwd": str(request.cwd),
                "nonce": request.nonce,
                "interactive": request.interactive,
                "channel": str(request.channel_dir / "channel.sock"),
            },
            enforcement=enforcement.nothing("a fake contains nothing"),
        )

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        return await self.launch_with(plan, INHERITED)

    async def launch_with(self, plan: SandboxPlan, stdio: Stdio) -> FakeSandbox:
        return FakeSandbox(plan.launch_spec, stdio)

    def probe(self, guard: Path) -> Probe:
        return Probe(
            backend=self.name, usable=True, enforcement=enforcement.nothing("a fake contains nothing")
        )


class FakeSandbox:
    """The fake guard: hello, the root's exec, its verdict, its exit, bye."""

    def __init__(self, spec: dict[str, object], stdio: Stdio) -> None:
        self._spec = spec
        self._stdio = stdio
        self._process: asyncio.subprocess.Process | None = None
        self._messages: asyncio.Queue[wire.SupervisorMessage | None] = asyncio.Queue()
        self._life = asyncio.ensure_future(self._live())

    @property
    def remarks(self) -> tuple[str, ...]:
        return ()

    @property
    def host_pid(self) -> int | None:
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def wait(self) -> int:
        return await asyncio.shield(self._life)

    async def kill(self) -> None:
        if self._process is None:
            self._messages.put_nowait(None)
        else:
            self._send_signal(signal.SIGKILL)

    async def close(self) -> None:
        await self.kill()
        await asyncio.wait([self._life])

    async def _live(self) -> int:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._spec["channel"]))
        except OSError:
            return _FAILED
        listening = asyncio.ensure_future(self._listen(reader))
        try:
            return await self._play(writer)
        finally:
            listening.cancel()
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        decoder: wire.Decoder[wire.SupervisorMessage] = wire.Decoder("supervisor")
        with contextlib.suppress(ProtocolError):
            while data := await reader.read(1 << 16):
                for message in decoder.feed(data):
                    if isinstance(message, wire.Signal):
                        self._send_signal(message.signal)
                    else:
                        self._messages.put_nowait(message)
        self._messages.put_nowait(None)
        self._send_signal(signal.SIGKILL)

    async def _play(self, writer: asyncio.StreamWriter) -> int:
        argv = tuple(cast("list[str]", self._spec["argv"]))
        nonce = str(self._spec["nonce"])
        writer.write(wire.encode(wire.Hello(guard_pid=os.getpid(), nonce=nonce, guard_version="fake")))
        if not isinstance(await self._next(), wire.Config):
            return _FAILED
        writer.write(wire.encode(_root_exec(argv, str(self._spec["cwd"]))))
        verdict = await self._next()
        if not isinstance(verdict, wire.ExecVerdict):
            return _FAILED
        if not verdict.allow:
            os.write(self._stdio.stderr, verdict.message.encode())
            return await self._say_goodbye(writer, _REFUSED)
        self._process = await asyncio.create_subprocess_exec(
            *argv,
            env=cast("dict[str, str]", self._spec["env"]),
            cwd=str(self._spec["cwd"]),
            stdin=self._stdio.stdin,
            stdout=self._stdio.stdout,
            stderr=self._stdio.stderr,
            start_new_session=not self._spec["interactive"],
        )
        return await self._say_goodbye(writer, await self._process.wait())

    async def _say_goodbye(self, writer: asyncio.StreamWriter, code: int) -> int:
        end = wire.AgentExit(exit_code=code) if code >= 0 else wire.AgentExit(signal=-code)
        writer.write(wire.encode(end))
        await self._next()
        self._send_signal(signal.SIGKILL)
        return code if code >= 0 else 128 - code

    async def _next(self) -> wire.SupervisorMessage | None:
        """The next message; None when the supervisor is gone or takes too long."""
        with contextlib.suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(self._messages.get(), _PATIENCE_SECONDS)
        return None

    def _send_signal(self, number: int) -> None:
        """To the agent's whole session; what left it is not found, as nothing is contained."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._spec["interactive"]:  # it shares our own session
                os.kill(self._process.pid, number)
            else:
                os.killpg(self._process.pid, number)


def _root_exec(argv: tuple[str, ...], cwd: str) -> wire.Exec:
    return wire.Exec(
        exec_id=1,
        pid=2,
        ppid=1,
        lineage="root",
        fds=("other", "other", "other"),
        awaiting=True,
        argv_bytes=sum(len(word) + 1 for word in argv),
        exe=argv[0],
        cwd=cwd,
        argv=argv,
    )
