"""What serves a run's doors, made from what was prepared: keys are read and recordings loaded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.bundle.paths import find_run
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.core.events import RunStarted
from microloop_cli.errors import UsageError
from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.upstream import Upstream
from microloop_cli.run.gateways import Gateways
from microloop_cli.run.metered import Metered, model_upstreams

if TYPE_CHECKING:
    from microloop_cli.bundle.redaction import Redactor
    from microloop_cli.bundle.writer import BundleWriter
    from microloop_cli.gateway.recording.tape import Tape
    from microloop_cli.run.assemble import Prepared
    from microloop_cli.run.clock import Clock


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
    """May run a command for a key. Raises PolicyError, UsageError, HostError, BundleError."""
    policy = prepared.resolved.policy
    if prepared.request.replay_model is not None:
        return Models(tape=_tape(prepared, prepared.request.replay_model))
    if not policy.model.gateway:
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


def _tape(prepared: Prepared, named: str) -> Tape:
    from microloop_cli.bundle.model_records import read_model_records
    from microloop_cli.gateway.recording.tape import Tape

    bundle = open_bundle(find_run(prepared.workspace, named))
    first = next((entry.event for entry in bundle.entries()), None)
    records = list(read_model_records(bundle.path))
    if not records:
        raise UsageError(
            f"--replay-model: run {bundle.run_id} has no recorded model calls",
            hint="record one with: microloop run --record-model -- ...",
        )
    recorded_in = first.workspace if isinstance(first, RunStarted) else ""
    return Tape(records, recorded_in=recorded_in, workspace=str(prepared.workspace), run=bundle.run_id)
