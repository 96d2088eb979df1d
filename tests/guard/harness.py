"""A small synchronous supervisor that runs the real guard, answers it by a script and records all it says."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

from microloop_cli.core.actions import ExecKind
from microloop_cli.errors import ProtocolError
from microloop_cli.guard import wire
from microloop_cli.guard.facts import EndedStep, StepOutputs

Decide = Callable[[wire.Exec], "wire.ExecVerdict | None"]
Release = Callable[[EndedStep], "str | None"]
M = TypeVar("M")

CONFIG = wire.Config(verdict_timeout_ms=20_000, release_timeout_ms=20_000)
PATIENCE_SECONDS = 60.0
Std = int | IO[bytes] | None


class Decider:
    """The usual answers: the root is the agent, its children are steps numbered from 1, the rest follows.

    deny: execs to refuse, with `message`. hold: hold the ends of all steps. silent: execs not answered.
    """

    def __init__(
        self,
        *,
        deny: Callable[[wire.Exec], bool] = lambda _exec: False,
        message: str = "microloop: refused by the test",
        hold: bool = False,
        silent: Callable[[wire.Exec], bool] = lambda _exec: False,
        agents: Sequence[str] = (),
    ) -> None:
        self._deny, self._message, self._hold, self._silent = deny, message, hold, silent
        self._agents = agents
        self.steps = 0

    def __call__(self, e: wire.Exec) -> wire.ExecVerdict | None:
        if self._silent(e):
            return None
        allow = not self._deny(e)
        message = "" if allow else self._message
        if e.lineage in ("root", "agent_self") or Path(e.exe).name in self._agents:
            return wire.ExecVerdict(exec_id=e.exec_id, allow=allow, kind="agent", message=message)
        if e.lineage in ("nested", "housekeeping"):
            kind: ExecKind = "nested" if e.lineage == "nested" else "housekeeping"
            return wire.ExecVerdict(exec_id=e.exec_id, allow=allow, kind=kind, step=e.step, message=message)
        self.steps += 1
        return wire.ExecVerdict(
            exec_id=e.exec_id, allow=allow, kind="step", step=self.steps, hold_end=self._hold, message=message
        )


class Launcher:
    """How the guard is started: `plain`, a child of the test; `bwrap`, PID 1 of a sandbox without rights."""

    def __init__(self, name: str, guard: Path, writable: Path) -> None:
        self.name, self.guard, self.writable = name, guard, writable

    def channel_inside(self, channel: Path) -> Path:
        return channel if self.name == "plain" else Path("/run/microloop/channel.sock")

    def argv(self, channel: Path, command: Sequence[str], options: Sequence[str] = ()) -> list[str]:
        inside = str(self.channel_inside(channel))
        guarded = ["--channel", inside, *options, "--", *command]
        if self.name == "plain":
            return [str(self.guard), *guarded]
        here = str(self.writable)
        sandbox = [
            "bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL",
            "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run",
            "--bind", here, here, "--chdir", here,
            "--ro-bind", str(self.guard), "/run/microloop/guard", "--bind", str(channel), inside,
        ]  # fmt: skip
        return [*sandbox, "--", "/run/microloop/guard", *guarded]


class Session:
    """One run of the guard: a context manager; `wait` gives the exit code, then look at what is recorded."""

    CHANNEL = "{the channel's path}"  # a word of the command that stands for it

    def __init__(
        self,
        launcher: Launcher,
        command: Sequence[str],
        *,
        decide: Decide | None = None,
        release: Release = lambda _step: "",
        config: wire.Config | None = CONFIG,
        stdin: Std = subprocess.DEVNULL,
        stdout: Std = subprocess.PIPE,
        stderr: Std = subprocess.PIPE,
        env: Mapping[str, str] | None = None,
        answer_bye: bool = True,
        nonce: str | None = None,
        new_session: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        self._decide = decide or Decider()
        self._release = release
        self._config = config
        self._answer_bye = answer_bye
        self._nonce = secrets.token_hex(8)
        self._room = tempfile.TemporaryDirectory(prefix="guard-", dir="/tmp")
        self.channel = Path(self._room.name) / "channel.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.channel))
        self.channel.chmod(0o666)
        self._listener.listen(8)
        self.connection: socket.socket | None = None
        self.messages: list[wire.GuardMessage] = []
        self.ended: dict[int, EndedStep] = {}
        self.trouble: list[str] = []
        self.out, self.err = b"", b""
        self._news = threading.Condition()
        self._outputs = StepOutputs((config or CONFIG).head_bytes, (config or CONFIG).tail_bytes)
        self._streams = (stdin, stdout, stderr)
        inside = str(launcher.channel_inside(self.channel))
        words = [inside if word == self.CHANNEL else word for word in command]
        self._argv = launcher.argv(self.channel, words, options)
        self._cwd = launcher.writable
        self._env = {**(os.environ if env is None else env), "MICROLOOP_NONCE": nonce or self._nonce}
        self._new_session = new_session
        self._thread = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Session:
        stdin, stdout, stderr = self._streams
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self._argv, stdin=stdin, stdout=stdout, stderr=stderr, env=self._env, cwd=self._cwd,
            start_new_session=self._new_session,
        )  # fmt: skip
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self._listener.close()
        self._thread.join(5)
        if self.connection is not None:
            self.connection.close()
        self._room.cleanup()

    def wait(self, timeout_seconds: float = PATIENCE_SECONDS, data: bytes | None = None) -> int:
        """Exit code of the guard, after its output was read to the end; `data` goes to its stdin."""
        out, err = self.process.communicate(data, timeout_seconds)
        self.out, self.err = out or b"", err or b""
        self._thread.join(5)
        assert not self.trouble, self.trouble
        return self.process.returncode

    def hang_up(self) -> None:
        """The supervisor is gone: EOF for the guard."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def send(self, *messages: wire.SupervisorMessage) -> None:
        self.send_raw(b"".join(map(wire.encode, messages)))

    def send_raw(self, data: bytes) -> None:
        assert self.connection is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.sendall(data)

    def all(self, kind: type[M]) -> list[M]:
        with self._news:
            return [message for message in self.messages if isinstance(message, kind)]

    def one(self, kind: type[M]) -> M:
        (message,) = self.all(kind)
        return message

    def until(self, condition: Callable[[], object], timeout_seconds: float = 10.0) -> None:
        """Wait until a message makes `condition` true."""
        with self._news:
            assert self._news.wait_for(condition, timeout_seconds), (
                f"not in {timeout_seconds} s: {self.messages}"
            )

    def exec_of(self, *argv_start: str) -> wire.Exec:
        """The one exec whose argv begins so (the program by its basename)."""
        found = [e for e in self.all(wire.Exec) if _matches(e, argv_start)]
        assert len(found) == 1, (argv_start, [e.argv for e in self.all(wire.Exec)])
        return found[0]

    def _supervise(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self.channel.unlink()
        self._listener.close()
        self.connection = connection
        decoder = wire.Decoder("guard")
        while True:
            try:
                data = connection.recv(262_144)
            except OSError:
                return
            if not data:
                return
            try:
                self._take_all(decoder.feed(data))
                if decoder.error is not None:
                    raise decoder.error
            except ProtocolError as error:
                self.trouble.append(error.message)
                return

    def _take_all(self, messages: Sequence[wire.GuardMessage]) -> None:
        for message in messages:
            self._take(message)
            with self._news:
                self.messages.append(message)
                self._news.notify_all()

    def _take(self, message: wire.GuardMessage) -> None:
        if isinstance(message, wire.Hello):
            if message.nonce != self._nonce:
                self.trouble.append(f"nonce {message.nonce}")
            if self._config is not None:
                self.send(self._config)
        elif isinstance(message, wire.Exec) and message.awaiting:
            verdict = self._decide(message)
            if verdict is not None:
                self.send(verdict)
        elif isinstance(message, wire.Output):
            self._outputs.add(message)
        elif isinstance(message, wire.StepEnd):
            self._end_step(message)
        elif isinstance(message, (wire.AgentExit, wire.StartFailed)) and self._answer_bye:
            self.send(wire.Bye())

    def _end_step(self, end: wire.StepEnd) -> None:
        self.ended[end.step] = self._outputs.end(end)
        text = self._release(self.ended[end.step]) if end.held else None
        if text is not None:
            self.send(wire.Release(step=end.step, text=text))


def _matches(e: wire.Exec, argv_start: Sequence[str]) -> bool:
    if len(e.argv) < len(argv_start):
        return False
    program, rest = argv_start[0], tuple(argv_start[1:])
    return Path(e.argv[0]).name == program and e.argv[1 : len(argv_start)] == rest
