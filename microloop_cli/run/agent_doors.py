"""What an agent is given so that it comes to the doors by itself: command, variables, files in its HOME."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.upstream import ADDRESS_VARIABLES, KEY_VARIABLES
from microloop_cli.policy.agent_setup import AgentSetup, home_files, setup_variables, with_arguments
from microloop_cli.policy.model import Policy
from microloop_cli.policy.profiles import Agent
from microloop_cli.run.agent_environment import door_variables, template_values
from microloop_cli.run.ways_out import WaysOut


class AgentDoors(msgspec.Struct, frozen=True):
    """argv: the command. variables: those of the doors, under the user's own. home: path to content."""

    argv: tuple[str, ...]
    variables: dict[str, str]
    home: dict[str, str]


def agent_doors(
    argv: tuple[str, ...],
    agent: Agent,
    policy: Policy,
    ways: WaysOut,
    placeholders: Placeholders,
    environ: Mapping[str, str],
    *,
    home: str,
    replays: bool,
) -> AgentDoors:
    """home: the agent's HOME inside. replays: recorded answers are served, so that no key is needed."""
    shown: dict[Provider, str] = {
        provider: placeholders.of(provider)
        for provider in KEY_VARIABLES
        if replays or _has_key(provider, policy, environ)
    }
    values = template_values(ways.model, shown, home)
    setup: AgentSetup = agent.setup
    variables = {
        **door_variables(ways.model, ways.egress, shown, environ),
        **setup_variables(setup, values),
    }
    command = with_arguments(argv, setup, agent.profile.match, values)
    return AgentDoors(command, variables, home_files(setup, values) if ways.doors else {})


def own_variables(given: Mapping[str, str], entries: tuple[str, ...], ways: WaysOut) -> dict[str, str]:
    """What the user passes on, without addresses and keys that he only named (NAME): the gateway holds these.

    given: name to value; entries: as written, NAME or NAME=VALUE. A value that was written out is passed on.
    """
    if not ways.model:
        return dict(given)
    written = {entry.partition("=")[0] for entry in entries if "=" in entry}
    held = {name for names in (*ADDRESS_VARIABLES.values(), *KEY_VARIABLES.values()) for name in names}
    return {name: value for name, value in given.items() if name in written or name not in held}


def _has_key(provider: Provider, policy: Policy, environ: Mapping[str, str]) -> bool:
    """A server of the user's own may want no key, but its client does not start without one."""
    if (
        getattr(policy.model.keys, provider) is not None
        or getattr(policy.model.upstreams, provider) is not None
    ):
        return True
    return any(environ.get(name) for name in (*KEY_VARIABLES[provider], *ADDRESS_VARIABLES[provider]))
