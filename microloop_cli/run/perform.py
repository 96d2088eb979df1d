"""The only place that acts on decisions: verdicts and releases to the guard, the stop ladder, the timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from microloop_cli.core.actions import Action, Ended, Release, Stop, Verdict, WakeAt
from microloop_cli.guard import messages
from microloop_cli.run.ladder import StopLadder


class Performer:
    """Performs actions in order; what goes to the guard leaves in one write."""

    def __init__(
        self,
        send: Callable[..., None],
        ladder: StopLadder,
        wake_at: Callable[[float], None],
        ended: asyncio.Future[Ended],
    ) -> None:
        self._send = send
        self._ladder = ladder
        self._wake_at = wake_at
        self._ended = ended

    def __call__(self, actions: Sequence[Action]) -> None:
        if any(isinstance(action, Stop) for action in actions):
            self._ladder.start()  # freezes first: an agent that hears of its refusal would go on
        outgoing = [message for message in map(to_guard, actions) if message is not None]
        if outgoing:
            self._send(*outgoing)
        for action in actions:
            if isinstance(action, WakeAt):
                self._wake_at(action.at)
            elif isinstance(action, Ended) and not self._ended.done():
                self._ended.set_result(action)


def to_guard(action: Action) -> messages.SupervisorMessage | None:
    """The message an action is to the guard; None when the guard has no part in it."""
    if isinstance(action, Verdict):
        return messages.ExecVerdict(
            exec_id=action.exec_id,
            allow=action.allow,
            kind=action.kind,
            hold_end=action.hold_end,
            step=action.step,
            message=f"{action.message}\n" if action.message else "",
        )
    if isinstance(action, Release):
        return messages.Release(step=action.step, text=action.text)
    if isinstance(action, Ended):
        return messages.Bye()
    return None
