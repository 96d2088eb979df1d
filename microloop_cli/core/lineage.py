"""What an awaiting exec is: the agent itself, a shim, a step, or the agent's own housekeeping. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import msgspec

from microloop_cli.core.actions import ExecKind
from microloop_cli.core.events import ExecStarted
from microloop_cli.core.programs import MULTIPLEXERS, is_launcher, launched_by, names_of
from microloop_cli.core.settings import AgentProfile
from microloop_cli.core.shells import ShellCall, basename, shell_call

REMEMBERED_EXECS = 128
# What a terminal multiplexer runs for each of its terminals.
_TERMINAL_ACCOUNTING = frozenset({"utempter"})
_COMMANDS_MAY_COME_FROM = frozenset({"pipe", "tty", "socket"})


class Family(msgspec.Struct, frozen=True):
    """The agent's execs whose children are judged differently; what is in neither is plain agent.

    launchers: what they start is the agent. shims: what follows is the model's command. Newest last, bounded.
    """

    launchers: tuple[int, ...] = ()
    shims: tuple[int, ...] = ()


class Classified(msgspec.Struct, frozen=True):
    """The kind of an exec; `launcher` says that what it starts next is still the agent."""

    kind: ExecKind
    launcher: bool = False


def classify(family: Family, fact: ExecStarted, profile: AgentProfile) -> Classified:
    """Judge one exec by its place in the agent's family, then by its own argv, file and stdin.

    The launch ends at the first exec below a launcher that is no launcher itself: that one is the agent,
    and its children are steps. `npx foo` > `sh -c foo` > `node foo` is the agent throughout.
    """
    if fact.lineage == "nested":
        return Classified("nested")
    if fact.lineage == "housekeeping":
        return Classified("housekeeping")
    if fact.lineage == "orphan" and basename(fact.parent_exe) not in MULTIPLEXERS:
        return Classified("nested")
    if fact.lineage in ("root", "agent_self") or fact.parent_exec in family.launchers:
        return Classified("agent", launcher=is_launcher(fact.argv))
    return Classified(_kind_of_child(fact, profile, after_shim=fact.parent_exec in family.shims))


def remember(family: Family, fact: ExecStarted, classified: Classified) -> Family:
    """The family with this exec in it. Only launchers and shims need remembering."""
    if classified.launcher:
        return msgspec.structs.replace(family, launchers=_with(family.launchers, fact.exec_id))
    if classified.kind == "shim":
        return msgspec.structs.replace(family, shims=_with(family.shims, fact.exec_id))
    return family


def agent_names(profile: AgentProfile) -> tuple[str, ...]:
    """Basenames of programs that are the agent itself, for the guard: it captures no output of these."""
    return tuple(sorted(MULTIPLEXERS | set(profile.processes)))


def _kind_of_child(fact: ExecStarted, profile: AgentProfile, *, after_shim: bool) -> ExecKind:
    """A child of the agent. Behind a shim stands a command of the model, however much it looks like the
    agent's own: the model can write anything, so only a further shim is believed there.
    """
    line = " ".join(fact.argv)
    if _found(profile.shims, line):
        return "shim"
    if after_shim:
        return "step"
    if _found(profile.housekeeping, line):
        return "housekeeping"
    if names_of(fact.exe, fact.argv) & (MULTIPLEXERS | set(profile.processes)):
        return "agent"
    return _kind_of_command(fact, profile)


def _kind_of_command(fact: ExecStarted, profile: AgentProfile) -> ExecKind:
    call = shell_call(fact.argv)
    if call is not None and fact.fds[0] in _COMMANDS_MAY_COME_FROM and _waits_for_commands(call):
        return "agent"
    if fact.lineage == "orphan" and basename(fact.exe) in _TERMINAL_ACCOUNTING:
        return "housekeeping"
    if profile.steps == "shell" and (call is None or call.command is None):
        return "housekeeping"
    return "step"


def _waits_for_commands(call: ShellCall) -> bool:
    """A persistent shell, or `sh -c bash`, which is how tmux starts the one it is told to."""
    if call.command is None:
        return call.reads_stdin
    inner = shell_call(launched_by(call.command) or ())
    return inner is not None and inner.reads_stdin


def _found(patterns: Sequence[str], line: str) -> bool:
    return any(_compiled(pattern).search(line) for pattern in patterns)


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _with(known: tuple[int, ...], exec_id: int) -> tuple[int, ...]:
    return (*known[-(REMEMBERED_EXECS - 1) :], exec_id)
