"""What serves a run's doors, made from what was prepared: keys are read and recordings loaded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.errors import PolicyError, UsageError
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.upstream import Upstream
from microloop_cli.run.gateways import Gateways
from microloop_cli.run.metered import Metered, model_upstreams
from microloop_cli.run.replayed import tape_of

if TYPE_CHECKING:
    from microloop_cli.bundle.redaction import Redactor
    from microloop_cli.bundle.writer import BundleWriter
    from microloop_cli.gateway.recording.tape import Tape
    from microloop_cli.policy.model import Policy
    from microloop_cli.run.assemble import Prepared
    from microloop_cli.run.clock import Clock
    from microloop_cli.run.ways_out import WaysOut


class Models(msgspec.Struct, frozen=True):
    """Upstreams with their keys, or a tape that stands for them; nothing of both: no way to models."""

    upstreams: Mapping[Provider, Upstream] = {}
    tape: Tape | None = None

    @property
    def secrets(self) -> dict[str, str]:
        """The keys, by the names they are shown by where they would stand."""
        keys = ((f"{provider} key", upstream.key) for provider, upstream in self.upstreams.items())
        return {name: key for name, key in keys if key}


def models(prepared: Prepared) -> Models:
    """May run a command for a key. Raises PolicyError, UsageError, HostError."""
    policy = prepared.resolved.policy
    if prepared.request.replay_model is not None:
        if not prepared.ways.model:
            raise UsageError(
                "--replay-model: the policy leaves no way to models (model.gateway: false)",
                hint="set model.gateway: true; no model is asked in a replay",
            )
        return Models(tape=tape_of(prepared.request.replay_model, prepared.workspace))
    if not policy.model.gateway:
        _check_uncounted(policy, prepared.ways)
        return Models()
    return Models(upstreams=model_upstreams(policy, prepared.request.environ))


def gateways(
    prepared: Prepared, models: Models, clock: Clock, redactor: Redactor, writer: BundleWriter
) -> Gateways:
    """The servers of this run; nothing listens yet."""
    policy = prepared.resolved.policy
    metered = None
    if prepared.ways.model:
        from microloop_cli.gateway.recording.recorder import Recorder

        metered = Metered(
            policy=policy,
            upstreams=models.upstreams,
            placeholders=prepared.placeholders,
            project=prepared.workspace,
            environ=prepared.request.environ,
            clock=clock,
            recorder=Recorder(writer.write_model_record) if policy.model.record else None,
            tape=models.tape,
            redact=redactor.data,
        )
    config = prepared.guard_config
    return Gateways(
        prepared.ways,
        metered,
        prepared.rules,
        policy.network.proxy,
        clock,
        redactor,
        writer,
        head_bytes=config.head_bytes,
        tail_bytes=config.tail_bytes,
    )


def _check_uncounted(policy: Policy, ways: WaysOut) -> None:
    """Without a gateway nothing is counted: a limit would hold only because there is no network at all."""
    limits = policy.limits.cost_usd, policy.limits.tokens, policy.limits.model_calls
    budgets = policy.budgets.day_usd, policy.budgets.project_day_usd, policy.budgets.project_usd
    if not ways.egress and any(limit is not None for limit in (*limits, *budgets)):
        raise PolicyError(
            "what models cost cannot be limited: the network is the host's, and model.gateway is false",
            hint="set model.gateway: true, or take the limits of cost, tokens and model calls away",
        )
