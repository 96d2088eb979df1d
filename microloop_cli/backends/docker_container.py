"""A running container as a sandbox: its streams and its terminal, waited for, killed, removed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import signal
import struct
import termios
import threading
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from microloop_cli.backends import docker_errors
from microloop_cli.backends.docker_plan import RUN_LABEL
from microloop_cli.backends.docker_stdio import StdioPump, in_daemon_thread
from microloop_cli.backends.processes import Stdio
from microloop_cli.errors import SandboxError

if TYPE_CHECKING:
    import socket

    from docker import APIClient

_SIZE_TRIES = 10
_SIZE_PAUSE_SECONDS = 0.1
_T = TypeVar("_T")


class Begun(NamedTuple):
    """A container that was started, with the stream it was attached to before."""

    api: APIClient
    container: str
    attached: socket.socket


class DockerSandbox:
    """See base.Sandbox. `remarks` says after `wait` what the exit code alone does not (out of memory)."""

    def __init__(self, begun: Begun, stdio: Stdio, *, tty: bool, files: Sequence[Path]) -> None:
        self.remarks: tuple[str, ...] = ()
        self.container = begun.container
        self._api = begun.api
        self._pump = StdioPump(begun.attached, stdio, tty=tty)
        self._stdio = stdio
        self._tty = tty
        self._files = tuple(files)
        self._host_pid: int | None = None
        self._saved_terminal: list[Any] | None = None
        self._end: asyncio.Task[int] | None = None
        self._closed = False
        self._resizing: asyncio.Future[None] | None = None
        self._told = (0, 0)

    @property
    def host_pid(self) -> int | None:
        return self._host_pid

    async def take_over(self) -> None:
        """Pass input and output on, and own the terminal when interactive. Raises SandboxError.

        The guard waits for its configuration: an agent that starts with it finds the terminal's size.
        """
        if self._tty:
            self._take_terminal()
        output = self._pump.start()
        self._end = asyncio.ensure_future(self._until_end(output))
        state = await self._call("look at the container", self._state)
        self._host_pid = int(state.get("Pid") or 0) or None
        self._refuse_mapped_users()
        if self._tty:
            await self._follow_size()

    async def wait(self) -> int:
        if self._end is None:
            raise SandboxError("the container was not started", hint="")
        return await asyncio.shield(self._end)

    async def kill(self) -> None:
        self._pump.drop_what_is_not_read()
        if self._end is not None and not self._end.done() and not self._closed:
            await self._ignoring_gone(lambda: self._api.kill(self.container, signal=signal.SIGKILL))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._give_terminal_back()
        await self._ignoring_gone(self._remove)
        if self._end is not None:
            await asyncio.wait([self._end], timeout=5)
            if self._end.done() and not self._end.cancelled():
                self._end.exception()  # whoever waits has it; nobody may be waiting
        await self._pump.close()
        self._api.close()
        for file in self._files:
            file.unlink(missing_ok=True)

    async def _until_end(self, output: asyncio.Future[None]) -> int:
        from docker.errors import DockerException
        from urllib3.exceptions import HTTPError

        try:
            result = await in_daemon_thread(lambda: self._api.wait(self.container, timeout=None))
        except (DockerException, HTTPError, OSError) as error:
            raise docker_errors.api_failure("the Docker daemon was lost during the run", error) from error
        await output
        self._host_pid = None
        self._give_terminal_back()
        with contextlib.suppress(SandboxError):
            state = await self._call("look at the container", self._state)
            if state.get("OOMKilled"):
                self.remarks = ("the sandbox reached its memory limit and a process in it was killed",)
        return int(result["StatusCode"])

    def _refuse_mapped_users(self) -> None:
        """Where Docker maps user ids (rootless, userns-remap) the workspace's owner is another one inside."""
        try:
            inside, here = (Path(f"/proc/{pid}/uid_map").read_text() for pid in (self._host_pid, "self"))
        except OSError:  # the daemon's processes are not ours to see
            return
        if inside != here:
            raise SandboxError(
                "this Docker daemon maps user ids, so the agent could not write the workspace",
                hint="use --sandbox bwrap, which needs no daemon, or a daemon without user id mapping",
            )

    def _remove(self) -> None:
        """The container, and those that crashed runs left behind more than an hour ago."""
        self._api.remove_container(self.container, force=True, v=True)
        self._api.prune_containers(  # type: ignore[no-untyped-call]
            filters={"label": RUN_LABEL, "until": "1h"}
        )

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._api.inspect_container(self.container)["State"]
        return state

    async def _call(self, what: str, work: Callable[[], _T]) -> _T:
        from docker.errors import DockerException

        try:
            return await asyncio.get_running_loop().run_in_executor(None, work)
        except (DockerException, OSError) as error:
            raise docker_errors.api_failure(f"could not {what}", error) from error

    async def _ignoring_gone(self, work: Callable[[], object]) -> None:
        """For steps that end something: it may have ended by itself, or the daemon be gone."""
        with contextlib.suppress(SandboxError):
            await self._call("end the container", work)

    def _take_terminal(self) -> None:
        """Raw mode: every key, ^C too, goes to the terminal inside."""
        with contextlib.suppress(termios.error):
            self._saved_terminal = termios.tcgetattr(self._stdio.stdin)
            tty.setraw(self._stdio.stdin, termios.TCSANOW)  # what was typed already is the agent's

    def _give_terminal_back(self) -> None:
        if self._saved_terminal is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._stdio.stdin, termios.TCSADRAIN, self._saved_terminal)
            self._saved_terminal = None
            with contextlib.suppress(RuntimeError, ValueError):
                asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)

    async def _follow_size(self) -> None:
        """Tell the terminal's size, return when it is known inside; from then on tell every new one."""
        if self._size() != (0, 0):
            await self._tell_first_size()
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._resize)
        self._resize()  # it may have changed meanwhile

    async def _tell_first_size(self) -> None:
        """Docker makes a terminal of 0 x 0. Busy daemons have refused a size right after the start."""
        for tries_left in reversed(range(_SIZE_TRIES)):
            try:
                return await self._call("set the terminal's size", self._tell_size)
            except SandboxError:
                state = await self._call("look at the container", self._state)
                if not state.get("Running"):
                    return  # whoever waits for it learns why
                if not tries_left:
                    raise
            await asyncio.sleep(_SIZE_PAUSE_SECONDS)

    def _resize(self) -> None:
        """One request at a time: two on their way at once could arrive in the wrong order."""
        if self._resizing is None or self._resizing.done():
            self._resizing = asyncio.ensure_future(self._resize_until_right())

    async def _resize_until_right(self) -> None:
        while self._size() not in ((0, 0), self._told):
            await self._ignoring_gone(self._tell_size)

    def _tell_size(self) -> None:
        self._told = self._size()
        self._api.resize(self.container, *self._told)

    def _size(self) -> tuple[int, int]:
        """Rows and columns of the caller's terminal; zeros when it has none."""
        try:
            packed = fcntl.ioctl(self._stdio.stdin, termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            return 0, 0
        rows, columns, _, _ = struct.unpack("HHHH", packed)
        return rows, columns
