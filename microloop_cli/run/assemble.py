"""From a request to a run that could start: policy, profile, backend, plan, as data. Changes nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from microloop_cli.backends.base import Backend, SandboxPlan, SandboxRequest
from microloop_cli.backends.registry import choose, get_backend
from microloop_cli.bundle.paths import HOME_NAME, new_run_id
from microloop_cli.core.lineage import agent_names
from microloop_cli.core.settings import Settings
from microloop_cli.guard import wire
from microloop_cli.guard.binary import find_guard
from microloop_cli.policy.layers import Resolved
from microloop_cli.policy.load import load
from microloop_cli.policy.profiles import profile_for
from microloop_cli.policy.settings import chosen_environment, refusal, to_settings, unacceptable
from microloop_cli.run.clock import Clock
from microloop_cli.run.places import channel_base, checked_workspace
from microloop_cli.run.request import RunRequest

# Kept of each stream of a step, each in memory of the guard and in the bundle.
KEPT_HEAD_BYTES = 131_072
KEPT_TAIL_BYTES = 131_072
# An agent's own time-out for a tool is minutes; a supervisor that is silent this long is not coming back.
VERDICT_TIMEOUT_MS = 30_000
RELEASE_TIMEOUT_MS = 5_000


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run ready to start. `given` are the variables passed on for the agent, `nonce` is the guard's."""

    request: RunRequest
    run_id: str
    workspace: Path
    cwd: Path
    resolved: Resolved
    settings: Settings
    given: dict[str, str]
    backend: Backend
    plan: SandboxPlan
    channel_dir: Path
    nonce: str

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
    resolved = load(request.policy, request.options)
    settings = to_settings(resolved, profile_for(request.argv, resolved.policy.agent.profile))
    sandbox = resolved.policy.sandbox
    given = chosen_environment(resolved.policy, request.env, request.environ)
    token = secrets.token_hex(3)
    nonce = secrets.token_hex(16)
    channel = channel_base(request.environ) / f"microloop-{token}{secrets.token_hex(3)}"
    backend = get_backend(choose(sandbox.backend, sandbox.image))
    cwd = request.cwd_inside(workspace)
    plan = backend.plan(
        SandboxRequest(
            argv=request.argv,
            workspace=workspace,
            cwd=cwd,
            runs_dir=workspace / HOME_NAME,
            channel_dir=channel,
            guard=find_guard(),
            nonce=nonce,
            env=given,
            network=sandbox.network,
            interactive=request.interactive,
            image=sandbox.image,
            user=sandbox.user,
            memory_mib=sandbox.memory_mib,
            cpus=sandbox.cpus,
            pids=sandbox.pids,
        )
    )
    lacking = unacceptable(resolved, plan.enforcement.missing)
    if lacking:
        raise refusal(resolved, lacking)
    return Prepared(
        request=request,
        run_id=new_run_id(clock.utc_now(), token),
        workspace=workspace,
        cwd=cwd,
        resolved=resolved,
        settings=settings,
        given=given,
        backend=backend,
        plan=plan,
        channel_dir=channel,
        nonce=nonce,
    )
