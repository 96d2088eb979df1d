"""environment.json and the plan as they may be shown: what the user passed in by --env is never written."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from microloop_cli import __version__
from microloop_cli.backends.base import SandboxPlan
from microloop_cli.bundle.redaction_values import SHORTEST_GIVEN_CHARS
from microloop_cli.core.settings import Limits

ENVIRONMENT_SCHEMA = 1


def environment(plan: SandboxPlan, limits: Limits, given: Mapping[str, str], profile: str) -> dict[str, Any]:
    """The document: host, versions, backend, plan, limits, what is and is not enforced.

    given: variables passed on for the agent; their names are shown, their values are not.
    """
    return {
        "schema": ENVIRONMENT_SCHEMA,
        "microloop_version": __version__,
        "host": {
            "system": platform.system(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "backend": plan.backend,
        "agent_profile": profile,
        "enforcement": {"enforced": plan.enforcement.enforced, "missing": plan.enforcement.missing},
        "limits": limits,
        "notes": list(plan.notes),
        "variables": sorted(given),
        "plan": masked(plan.launch_spec, given),
    }


def masked(value: Any, given: Mapping[str, str]) -> Any:
    """A copy of plain data in which every value of `given` reads `<NAME>` instead."""
    secrets = sorted(
        ((text, name) for name, text in given.items() if len(text) >= SHORTEST_GIVEN_CHARS),
        key=lambda pair: -len(pair[0]),
    )
    return _masked(value, secrets)


def _masked(value: Any, secrets: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for text, name in secrets:
            value = value.replace(text, f"<{name}>")
        return value
    if isinstance(value, Mapping):
        return {_masked(key, secrets): _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item, secrets) for item in value]
    return value
