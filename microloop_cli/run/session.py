"""One run on one event loop: guard, workspace, clock and user speak; the inbox judges; the performer acts."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from microloop_cli.backends.base import Backend, Sandbox
from microloop_cli.core.actions import Ended
from microloop_cli.core.events import (
    AnyFact,
    GuardFailed,
    GuardNotice,
    Interrupted,
    ResourceSample,
    RunStarted,
    Tick,
)
from microloop_cli.errors import HostError, MicroloopError, SandboxError
from microloop_cli.gateway.sockets import is_shortage
from microloop_cli.guard import wire
from microloop_cli.guard.channel import Channel
from microloop_cli.guard.facts import sandbox_ready
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake
from microloop_cli.run.ladder import StopLadder
from microloop_cli.run.looking import Looking
from microloop_cli.run.perform import Performer
from microloop_cli.run.sampling import sampling
from microloop_cli.run.session_parts import Beside, SessionPlan

HELLO_SECONDS = 30.0
# After BYE the guard has this long to go by itself before the backend kills the sandbox.
FAREWELL_SECONDS = 12.0
LAST_WORDS_SECONDS = 1.0
STATUS_SECONDS = 0.25
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """Runs one plan to its end, once."""

    _inbox: Inbox
    _intake: Intake

    def __init__(
        self,
        plan: SessionPlan,
        backend: Backend,
        make_inbox: Callable[[Performer], Inbox],
        make_intake: Callable[[Inbox], Intake],
        on_tick: Callable[[float], None],
        beside: Beside | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._plan = plan
        self._backend = backend
        self._on_tick = on_tick
        self._loop = loop
        self._ended: asyncio.Future[Ended] = loop.create_future()
        self._failure: MicroloopError | None = None
        self._channel: Channel | None = None
        self._launching: asyncio.Task[Sandbox] | None = None
        self._sandbox: Sandbox | None = None
        self._gone: asyncio.Task[int] | None = None
        self._ready = False
        self._looking = Looking()
        self._bug: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ladder = StopLadder(self._signal, self._kill, plan.grace_seconds)
        self._performer = Performer(self._send, self._ladder, self._wake_at, self._ended)
        self._make_inbox = make_inbox
        self._make_intake = make_intake
        self._beside = beside

    async def run(self, look: Callable[[], RunStarted]) -> Ended:
        """From the start of the sandbox until it is cleared away; how it ended.

        `look` reads the workspace while the sandbox starts and its guard waits: nothing of the agent runs
        before it has returned. What it raises is raised, and a stopping signal meanwhile as SystemExit; else
        the MicroloopError that broke the run; always after the sandbox is gone.
        """
        before = {number: signal.signal(number, self._looking.stop) for number in STOPPING_SIGNALS}
        try:
            return await self._run(look)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    async def _run(self, look: Callable[[], RunStarted]) -> Ended:
        try:
            await self._begin_launch()
            started = self._looking.at(look)
        except BaseException:
            if self._channel is not None:
                self._channel.close()  # what the guard says of its end is no fact of the run
            await self._clear_away()
            raise
        gc.freeze()  # what was loaded stays: no collection during the run need look at it
        gc.enable()
        self._loop.set_exception_handler(self._unexpected)
        for number in STOPPING_SIGNALS:
            self._loop.add_signal_handler(number, self._interrupted, number)
        self._inbox = self._make_inbox(self._performer)  # its clock starts here
        self._intake = self._make_intake(self._inbox)
        beside = [self._loop.create_task(work) for work in self._work_beside()]
        for task in beside:
            task.add_done_callback(self._work_ended)
        try:
            self._put(started)
            if self._looking.stopped_by:  # just when the look was over
                self._interrupted(self._looking.stopped_by)
            await self._start()
            ended = await self._ended
            await self._farewell()
        except MicroloopError as error:
            self._break(error)
            ended = await self._ended
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self._clear_away()
        if self._bug is not None:
            raise self._bug
        if self._failure is not None:
            raise self._failure
        return ended

    async def _begin_launch(self) -> None:
        """Return when the launch is under way, or has failed: whoever awaits `_launching` learns of it."""
        under_way = self._loop.create_future()
        self._launching = self._loop.create_task(self._launch(under_way))
        await asyncio.wait({self._launching, under_way}, return_when=asyncio.FIRST_COMPLETED)

    async def _launch(self, under_way: asyncio.Future[None]) -> Sandbox:
        self._channel = await Channel.open(
            self._plan.channel_dir, self._plan.nonce, on_message=self._heard, on_lost=self._lost
        )
        self._loop.call_soon(under_way.set_result, None)  # comes when the launch waits for the first time
        return await self._backend.launch(self._plan.sandbox)

    async def _start(self) -> None:
        assert self._launching is not None
        assert self._channel is not None
        self._sandbox = await self._launching
        self._gone = self._loop.create_task(self._sandbox.wait())
        self._gone.add_done_callback(self._sandbox_gone)
        hello = self._loop.create_task(self._channel.wait_ready(HELLO_SECONDS))
        await asyncio.wait({self._gone, hello}, return_when=asyncio.FIRST_COMPLETED)
        if not hello.done():
            hello.cancel()
            self._gone.result()  # the backend's own reason, when it has one
            raise SandboxError("the sandbox ended before its guard said anything")
        self._put(sandbox_ready(hello.result()))
        self._ready = True
        self._send(self._plan.guard_config)

    def _sandbox_gone(self, task: asyncio.Task[int]) -> None:
        """The sandbox must not go before its guard said how the agent ended."""
        if not self._ready or self._ended.done() or task.cancelled() or task.exception() is not None:
            return
        # What the guard said last may still lie in the socket: the channel's end comes behind it.
        reason = f"the sandbox ended unexpectedly, with status {task.result()}"
        self._loop.call_later(LAST_WORDS_SECONDS, self._lost, reason)

    async def _farewell(self) -> None:
        """Let the guard go by itself, so that all output is passed on; kill what does not go. Of a run that
        broke nothing may go on."""
        if self._gone is None or self._sandbox is None or self._failure is not None:
            return
        await asyncio.wait({self._gone}, timeout=FAREWELL_SECONDS)
        for remark in self._sandbox.remarks:
            self._put(GuardNotice(text=remark))

    async def _clear_away(self) -> None:
        for number in STOPPING_SIGNALS:
            self._loop.remove_signal_handler(number)
        await self._ladder.finished()
        if self._timer is not None:
            self._timer.cancel()
        if self._launching is not None:
            with suppress(MicroloopError):  # told where it was awaited first, or something else was before
                self._sandbox = await self._launching
        if self._sandbox is not None:
            await self._sandbox.kill()
            await self._sandbox.close()
        if self._channel is not None:
            self._channel.close()

    def _put(self, *facts: AnyFact) -> None:
        """Into the inbox; when recording fails, nothing more may be acted on: the run breaks."""
        try:
            self._inbox.put(*facts)
        except MicroloopError as error:
            self._break(error)

    def _heard(self, message: wire.GuardMessage) -> None:
        if self._failure is not None:
            return
        try:
            self._intake(message)
        except MicroloopError as error:
            self._break(error)

    def _lost(self, reason: str) -> None:
        if not self._ended.done():
            self._put(GuardFailed(reason=reason))

    def _break(self, error: MicroloopError) -> None:
        """Remember the first failure, record it if that still works, and end."""
        if self._failure is not None:
            return
        self._failure = error
        with suppress(HostError):
            self._inbox.put(GuardFailed(reason=error.message))
        if not self._ended.done():
            self._ended.set_result(Ended(outcome="failed", exit_code=error.exit_code, reason=error.message))

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A defect of ours in a callback: keep it for the error boundary and end the run."""
        error = context.get("exception")
        if is_shortage(error) and "socket" in context:
            return  # nobody more is let in for a second, and then tried again
        if error is None:
            loop.default_exception_handler(context)
            return
        self._bug = self._bug or error
        self._break(MicroloopError(f"microloop failed: {error!r}"))

    def _interrupted(self, number: int) -> None:
        if self._ladder.climbing or not self._ready:
            self._ladder.hurry()
        self._put(Interrupted(signal=number))

    def _wake_at(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, at - self._inbox.elapsed_seconds)
        self._timer = self._loop.call_later(delay, self._put, Tick())

    def _send(self, *messages: wire.SupervisorMessage) -> None:
        if self._channel is not None:
            self._channel.send(*messages)

    def _signal(self, number: int) -> None:
        self._send(wire.Signal(signal=number))

    async def _kill(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.kill()

    def _work_beside(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return sampling(self._host_pid, self._measured), self._ticking(), self._served()

    def _work_ended(self, task: asyncio.Task[None]) -> None:
        """It goes on until it is cancelled: with an error of ours the agent would wait for ever."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, MicroloopError):
            self._break(error)
        elif error is not None:
            self._unexpected(self._loop, {"exception": error})

    async def _served(self) -> None:
        if self._beside is not None:
            await self._beside.serve(self._inbox, self._intake)

    def _measured(self, sample: ResourceSample) -> None:
        if not self._ended.done():
            self._put(sample)

    def _host_pid(self) -> int | None:
        return None if self._sandbox is None else self._sandbox.host_pid

    async def _ticking(self) -> None:
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            self._on_tick(self._inbox.elapsed_seconds)
