"""Recorded runs of other agents, told apart by their shape: loopbench, mini-swe-agent, SWE-agent. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from microloop_cli.core.evaluation.miniswe import MiniSweAgent, from_messages
from microloop_cli.core.evaluation.trajectory import MESSAGE, ForeignStep, Trajectory
from microloop_cli.errors import UsageError

_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_PATH = re.compile(r" - at `([^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")


class FormatProblem(UsageError):
    """Data that is no run; the message names the key path."""


class _SweStep(msgspec.Struct, frozen=True):
    action: str
    observation: str = ""
    execution_time: float | None = None


class _SweAgent(msgspec.Struct, frozen=True):
    trajectory: tuple[_SweStep, ...]


class _Keys(msgspec.Struct, frozen=True):
    """Which of the keys that tell the formats apart are there."""

    steps: msgspec.Raw = msgspec.Raw()
    messages: msgspec.Raw = msgspec.Raw()
    trajectory: msgspec.Raw = msgspec.Raw()


_keys = msgspec.json.Decoder(_Keys)
_loopbench = msgspec.json.Decoder(Trajectory)
_swe_agent = msgspec.json.Decoder(_SweAgent)
_mini = msgspec.json.Decoder(MiniSweAgent)


def parse_run(data: bytes, name: str) -> Trajectory:
    """The run in one JSON document; `name` is its id where the format has none. FormatProblem."""
    keys = _decode(_keys, data)
    if keys.steps:
        return _checked(_decode(_loopbench, data))
    if keys.messages:
        return from_messages(_decode(_mini, data), name)
    if keys.trajectory:
        return _from_swe_agent(_decode(_swe_agent, data), name)
    raise FormatProblem(
        "it has no `steps` (loopbench), `messages` (mini-swe-agent) or `trajectory` (SWE-agent)",
        hint="one JSON object a run: {id, label, onset_step, steps: [{step, action, observation}]}",
    )


def _checked(run: Trajectory) -> Trajectory:
    if run.label == "loop" and run.onset_step is None:
        raise FormatProblem("onset_step: a loop needs the number of its first redundant step")
    last = -1
    for at, step in enumerate(run.steps):
        if step.step <= last:
            raise FormatProblem(f"steps[{at}].step: {step.step} comes after {last}; steps must be in order")
        last = step.step
    return run


def _from_swe_agent(run: _SweAgent, name: str) -> Trajectory:
    steps = tuple(
        ForeignStep(
            step=number,
            action=step.action.strip(),
            observation=step.observation,
            tool="bash" if step.action.strip() else MESSAGE,
            seconds=step.execution_time,
        )
        for number, step in enumerate(run.trajectory, start=1)
    )
    return Trajectory(id=name, steps=steps)


def _decode(decoder: msgspec.json.Decoder[_Shape], data: bytes) -> _Shape:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise FormatProblem(_told(str(error))) from None
    except msgspec.DecodeError as error:
        raise FormatProblem(f"it is not JSON: {error}") from None
    except UnicodeError as error:
        raise FormatProblem(f"it is not UTF-8: {error}") from None
    except RecursionError:
        raise FormatProblem("it is nested too deeply") from None


def _told(message: str) -> str:
    """msgspec's words with the key path in front: `steps[3].action: Expected str, got int`."""
    at = _PATH.search(message)
    path = at[1].removeprefix("$").removeprefix(".").replace("[...]", "[]") if at is not None else ""
    said = _PATH.sub("", message)
    missing = _MISSING.fullmatch(said)
    if missing is not None:
        return f"{path}{'.' if path else ''}{missing[1]}: it is missing"
    return f"{path}: {said}" if path else said
