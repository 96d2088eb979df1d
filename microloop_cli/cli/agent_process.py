"""An agent that runs as the user's own process: started, and ended kindly, then hard."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from microloop_cli.core.actions import Stop
from microloop_cli.core.events import AgentExited
from microloop_cli.errors import CommandNotExecutable, CommandNotFound

# So long an agent may take to end by itself, once a model call of its own was refused.
HEARD_SECONDS = 2.0
# Why an agent is ended that was told of it by such a refusal just now.
_TOLD = frozenset({"no_progress", "step_limit", "policy_stop"})


class AgentProcess:
    def __init__(self, process: asyncio.subprocess.Process, grace_seconds: float) -> None:
        self._process = process
        self._grace_seconds = grace_seconds

    @classmethod
    async def start(
        cls, argv: tuple[str, ...], environment: Mapping[str, str], grace_seconds: float
    ) -> AgentProcess:
        """On the terminal and in the folder that microloop has. CommandNotFound, CommandNotExecutable."""
        program = program_of(argv[0])
        try:
            process = await asyncio.create_subprocess_exec(*argv, executable=program, env=environment)
        except OSError as error:
            said = f"{argv[0]}: cannot be executed: {error.strerror}"
            raise CommandNotExecutable(said, hint="is it a program for this machine?") from None
        return cls(process, grace_seconds)

    async def exited(
        self, stopping: asyncio.Event, stop: Callable[[], Stop | None], hurry: asyncio.Event
    ) -> AgentExited:
        """How it ended: by itself, or once `stopping` is set, for the reason that `stop` gives then. hurry:
        set when the user asks twice."""
        waiting: asyncio.Future[Any] = asyncio.ensure_future(self._process.wait())
        asked: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
        hurried: asyncio.Future[Any] = asyncio.ensure_future(hurry.wait())
        await asyncio.wait([waiting, asked], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            why = stop()
            if why is not None and why.outcome in _TOLD:
                await _any_of(waiting, hurried, HEARD_SECONDS)
            await self._end(waiting, hurried)
        code: int = await waiting
        asked.cancel()
        hurried.cancel()
        return AgentExited(exit_code=code) if code >= 0 else AgentExited(signal=-code)

    async def _end(self, waiting: asyncio.Future[Any], hurried: asyncio.Future[Any]) -> None:
        with suppress(ProcessLookupError):
            if not waiting.done():
                self._process.terminate()
                await _any_of(waiting, hurried, self._grace_seconds)
            if not waiting.done():
                self._process.kill()


async def _any_of(one: asyncio.Future[Any], other: asyncio.Future[Any], seconds: float) -> None:
    await asyncio.wait([one, other], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


def program_of(name: str) -> str:
    """Its path. A folder of PATH that cannot be entered is no reason to say that it cannot be executed."""
    found = shutil.which(name)
    if found is not None:
        return found
    if "/" in name and Path(name).exists():
        raise CommandNotExecutable(f"{name}: cannot be executed", hint="chmod +x, or another program")
    raise CommandNotFound(f"{name}: command not found", hint="give a path, or look at PATH")
