"""Tool calls of several conversations (subagents, side by side): none repeats what another one did. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from microloop_cli.core.progress.history import History
from microloop_cli.core.progress.signals import Meaning, Signals
from microloop_cli.core.tools import OpenCall, Tools


def own_meaning(tools: Tools, call: OpenCall) -> Meaning:
    """The meaning of a call, its action told apart from the same one of other conversations. That of the
    first conversation stays as it is, for it counts together with steps of processes."""
    if call.conversation in (0, tools.first) or not call.meaning.action:
        return call.meaning
    return replace(call.meaning, action=f"{call.conversation}{_BEHIND}{call.meaning.action}")


def own_signals(history: History, call: OpenCall, own: Meaning, signals: Signals | None) -> Signals | None:
    """What a result says: all of it is news to a conversation that sees for the first time what only others
    have seen."""
    if signals is None or history.last_of(own.action) is not None:
        return signals
    elsewhere = (record for record in history.recent if _shared(record.action) == call.meaning.action)
    if any(record.result == signals.output_digest for record in elsewhere):
        return replace(signals, new_lines=signals.lines)
    return signals


_BEHIND = "\0"  # stands in no action


def _shared(action: str) -> str:
    """The action whoever did it."""
    return action.rpartition(_BEHIND)[2]
