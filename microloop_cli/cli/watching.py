"""Follows a run for the status line: counts steps, findings and dollars, says what is worth a line."""

from __future__ import annotations

from collections.abc import Sequence

from microloop_cli.cli.live import StatusLine
from microloop_cli.core.actions import AnyDecision, Finding, LimitWarning, Stop, ToolVerdict, Verdict
from microloop_cli.core.events import AnyFact, GuardNotice, WatchDegraded
from microloop_cli.core.traffic import ModelAnswered, ModelRefused, NetworkAsked
from microloop_cli.view.calls import CallView
from microloop_cli.view.dollars import amount, dollars, total
from microloop_cli.view.requests import RequestView, place_of, reason_told

SNAPSHOT_LINE_SECONDS = 3.0
GENERIC = "generic"
REFUSED_PLACES_SAID = 20
"""More hosts than that are no news: `inspect --network` has them all."""

_USED = {
    "steps": "steps are used",
    "wall_seconds": "seconds are used",
    "idle_seconds": "idle seconds are used",
    "tokens": "tokens are used",
    "model_calls": "model calls are used",
}


class Watching:
    """A `run.execute.Observer` over a StatusLine."""

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._steps = 0
        self._findings = 0
        self._command = ""
        self._money = Money()
        self._said: set[tuple[str, ...]] = set()
        self._say_snapshot_at = SNAPSHOT_LINE_SECONDS

    @property
    def cost(self) -> str:
        """What the model calls came to so far, "" while none has a price."""
        return self._money.told

    def began(self, run_id: str, backend: str, profile: str) -> None:
        self._line.start(run_id, backend if profile == GENERIC else f"{backend}, agent profile {profile}")

    def noted(self, text: str) -> None:
        self._line.say(f"note: {text}")

    def snapshotting(self, seconds: float, files: int) -> None:
        """Said only when it takes long: before the start there is nothing else to look at."""
        if seconds >= self._say_snapshot_at:
            self._say_snapshot_at = seconds + SNAPSHOT_LINE_SECONDS
            self._line.say(f"reading the workspace before the start: {files:,} files so far")

    def recorded(self, at: float, events: Sequence[AnyFact | AnyDecision]) -> None:
        for event in events:
            if isinstance(event, (Verdict, ToolVerdict)):
                self._step(event)
            elif isinstance(event, Finding):
                self._findings += 1
            elif isinstance(event, ModelAnswered):
                self._money.answered(event)
            said = worth_saying(event)
            if said and self._is_news(event):
                self._line.say(said)

    def ticked(self, at: float) -> None:
        self._line.update(
            elapsed_seconds=at,
            steps=self._steps,
            findings=self._findings,
            last_command=self._command,
            cost=self._money.told,
        )

    def _step(self, event: Verdict | ToolVerdict) -> None:
        """A tool's result that belongs to a step of a process is no step of its own."""
        own = isinstance(event, Verdict) or event.command is not None
        if event.step is not None and own:
            self._steps, self._command = event.step, event.command or ""

    def _is_news(self, event: AnyFact | AnyDecision) -> bool:
        """What an agent asks again and again is said once: refused hosts, refused model calls."""
        if isinstance(event, ModelRefused):
            return self._first(("model", event.limit))
        if isinstance(event, NetworkAsked):
            many = len(self._said) >= REFUSED_PLACES_SAID
            return not many and self._first(("host", event.host, str(event.port)))
        return True

    def _first(self, key: tuple[str, ...]) -> bool:
        if key in self._said:
            return False
        self._said.add(key)
        return True


class Money:
    """The dollars of the line: `$0.42`, with a + when some call has no price; nothing until one has."""

    def __init__(self) -> None:
        self._sum = total(())
        self._more = False

    @property
    def told(self) -> str:
        return "" if self._sum is None else dollars(self._sum, self._more)

    def answered(self, event: ModelAnswered) -> None:
        cost = amount(event.cost_usd)
        self._sum = total((self._sum, cost))
        self._more |= CallView(number=event.call, status=event.status, cost_usd=cost).unpriced


def worth_saying(event: AnyFact | AnyDecision) -> str:
    """The line an event deserves; empty for most."""
    if isinstance(event, Finding):
        # The whole text stands in the agent's output; a stop is said by its own event.
        last, before = event.steps[-1], ", ".join(map(str, event.steps[:-1]))
        done = {"nudge": "nudged", "refuse": "refused", "record": "noted", "stop": ""}[event.answer]
        return f"step {last} {done}: {event.detector} of {before}" if done else ""
    if isinstance(event, LimitWarning):
        return _near(event)
    if isinstance(event, Stop):
        return f"stopping: {event.reason}"
    if isinstance(event, ModelRefused) and event.limit != "stopped":
        return f"refused a model call: {event.message.removeprefix('microloop: ')}"
    if isinstance(event, NetworkAsked) and not event.allowed:
        return _refused(event)
    if isinstance(event, GuardNotice):
        return f"notice: {event.text}"
    if isinstance(event, WatchDegraded):
        return f"notice: {event.reason}; {event.how}"
    return ""


def _near(event: LimitWarning) -> str:
    if event.limit == "cost_usd":
        used, allowed = (dollars(amount(str(value))) for value in (event.used, event.allowed))
        return f"{used} of {allowed} is used"
    if event.limit in ("tokens", "model_calls"):
        return f"{event.used:,.0f} of {event.allowed:,.0f} {_USED[event.limit]}"
    return f"{event.used:.4g} of {event.allowed:g} {_USED[event.limit]}"


def _refused(event: NetworkAsked) -> str:
    request = RequestView(
        n=event.n,
        at_seconds=0,
        method=event.method,
        host=event.host,
        port=event.port,
        allowed=False,
        reason=event.reason,
    )
    return f"refused {place_of(request)}: {reason_told(request)}"
