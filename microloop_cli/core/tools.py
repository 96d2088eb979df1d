"""The model's tool calls that are under way, and the steps that processes made of them. Pure."""

from __future__ import annotations

import functools

import msgspec
from msgspec.structs import replace

from microloop_cli.core.progress.signals import Meaning

OPEN_CALLS = 256
LINKED_STEPS = 64
UNLINKED_STEPS = 64
# Quotes and what stands between commands: wrappers quote anew, a persistent shell runs each part by itself.
_LOOSENED = str.maketrans({**dict.fromkeys("'\"\\", None), **dict.fromkeys(";|&(){}<>`\n\r\t", " ")})


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call without an answer. shell: it is a command, which is then whole in `command`; else that is
    what it does, in words. epoch: of the files when it was made; judged: how many steps had been judged then;
    after: the number of the last step then. steps: those that were linked to it, the first ones.
    conversation: whose call it is (ToolCalled)."""

    tool: str
    shell: bool
    command: str
    meaning: Meaning
    epoch: str
    judged: int
    after: int
    steps: tuple[int, ...] = ()
    conversation: int = 0


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """open: by id, oldest first, bounded. unlinked: the last steps that no call asked for, as far as can be
    told. judged: how many steps were judged by their result; epoch: of the files when the last one was.
    first: the conversation of the first call."""

    open: dict[str, OpenCall] = {}
    unlinked: tuple[int, ...] = ()
    judged: int = 0
    epoch: str = ""
    first: int = 0


def opened(tools: Tools, call_id: str, call: OpenCall) -> Tools:
    """One more open call; the oldest is forgotten when there are too many. An id that comes again is new."""
    kept = {known: value for known, value in tools.open.items() if known != call_id}
    for known in list(kept)[: max(0, len(kept) - OPEN_CALLS + 1)]:
        del kept[known]
    return replace(tools, open={**kept, call_id: call}, first=tools.first or call.conversation)


def answered(tools: Tools, call_id: str) -> Tools:
    return replace(tools, open={known: call for known, call in tools.open.items() if known != call_id})


def judged(tools: Tools, epoch: str) -> Tools:
    """A step was judged by its result: what changed up to now is accounted for."""
    return replace(tools, judged=tools.judged + 1, epoch=epoch)


def epoch_before(tools: Tools, call: OpenCall) -> str:
    """The files as they were before this call: of calls made together, one changed what changed."""
    return tools.epoch if tools.judged > call.judged else call.epoch


def linked(tools: Tools, step: int, command: str, meaning: Meaning) -> tuple[Tools, str | None]:
    """The tools with this step in them, and the id of the open shell call that asked for it, if any did.

    The best match counts, of equal ones a call without a step yet, then the oldest.
    """
    ranked = [
        (rank, bool(call.steps), call_id)
        for call_id, call in tools.open.items()
        if call.shell and (rank := _match(call, command, meaning)) is not None
    ]
    if not ranked:
        return replace(tools, unlinked=(*tools.unlinked[-(UNLINKED_STEPS - 1) :], step)), None
    call_id = min(ranked, key=lambda each: each[:2])[2]
    call = tools.open[call_id]
    call = replace(call, steps=(*call.steps, step)[:LINKED_STEPS])
    return replace(tools, open={**tools.open, call_id: call}), call_id


def covering_step(tools: Tools, call_id: str) -> int | None:
    """The step that stands for a shell's call: the first it asked for, else the first that ran since and that
    no other call asked for. None: no process ran it, so it is a step of its own."""
    call = tools.open.get(call_id)
    if call is None or not call.shell:
        return None
    if call.steps:
        return call.steps[0]
    return next((step for step in tools.unlinked if step > call.after), None)


def _match(call: OpenCall, command: str, meaning: Meaning) -> int | None:
    """0 for the same words, 1 for the same meaning, 2 when one holds the other whole; None for no match."""
    if _folded(call.command) == _folded(command):
        return 0
    if meaning.action and call.meaning.action == meaning.action:
        return 1
    asked, ran = _loose(call.command), _loose(command)
    return 2 if asked.strip() and ran.strip() and (asked in ran or ran in asked) else None


@functools.lru_cache(maxsize=2 * OPEN_CALLS)
def _folded(command: str) -> str:
    return " ".join(command.split())


@functools.lru_cache(maxsize=2 * OPEN_CALLS)
def _loose(command: str) -> str:
    return f" {' '.join(command.translate(_LOOSENED).split())} "
