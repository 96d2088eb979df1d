"""A sandbox that is a child process of ours (bwrap, none): started, waited for, killed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from microloop_cli.errors import SandboxError

_KILL_ROUNDS = 50
_KILL_PAUSE_SECONDS = 0.02
_MONITOR_SECONDS = 2.0
# What a terminal sends its foreground group. bwrap must not die of it before the agent has answered.
_FROM_TERMINAL = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
)  # fmt: skip


class Stdio(msgspec.Struct, frozen=True):
    """File descriptors the agent gets as its own."""

    stdin: int
    stdout: int
    stderr: int


INHERITED = Stdio(0, 1, 2)


class ProcessSandbox:
    """See base.Sandbox. With a monitor (bwrap) the top process is its only child, PID 1 of the namespace."""

    def __init__(self, process: asyncio.subprocess.Process, files: Sequence[Path], has_monitor: bool) -> None:
        self._process = process
        self._files = tuple(files)
        self._has_monitor = has_monitor

    @property
    def remarks(self) -> tuple[str, ...]:
        return ()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def host_pid(self) -> int | None:
        if self.ended:
            return None
        return child_of(self.pid) if self._has_monitor else self.pid

    async def wait(self) -> int:
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    async def kill(self) -> None:
        if self.ended:
            return
        if self._has_monitor:
            await self._kill_namespace()
        else:
            await self._kill_descendants()

    async def close(self) -> None:
        await self.kill()
        await self._process.wait()
        for file in self._files:
            file.unlink(missing_ok=True)

    async def _kill_namespace(self) -> None:
        """PID 1 first: the monitor then ends by itself once the kernel has emptied the namespace."""
        top = child_of(self.pid)
        if top is not None:
            _send_kill(top)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._process.wait()), _MONITOR_SECONDS)
        if not self.ended:
            _send_kill(self.pid)

    async def _kill_descendants(self) -> None:
        """No namespace to end: kill all below the guard, which adopts orphans, until none is left."""
        for _ in range(_KILL_ROUNDS):
            below = descendants_of(self.pid)
            if not below or self.ended:
                break
            for pid in below:
                _send_kill(pid)
            await asyncio.sleep(_KILL_PAUSE_SECONDS)
        if not self.ended:
            _send_kill(self.pid)


async def start(
    argv: Sequence[str],
    environment: dict[str, str],
    stdio: Stdio,
    *,
    own_session: bool,
    files: Sequence[Path] = (),
    has_monitor: bool,
    cwd: Path | None = None,
) -> ProcessSandbox:
    """Start argv[0] with exactly `environment`; raises SandboxError.

    own_session: away from the terminal's foreground group, so that ^C reaches microloop only, which ends the
    agent in order. An interactive agent stays in the group and gets the terminal's signals itself; they are
    blocked in the monitor and in the guard, which unblocks them for the agent.
    """
    blocked = () if own_session else _FROM_TERMINAL
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=environment,
            stdin=_or_null(stdio.stdin),
            stdout=_or_null(stdio.stdout),
            stderr=_or_null(stdio.stderr),
            start_new_session=own_session,
            cwd=cwd,
        )
    except OSError as error:
        too_long = error.errno == errno.E2BIG
        raise SandboxError(
            f"{argv[0]} could not be started: {error.strerror}",
            hint="hand the agent its task in a file"
            if too_long
            else "`microloop doctor` shows what is missing",
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return ProcessSandbox(process, files, has_monitor)


def _or_null(fd: int) -> int:
    """Who started us may have closed a standard descriptor; the agent then gets an empty one."""
    try:
        os.fstat(fd)
    except OSError:
        return asyncio.subprocess.DEVNULL
    return fd


def child_of(pid: int) -> int | None:
    """The oldest child of a process, None when there is none (yet)."""
    children = _children(pid)
    return children[0] if children else None


def descendants_of(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        children = _children(todo.pop())
        found += children
        todo += children
    return found


def command_name(pid: int) -> str:
    """The kernel's name of a process: the executed file's basename; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    except OSError:
        return found or _children_by_psutil(pid)
    return found


def _children_by_psutil(pid: int) -> list[int]:
    """For kernels without CONFIG_PROC_CHILDREN."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _send_kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
