"""From a request to a run that could start: policy, profile, backend, plan, as data. Changes nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from microloop_cli.backends.base import DEFAULT_HOME, Backend, SandboxPlan, SandboxRequest
from microloop_cli.backends.registry import choose, get_backend
from microloop_cli.bundle.paths import HOME_NAME, new_run_id
from microloop_cli.core.lineage import agent_names
from microloop_cli.core.settings import Settings
from microloop_cli.gateway.egress.presets import load_rules
from microloop_cli.gateway.egress.rules import Rules
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.guard import wire
from microloop_cli.guard.binary import find_guard
from microloop_cli.policy.layers import Resolved
from microloop_cli.policy.load import load
from microloop_cli.policy.profiles import agent_for
from microloop_cli.policy.settings import chosen_environment, refusal, to_settings, unacceptable
from microloop_cli.run.agent_doors import agent_doors, own_variables, written_names
from microloop_cli.run.clock import Clock
from microloop_cli.run.places import channel_base, checked_workspace
from microloop_cli.run.request import RunRequest
from microloop_cli.run.ways_out import WaysOut, ways_noted, ways_out

# Kept of each stream of a step, each in memory of the guard and in the bundle.
KEPT_HEAD_BYTES = 131_072
KEPT_TAIL_BYTES = 131_072
# An agent's own time-out for a tool is minutes; a supervisor that is silent this long is not coming back.
VERDICT_TIMEOUT_MS = 30_000
RELEASE_TIMEOUT_MS = 5_000


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run ready to start. `given` are the variables passed on for the agent, `nonce` is the guard's.

    argv: the agent's command with what its profile adds; home_files: what it finds in its HOME.
    lacks: what to tell a person whose agent will find no key.
    """

    request: RunRequest
    run_id: str
    workspace: Path
    cwd: Path
    resolved: Resolved
    settings: Settings
    given: dict[str, str]
    argv: tuple[str, ...]
    home_files: dict[str, str]
    lacks: str | None
    backend: Backend
    plan: SandboxPlan
    channel_dir: Path
    nonce: str
    ways: WaysOut
    rules: Rules
    placeholders: Placeholders

    @property
    def secrets(self) -> dict[str, str]:
        """What must not be shown or written: variables and the nonce."""
        return {**self.given, "nonce": self.nonce}

    @property
    def guard_config(self) -> wire.Config:
        return wire.Config(
            nested_local=True,
            capture=True,
            verdict_timeout_ms=VERDICT_TIMEOUT_MS,
            release_timeout_ms=RELEASE_TIMEOUT_MS,
            head_bytes=KEPT_HEAD_BYTES,
            tail_bytes=KEPT_TAIL_BYTES,
            agent_names=agent_names(self.settings.agent),
        )


def prepare(request: RunRequest, clock: Clock) -> Prepared:
    """Resolve and check everything that can be known before the start.

    Raises UsageError and PolicyError for the user's mistakes, CommandNotFound, HostError and SandboxError for
    what the host lacks, also when the policy refuses to run without a boundary the backend cannot enforce.
    """
    workspace = checked_workspace(request.workspace)
    resolved = load(request.policy, request.options, request.more)
    policy, sandbox = resolved.policy, resolved.policy.sandbox
    agent = agent_for(request.argv, policy.agent.profile)
    token, nonce = secrets.token_hex(3), secrets.token_hex(16)
    channel = channel_base(request.environ) / f"microloop-{token}{secrets.token_hex(3)}"
    backend = get_backend(choose(sandbox.backend, sandbox.image))
    rules = load_rules(policy.network)
    ways = ways_out(policy, backend.name)
    placeholders = Placeholders(secrets.token_hex(16))
    written = written_names((*sandbox.env, *request.env))
    inside = agent_doors(
        request.argv,
        agent,
        policy,
        ways,
        placeholders,
        request.environ,
        written,
        home=None if backend.name == "none" else DEFAULT_HOME,
        replays=request.replay_model is not None,
    )
    given = own_variables(chosen_environment(policy, request.env, request.environ), written, ways)
    cwd = request.cwd_inside(workspace)
    plan = backend.plan(
        SandboxRequest(
            argv=inside.argv,
            workspace=workspace,
            cwd=cwd,
            runs_dir=workspace / HOME_NAME,
            channel_dir=channel,
            guard=find_guard(),
            nonce=nonce,
            env={**inside.variables, **given},
            network=sandbox.network,
            interactive=request.interactive,
            image=sandbox.image,
            user=sandbox.user,
            memory_mib=sandbox.memory_mib,
            cpus=sandbox.cpus,
            pids=sandbox.pids,
            doors=ways.doors,
            seeded=bool(inside.home),
        )
    )
    notes = [*ways_noted(policy, backend.name), *filter(None, [inside.lacks])]
    lacking = unacceptable(resolved, plan.enforcement.missing)
    if lacking:
        raise refusal(resolved, lacking)
    return Prepared(
        request=request,
        run_id=new_run_id(clock.utc_now(), token),
        workspace=workspace,
        cwd=cwd,
        resolved=resolved,
        settings=to_settings(resolved, agent.profile),
        given=given,
        argv=inside.argv,
        home_files=inside.home,
        lacks=inside.lacks,
        backend=backend,
        plan=msgspec.structs.replace(plan, notes=(*plan.notes, *notes)),
        channel_dir=channel,
        nonce=nonce,
        ways=ways,
        rules=rules,
        placeholders=placeholders,
    )
