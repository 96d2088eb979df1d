"""Perform a prepared run: bundle, snapshot, watch, session, and the bundle completed whatever happened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from microloop_cli import __version__
from microloop_cli.bundle.manifest import BUNDLE_SCHEMA
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.actions import AnyDecision, Ended
from microloop_cli.core.events import AnyFact, RunStarted
from microloop_cli.core.state import initial
from microloop_cli.errors import MicroloopError
from microloop_cli.policy.explain import to_yaml
from microloop_cli.run.assemble import Prepared
from microloop_cli.run.clock import Clock
from microloop_cli.run.environment import environment
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake
from microloop_cli.run.perform import Performer
from microloop_cli.run.places import channel_dir
from microloop_cli.run.session import Session, SessionPlan
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.patch import make_patch
from microloop_cli.workspace.snapshot import Snapshot, take_snapshot
from microloop_cli.workspace.watch import WorkspaceWatch

BEFORE = "workspace"


class Observer(Protocol):
    """Who is told of the run while it goes on: the status line. Seconds are of the run."""

    def began(self, run_id: str, backend: str) -> None: ...
    def snapshotting(self, seconds: float, files: int) -> None: ...
    def recorded(self, at: float, events: Sequence[AnyFact | AnyDecision]) -> None: ...
    def ticked(self, at: float) -> None: ...


class Finished(msgspec.Struct, frozen=True):
    """How a run ended and where its bundle is; `error` is what broke it, if anything did."""

    ended: Ended
    bundle: Path
    error: MicroloopError | None = None


Summarise = Callable[[Path, Any, Any], dict[str, Any]]
"""Bundle directory, environment and changes to the summary document; given by the caller, a higher room."""


def execute(prepared: Prepared, clock: Clock, observer: Observer, summarise: Summarise) -> Finished:
    """Run to the end. Once the bundle exists nothing is raised for what goes wrong in the run: see `error`.

    Raises BundleError when the bundle cannot be made at all.
    """
    run_dir = create_run_dir(prepared.workspace, prepared.run_id)
    with BundleWriter(run_dir) as writer:
        running = _Running(prepared, clock, observer, writer)
        try:
            ended, error = running.run(), None
        except MicroloopError as failure:
            ended = Ended(outcome="failed", exit_code=failure.exit_code, reason=failure.message)
            error = failure
        try:
            running.complete(summarise)
        except MicroloopError as failure:
            error = error or failure
    return Finished(ended, run_dir, error)


class _Running:
    """One run's parts, made in order: documents, snapshot, watch, session."""

    def __init__(self, prepared: Prepared, clock: Clock, observer: Observer, writer: BundleWriter) -> None:
        self._prepared = prepared
        self._clock = clock
        self._observer = observer
        self._writer = writer
        self._snapshot: Snapshot | None = None
        self._environment = environment(
            prepared.plan, prepared.settings.limits, prepared.secrets, prepared.settings.agent.name
        )

    def run(self) -> Ended:
        prepared, writer = self._prepared, self._writer
        self._observer.began(prepared.run_id, prepared.plan.backend)
        writer.write_text("policy.yaml", to_yaml(prepared.resolved))
        writer.write_json("environment.json", self._environment)
        rules = IgnoreRules(prepared.resolved.policy.progress.ignore)
        folder = writer.folder(BEFORE)
        began = self._clock.monotonic()
        self._snapshot = take_snapshot(
            prepared.workspace,
            rules,
            folder,
            lambda files: self._observer.snapshotting(self._clock.monotonic() - began, files),
        )
        watch = WorkspaceWatch(self._snapshot)
        try:
            with channel_dir(prepared.channel_dir):
                return asyncio.run(self._session(self._snapshot, watch))
        finally:
            # The kernel takes some 20 ms to end an inotify instance: beside the patch and the summary.
            threading.Thread(target=watch.close, name="microloop-watch-close").start()

    async def _session(self, snapshot: Snapshot, watch: WorkspaceWatch) -> Ended:
        prepared = self._prepared
        plan = SessionPlan(
            sandbox=prepared.plan,
            channel_dir=prepared.channel_dir,
            nonce=prepared.nonce,
            guard_config=prepared.guard_config,
            grace_seconds=prepared.resolved.policy.limits.grace_seconds,
        )
        session = Session(
            plan,
            prepared.backend,
            self._inbox,
            lambda inbox: self._intake(inbox, watch),
            self._observer.ticked,
        )
        return await session.run(self._started(snapshot))

    def _inbox(self, performer: Performer) -> Inbox:
        inbox = Inbox(initial(self._prepared.settings), self._writer, self._clock, performer)
        inbox.watchers.append(self._observer.recorded)
        return inbox

    def _intake(self, inbox: Inbox, watch: WorkspaceWatch) -> Intake:
        config = self._prepared.guard_config
        return Intake(inbox, watch, self._writer, head_bytes=config.head_bytes, tail_bytes=config.tail_bytes)

    def _started(self, snapshot: Snapshot) -> RunStarted:
        prepared = self._prepared
        return RunStarted(
            run_id=prepared.run_id,
            schema=BUNDLE_SCHEMA,
            microloop_version=__version__,
            started_at=self._clock.utc_now().isoformat(timespec="milliseconds"),
            argv=prepared.request.argv,
            cwd=str(prepared.cwd),
            workspace=str(prepared.workspace),
            backend=prepared.plan.backend,
            epoch=snapshot.epoch,
        )

    def complete(self, summarise: Summarise) -> None:
        """Patch, summary and manifest. Raises the first BundleError; what is written stays."""
        changes = None
        if self._snapshot is not None:
            changes = make_patch(self._snapshot, self._writer.path / BEFORE)
        documents = (msgspec.to_builtins(self._environment), msgspec.to_builtins(changes))
        self._writer.write_json("summary.json", summarise(self._writer.path, *documents))
        self._writer.finish()
