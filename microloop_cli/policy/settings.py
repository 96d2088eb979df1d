"""What follows from a resolved policy: the core's settings, the agent's environment, what must hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from microloop_cli.core import settings as core
from microloop_cli.errors import SandboxError
from microloop_cli.policy.layers import BUILT_IN, Resolved, Setting, checked_as
from microloop_cli.policy.model import EnvEntry, Policy

_Model = TypeVar("_Model", bound=msgspec.Struct)

# Boundaries that only matter when a number is set for them.
_LIMITED_BY = {"memory": "sandbox.memory_mib", "cpu": "sandbox.cpus", "pids": "sandbox.pids"}
_NOT_ASKED_FOR = frozenset({BUILT_IN, "default policy"})


def to_settings(resolved: Resolved, profile: core.AgentProfile) -> core.Settings:
    """The settings of `core.step`; the policy's own agent processes are added to the profile's."""
    policy = resolved.policy
    processes = tuple(dict.fromkeys((*profile.processes, *policy.agent.processes)))
    return core.Settings(
        limits=_same_fields(policy.limits, core.Limits),
        progress=_same_fields(policy.progress, core.Progress),
        agent=msgspec.structs.replace(profile, processes=processes),
    )


def chosen_environment(
    policy: Policy, options: Iterable[str], environ: Mapping[str, str], *, option: str = "--env"
) -> dict[str, str]:
    """The variables for the agent: the policy's entries, then the command line's; NAME is taken from environ.

    A NAME that environ does not have is left out. Raises PolicyError for what is no NAME or NAME=VALUE.
    """
    given = [checked_as(EnvEntry, option, Setting(entry, "command line")) for entry in options]
    chosen: dict[str, str] = {}
    for entry in (*policy.sandbox.env, *given):
        name, equals, value = entry.partition("=")
        if equals:
            chosen[name] = value
        elif name in environ:
            chosen[name] = environ[name]
    return chosen


def unacceptable(resolved: Resolved, missing: Iterable[str]) -> tuple[str, ...]:
    """Those of the missing boundaries (`backends.base.Boundary`) for which the policy refuses to run.

    With on_unenforced `record` none. With `refuse` every one, except memory, cpu and pids when no number is
    set for them or it is only the default policy's: nobody asked for that one.
    """
    if resolved.policy.sandbox.on_unenforced == "record":
        return ()
    return tuple(boundary for boundary in missing if _is_wanted(resolved, boundary))


def refusal(resolved: Resolved, boundaries: Iterable[str]) -> SandboxError:
    """The error for a run that the policy does not allow here: what lacks is the host's, not the policy's."""
    source = resolved.provenance["sandbox.on_unenforced"]
    return SandboxError(
        f"{source}: sandbox.on_unenforced: refuse: this sandbox cannot enforce {', '.join(boundaries)}",
        hint="see microloop doctor; choose another --sandbox, or a policy with on_unenforced: record",
    )


def _is_wanted(resolved: Resolved, boundary: str) -> bool:
    path = _LIMITED_BY.get(boundary)
    if path is None:
        return True
    value = getattr(resolved.policy.sandbox, path.rpartition(".")[2])
    return value is not None and resolved.provenance[path] not in _NOT_ASKED_FOR


def _same_fields(section: msgspec.Struct, model: type[_Model]) -> _Model:
    wanted = {name: getattr(section, name) for name in model.__struct_fields__}
    return msgspec.convert(msgspec.to_builtins(wanted), model)
