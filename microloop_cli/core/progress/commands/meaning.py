"""What a command means, whatever way it is spelled. Pure; never raises; any text."""

from __future__ import annotations

import functools
import hashlib
import re

from msgspec.structs import replace

from microloop_cli.core.progress.commands.fold import Folder
from microloop_cli.core.progress.commands.part import MAX_PATHS, Part
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.tool_calls import tool_call
from microloop_cli.core.progress.commands.unquote import collapsed
from microloop_cli.core.progress.signals import Meaning

MAX_PARSED_CHARS = 65_536
# Of a longer command this much is read for what it does; its key is the digest of all.
HEAD_CHARS = 4_096
MAX_ACTION_CHARS = 2_000
KEPT_ACTION_CHARS = 1_500
MAX_PATH_CHARS = 256
# What stands for a secret (see bundle.redaction) is a word of the shell, not two redirections.
_MARK = re.compile(r"<(?<!<<)(redacted:[a-z-]{1,40}|[A-Z][A-Z0-9_]{2,39})>(?![\w./])")


def meaning(command: str, workspace: str = "") -> Meaning:
    """The meaning of a shell command or of a tool call as trajectories write it (`edit {...}`).

    workspace: the absolute path the agent is at home in, if known, so that `cd WORKSPACE && ls` is `ls`.
    Commands of up to HEAD_CHARS are remembered: saying one again costs a look-up.
    """
    return _remembered(command, workspace) if len(command) <= HEAD_CHARS else _read(command, workspace)


@functools.lru_cache(maxsize=2_048)
def _remembered(command: str, workspace: str) -> Meaning:
    return _read(command, workspace)


def _read(command: str, workspace: str = "") -> Meaning:
    home = Place(root=workspace.rstrip("/"))
    if "\r" in command:
        command = command.replace("\r\n", "\n")
    if "<" in command:
        command = _MARK.sub(r"-\1-", command)
    if not command.isascii():
        command = command.encode("utf-8", "replace").decode()
    if len(command) > MAX_PARSED_CHARS:
        part = _part(command[:HEAD_CHARS], home)
        writes = "perhaps" if part.writes == "no" else part.writes
        head = collapsed(command[:KEPT_ACTION_CHARS])
        return _meaning(replace(part, writes=writes), f"{head} <{_digest(command)}>")
    part = _part(command, home)
    action = part.action
    if len(action) > MAX_ACTION_CHARS:
        action = f"{action[:KEPT_ACTION_CHARS]} <{_digest(action)}>"
    return _meaning(part, action)


def _part(text: str, home: Place) -> Part:
    called = tool_call(text, home)
    if isinstance(called, Part):
        return called
    return Folder().text(text if called is None else called, home)


def _meaning(part: Part, action: str) -> Meaning:
    return Meaning(
        action=action,
        kind=part.kind,
        writes=part.writes,
        polls=part.polls,
        filtered=part.filtered,
        elsewhere=part.elsewhere,
        paths=tuple([path[:MAX_PATH_CHARS] for path in part.paths[:MAX_PATHS]]),
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
