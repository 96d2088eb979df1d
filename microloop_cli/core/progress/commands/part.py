"""What one part of a command comes to, and how parts come to one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from microloop_cli.core.progress.signals import CommandKind, Writes

MAX_PATHS = 32
# What matters most first: an edit that also runs the tests is a test run that writes.
_SIGNIFICANCE: tuple[CommandKind, ...] = (
    "test", "edit", "install", "run", "vcs", "search", "list", "view", "other", "wait",
)  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_SIGNIFICANCE)}
_STRENGTH = {"no": 0, "perhaps": 1, "yes": 2}


class Part(msgspec.Struct, frozen=True):
    """As `Meaning`; `action` may be empty when only something else is known (a sleep)."""

    action: str
    kind: CommandKind = "other"
    writes: Writes = "no"
    paths: tuple[str, ...] = ()
    polls: bool = False
    filtered: bool = False
    elsewhere: bool = False


def most_significant(parts: Iterable[Part]) -> CommandKind:
    return min((part.kind for part in parts), key=_RANK.__getitem__, default="other")


def strongest(parts: Iterable[Part]) -> Writes:
    return max((part.writes for part in parts), key=_STRENGTH.__getitem__, default="no")


def together(action: str, parts: list[Part]) -> Part:
    """One part of several, under a new action."""
    if len(parts) == 1 and parts[0].action == action:
        return parts[0]
    paths = dict.fromkeys(path for part in parts for path in part.paths)
    return Part(
        action,
        most_significant(parts),
        strongest(parts),
        tuple(paths)[:MAX_PATHS],
        any(part.polls for part in parts),
        any(part.filtered for part in parts),
        any(part.elsewhere for part in parts),
    )
