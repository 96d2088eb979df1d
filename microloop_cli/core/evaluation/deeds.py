"""What a step of a foreign run did: its command's meaning, and what the same would do a second time. Pure."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from microloop_cli.core.evaluation.rewriting import Again, again
from microloop_cli.core.evaluation.trajectory import MESSAGE, ForeignStep
from microloop_cli.core.progress.commands.meaning import meaning
from microloop_cli.core.progress.signals import Meaning

_TOOL_CALL = re.compile(r"\s*([A-Za-z_][\w.-]{0,63})\s*\{")
_WRITERS = frozenset({"write", "create", "write_file", "create_file"})


class Deed(msgspec.Struct, frozen=True):
    """One step, understood. `again` is told of what writes."""

    command: str
    meaning: Meaning
    again: Again


def deed_of(step: ForeignStep) -> Deed:
    """The recorder's word for the tool decides what the command alone leaves open."""
    if step.tool == MESSAGE:
        return Deed(step.action, Meaning(action=MESSAGE, kind="message", writes="no"), "changes")
    known = meaning(step.action)
    if step.tool == "edit" and known.writes == "perhaps":
        known = replace(known, kind="edit", writes="yes")
    elif step.tool == "read" and known.writes == "perhaps":
        known = replace(known, kind="view", writes="no")
    return Deed(step.action, known, _again(step.action) if known.writes == "yes" else "changes")


def _again(action: str) -> Again:
    call = _TOOL_CALL.match(action)
    if call is None:
        return again(action)
    return "nothing" if call[1].lower() in _WRITERS else "changes"
