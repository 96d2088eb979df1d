"""A tool call at its two moments, when the model asks for it and when its result passes. Pure.

A shell's call that processes ran is judged by their steps. Any other is a step of its own: it was done by the
agent itself, so a nudge is added to its result, and a refusal stands in its place.
"""

from __future__ import annotations

from msgspec.structs import replace

from microloop_cli.core import conversations, limits, tools
from microloop_cli.core.actions import Stop, ToolVerdict
from microloop_cli.core.judging import Result, bugs_of, finding_of, stop_of
from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.engine import returned
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.progress.tools import tool_meaning, tool_words
from microloop_cli.core.state import State
from microloop_cli.core.tools import OpenCall
from microloop_cli.core.traffic import ToolAnswered, ToolCalled


def tool_called(state: State, at: float, fact: ToolCalled) -> Result:
    """Remember it until its result passes; nothing is decided yet."""
    call = OpenCall(
        tool=fact.tool,
        shell=fact.command is not None,
        command=tool_words(fact.tool, fact.arguments, fact.command),
        meaning=tool_meaning(fact.tool, fact.arguments, fact.command, state.workspace),
        epoch=state.epoch,
        judged=state.tools.judged,
        after=state.steps,
        conversation=fact.conversation,
    )
    return replace(state, tools=tools.opened(state.tools, fact.id, call)), ()


def tool_answered(state: State, at: float, fact: ToolAnswered) -> Result:
    """What becomes of the result. A result of a call that was never seen (an old conversation) passes."""
    call = state.tools.open.get(fact.id)
    if call is None:
        return state, (ToolVerdict(id=fact.id),)
    covering = tools.covering_step(state.tools, fact.id)
    before = tools.epoch_before(state.tools, call)
    state = replace(state, tools=tools.answered(state.tools, fact.id))
    if covering is not None:
        return state, (ToolVerdict(id=fact.id, step=covering),)
    return _own_step(state, fact, call, before)


def _own_step(state: State, fact: ToolAnswered, call: OpenCall, before: str) -> Result:
    number = state.steps + 1
    state = replace(state, steps=number)
    passed = ToolVerdict(id=fact.id, step=number, command=call.command)
    if state.stop is not None:
        return state, (passed,)
    known, said = limits.check_steps(state.settings.limits, state.limits, number)
    state = replace(state, limits=known)
    stop = next((action for action in said if isinstance(action, Stop)), None)
    if stop is not None:
        return replace(state, stop=stop), (*said, passed)
    meaning = conversations.own_meaning(state.tools, call)
    attempt = Attempt(
        step=number,
        command=call.command,
        meaning=meaning,
        # What only reads did not make the change that happened beside it.
        epoch=state.epoch if call.meaning.writes == "no" else before,
    )
    judged = returned(
        state.memory,
        state.settings.progress,
        attempt,
        epoch=state.epoch,
        signals=conversations.own_signals(state.memory.history, call, meaning, fact.signals),
        exit_code=int(fact.failed),
    )
    state = replace(state, memory=judged.memory, tools=tools.judged(state.tools, state.epoch))
    state, actions = _answer(state, passed, judged.finding)
    return state, (*said, *bugs_of(judged), *actions)


def _answer(state: State, passed: ToolVerdict, found: Found | None) -> Result:
    if found is None:
        return state, (passed,)
    if found.answer == "stop":
        stop = stop_of(found)
        return replace(state, stop=stop), (finding_of(found), stop, passed)
    if found.answer == "nudge":
        return state, (finding_of(found), replace(passed, answer="append", text=found.text))
    if found.answer == "refuse":
        return state, (finding_of(found), replace(passed, answer="replace", text=found.text))
    return state, (finding_of(found), passed)
