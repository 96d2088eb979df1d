"""The command the agent meant, without the shell and wrapping a harness adds. Pure; never raises."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence

from microloop_cli.core.settings import AgentProfile
from microloop_cli.core.shells import shell_call


def canonical(argv: Sequence[str], profile: AgentProfile) -> str:
    """`bash -lc CMD` is CMD; what a wrapper of the profile captures from CMD stands for it; else argv quoted.

    A wrapper's group named `quoted` is one shell word and is unquoted. A `-c` with arguments of its own
    (`sh -c 'echo $1' _ x`) stays whole, since they change what it does.
    """
    call = shell_call(argv)
    if call is None or call.command is None or len(call.arguments) > 1:
        return shlex.join(argv)
    return _unwrapped(call.command, profile.wrappers).strip()


def _unwrapped(command: str, wrappers: Sequence[str]) -> str:
    for wrapper in wrappers:
        match = _compiled(wrapper).search(command)
        if match is None or not match.groups():
            continue
        inner = match.group(1)
        if inner is not None:
            return _unquoted(inner) if "quoted" in match.re.groupindex else inner
    return command


def _unquoted(word: str) -> str:
    """The value of one shell word; the text as it is when it is not exactly one."""
    try:
        words = shlex.split(word)
    except ValueError:
        return word
    return words[0] if len(words) == 1 else word


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
