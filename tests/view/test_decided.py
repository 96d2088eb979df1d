"""The view over what the core really decides: facts of a run folded as they would be, then shown."""

from __future__ import annotations

from decimal import Decimal

from microloop_cli.core.actions import WakeAt
from microloop_cli.core.events import AgentExited, AnyFact, ExecStarted, StepEnded, Stream
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.settings import Limits, Settings
from microloop_cli.core.state import State, initial
from microloop_cli.core.step import step as fold
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelRefused,
    Tokens,
    ToolAnswered,
    ToolCalled,
)
from microloop_cli.view.runview import run_view
from tests.view.ledgers import Story, Told
from tests.view.test_conversation import text
from tests.view.test_terminal import run_text

LIMITS = Limits(cost_usd=Decimal("0.10"))


class Decided(Story):
    """A Story whose decisions are the core's: only the facts of it are told."""

    def __init__(self) -> None:
        super().__init__()
        facts = [entry.event for entry in self.entries if type(entry.event).__module__.endswith("events")]
        self.entries.clear()
        self._state: State = initial(Settings(limits=LIMITS))
        self.fact(*facts)

    def fact(self, *facts: AnyFact) -> None:
        for fact in facts:
            self.at = round(self.at + 0.1, 6)
            self._state, actions = fold(self._state, self.at, fact)
            for event in (fact, *(action for action in actions if not isinstance(action, WakeAt))):
                self.entries.append(Told(len(self.entries) + 1, self.at, event))

    def call(self, number: int, cost_usd: str = "0.01") -> None:
        tokens = Tokens(input=100, output=10)
        self.fact(
            ModelAsked(call=number, provider="openai", surface="chat", model="gpt-5"),
            ModelAnswered(call=number, status=200, tokens=tokens, cost_usd=cost_usd, seconds=0.1),
        )

    def shell(self, exec_id: int, command: str) -> None:
        """A process of the agent's that runs `command` and says nothing."""
        self.fact(
            ExecStarted(
                exec_id=exec_id, pid=100 + exec_id, ppid=101, parent_exec=1, lineage="agent_child",
                argv=("sh", "-c", command), argv_bytes=10, exe="/bin/sh", cwd="/ws", fds=("null", "pipe", "pipe"),
                captured=True, awaiting=True,
            )
        )  # fmt: skip
        nothing = Stream(bytes=0, blake2b="0" * 64, head_bytes=0, tail_bytes=0)
        self.fact(StepEnded(step=self._state.steps, exit_code=0, stdout=nothing, merged=True))


def reading_in_circles() -> Decided:
    run = Decided()
    run.shell(2, "git status")
    run.call(1)
    run.fact(ToolCalled(call=1, id="a", tool="Bash", arguments='{"command": "make"}', command="make"))
    run.shell(3, "make")
    run.fact(ToolAnswered(call=2, id="a", bytes=9))
    for n in range(2, 6):
        run.call(n)
        run.fact(
            ToolCalled(call=n, id=f"r{n}", tool="Read", arguments='{"file_path": "calc.py"}'),
            ToolAnswered(call=n + 1, id=f"r{n}", bytes=40, signals=Signals(output_digest="same")),
        )
    run.call(6, cost_usd="0.05")
    for _ in range(5):
        run.fact(ModelRefused(limit="cost_usd", message="microloop: this run's cost limit is reached"))
    run.fact(AgentExited(exit_code=1))
    return run


def test_what_the_model_asked_for_is_told_from_the_agents_own_business() -> None:
    view = run_view(reading_in_circles().entries)
    assert [(step.kind, step.asked) for step in view.steps[:3]] == [
        ("process", False), ("process", True), ("tool", True),
    ]  # fmt: skip
    assert view.tool_calls["a"].steps == (2,)
    assert [step.cost_usd for step in view.steps[1:]] == [Decimal("0.01")] * 5


def test_a_loop_in_a_tool_is_seen_where_the_model_hears_of_it() -> None:
    run = reading_in_circles()
    verdicts = [step.verdict for step in run_view(run.entries).steps[2:]]
    assert verdicts == ["allowed", "allowed", "nudged", "refused"]
    assert "answered   40 B, nudged" in text(run)
    assert "answered   40 B, REFUSED" in text(run)


def test_a_run_that_was_stopped_by_its_cost_limit_says_what_it_came_to() -> None:
    run = reading_in_circles()
    view = run_view(run.entries)
    assert (view.outcome, view.exit_code, view.used.cost_usd) == ("cost_limit", 122, Decimal("0.10"))
    told = run_text(run, 100, {"limits": {"cost_usd": "0.10"}})
    assert "stopped: cost or token limit, exit 122" in told
    assert "cost       $0.10 of $0.10  100%" in told
    assert "refused    5 requests; the first: this run's cost limit is reached" in told
