"""The stop ladder: in order, in time, and at once when asked twice."""

from __future__ import annotations

import asyncio
import signal

from microloop_cli.run.ladder import StopLadder


class Sandbox:
    def __init__(self) -> None:
        self.received: list[str] = []

    def signal(self, number: int) -> None:
        self.received.append(signal.Signals(number).name)

    async def kill(self) -> None:
        self.received.append("kill")


def climb(grace_seconds: float, *, hurry_after: float | None = None) -> list[str]:
    async def scene() -> list[str]:
        sandbox = Sandbox()
        ladder = StopLadder(sandbox.signal, sandbox.kill, grace_seconds, guard_kill_seconds=0.05)
        ladder.start()
        ladder.start()
        if hurry_after is not None:
            await asyncio.sleep(hurry_after)
            ladder.hurry()
        await asyncio.sleep(0.3)
        await ladder.finished()
        return sandbox.received

    return asyncio.run(scene())


def test_the_agent_is_frozen_asked_to_end_and_killed_after_the_grace_period() -> None:
    assert climb(0.05) == ["SIGSTOP", "SIGTERM", "SIGCONT", "SIGKILL", "kill"]


def test_an_agent_that_ends_in_time_is_not_killed() -> None:
    assert climb(10) == ["SIGSTOP", "SIGTERM", "SIGCONT"]


def test_the_second_interrupt_kills_at_once() -> None:
    assert climb(10, hurry_after=0.1) == ["SIGSTOP", "SIGTERM", "SIGCONT", "SIGKILL", "kill"]


def test_a_guard_that_does_not_answer_is_killed_from_outside() -> None:
    assert climb(0.05)[-1] == "kill"
