"""What is said on stderr while a run goes on: the things worth a line, and only those."""

from __future__ import annotations

import pytest

from microloop_cli.cli.watching import REFUSED_PLACES_SAID, Watching, worth_saying
from microloop_cli.core.actions import AnyDecision, Finding, LimitWarning, Stop, ToolVerdict, Verdict
from microloop_cli.core.events import AnyFact, GuardNotice, Tick
from microloop_cli.core.traffic import ModelAnswered, ModelRefused, NetworkAsked


class Line:
    """Stands for the StatusLine: keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: dict[str, object] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def update(self, **shown: object) -> None:
        self.shown = shown


def finding(answer: str) -> Finding:
    return Finding(detector="repeat", steps=(1, 2, 3), answer=answer, text="long")  # type: ignore[arg-type]


def barred(host: str) -> NetworkAsked:
    why = f"microloop: network: {host}:443 is not allowed: no rule of the policy names it"
    return NetworkAsked(n=1, method="CONNECT", host=host, port=443, allowed=False, reason=why)


def spent(message: str) -> ModelRefused:
    return ModelRefused(limit="cost_usd", message=f"microloop: {message}")


def answered(cost_usd: str | None, status: int = 200) -> ModelAnswered:
    return ModelAnswered(call=1, status=status, cost_usd=cost_usd, seconds=1.0)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (finding("nudge"), "step 3 nudged: repeat of 1, 2"),
        (finding("refuse"), "step 3 refused: repeat of 1, 2"),
        (finding("record"), "step 3 noted: repeat of 1, 2"),
        (finding("stop"), ""),
        (Stop(outcome="no_progress", exit_code=120, reason="why"), "stopping: why"),
        (LimitWarning(limit="wall_seconds", used=8.00123, allowed=10), "8.001 of 10 seconds are used"),
        (LimitWarning(limit="cost_usd", used=0.8, allowed=1.0), "$0.80 of $1.00 is used"),
        (LimitWarning(limit="tokens", used=80_000, allowed=100_000), "80,000 of 100,000 tokens are used"),
        (LimitWarning(limit="model_calls", used=8, allowed=10), "8 of 10 model calls are used"),
        (barred("evil.example"), "refused evil.example:443: no rule of the policy names it"),
        (NetworkAsked(n=1, method="CONNECT", host="pypi.org", port=443, allowed=True), ""),
        (spent("the cost limit is reached"), "refused a model call: the cost limit is reached"),
        (GuardNotice(text="output is not captured"), "notice: output is not captured"),
        (Tick(), ""),
    ],
)
def test_only_what_a_person_would_want_to_know_is_said(event: AnyFact | AnyDecision, line: str) -> None:
    assert worth_saying(event) == line


def test_the_line_shows_steps_findings_and_the_last_command() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    watching.recorded(1.0, [Verdict(exec_id=5, kind="step", allow=True, step=4, command="pytest -q")])
    watching.recorded(2.0, [finding("nudge"), Tick()])
    watching.ticked(2.5)
    assert line.shown == {
        "elapsed_seconds": 2.5, "steps": 4, "findings": 1, "last_command": "pytest -q", "cost": "",
    }  # fmt: skip


def test_dollars_are_shown_once_a_call_has_a_price_and_with_a_plus_when_one_has_none() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    shown = []
    for event in (answered(None, 500), answered("0.40"), answered("0.02"), answered(None)):
        watching.recorded(1.0, [event])
        watching.ticked(1.0)
        shown.append(line.shown["cost"])
    assert shown == ["", "$0.40", "$0.42", "$0.42+"]


def test_a_tool_call_that_no_process_ran_counts_as_a_step_and_other_results_do_not() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    watching.recorded(1.0, [ToolVerdict(id="a", step=3, command="Read calc.py"), ToolVerdict(id="b", step=1)])
    watching.ticked(1.0)
    assert (line.shown["steps"], line.shown["last_command"]) == (3, "Read calc.py")


def test_a_refused_host_and_a_reached_limit_are_said_once() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    for _ in range(3):
        watching.recorded(1.0, [barred("a.example"), barred("b.example"), spent("no more")])
    assert [text.split(":")[0] for text in line.said] == [
        "refused a.example", "refused b.example", "refused a model call",
    ]  # fmt: skip


def test_a_flood_of_refused_hosts_does_not_drown_the_rest() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    watching.recorded(1.0, [barred(f"h{n}.example") for n in range(1000)])
    watching.recorded(1.0, [spent("no more")])
    assert len(line.said) == REFUSED_PLACES_SAID + 1
    assert line.said[-1] == "refused a model call: no more"


def test_a_quick_snapshot_is_not_mentioned_and_a_slow_one_now_and_then() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    for seconds in range(10):
        watching.snapshotting(float(seconds), seconds * 1000)
    assert [text.split(": ")[1] for text in line.said] == [
        "3,000 files so far", "6,000 files so far", "9,000 files so far",
    ]  # fmt: skip
