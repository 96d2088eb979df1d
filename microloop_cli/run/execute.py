"""Perform a prepared run: bundle, snapshot, watch, session, and the bundle completed whatever happened."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from microloop_cli import __version__
from microloop_cli.bundle.manifest import BUNDLE_SCHEMA
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.redaction_values import secret_values
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.actions import AnyDecision, Ended
from microloop_cli.core.events import AnyFact, RunStarted
from microloop_cli.core.state import initial
from microloop_cli.errors import MicroloopError
from microloop_cli.policy.explain import to_yaml
from microloop_cli.run.assemble import Prepared
from microloop_cli.run.clock import Clock
from microloop_cli.run.environment import environment
from microloop_cli.run.gateways import Gateways
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake
from microloop_cli.run.perform import Performer
from microloop_cli.run.places import channel_dir, seed_home
from microloop_cli.run.redacting import FactRedactor, OutputRedactor
from microloop_cli.run.reports import ReportFiles
from microloop_cli.run.serving import gateways, models
from microloop_cli.run.session import Session
from microloop_cli.run.session_parts import SessionPlan
from microloop_cli.workspace.gitignored import read_repository
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.patch import make_patch
from microloop_cli.workspace.snapshot import Snapshot, take_snapshot
from microloop_cli.workspace.watch import WorkspaceWatch

BEFORE = "workspace"


class Observer(Protocol):
    """Who is told of the run while it goes on: the status line. Seconds are of the run."""

    def began(self, run_id: str, backend: str, profile: str) -> None: ...
    def noted(self, text: str) -> None: ...
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

    Raises BundleError when the bundle cannot be made at all, PolicyError and HostError for a key that is not
    where the policy says.
    """
    known = models(prepared)
    run_dir = create_run_dir(prepared.workspace, prepared.run_id)
    values = secret_values(prepared.secrets, prepared.request.environ)
    redactor = Redactor({**values, **known.secrets})
    with BundleWriter(run_dir, redactor) as writer:
        served = gateways(prepared, known, clock, redactor, writer)
        running = _Running(prepared, clock, observer, writer, redactor, served)
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
    """One run's parts: the session, and what it looks at while the sandbox starts."""

    def __init__(
        self,
        prepared: Prepared,
        clock: Clock,
        observer: Observer,
        writer: BundleWriter,
        redactor: Redactor,
        served: Gateways,
    ) -> None:
        self._prepared = prepared
        self._gateways = served
        self._clock = clock
        self._observer = observer
        self._writer = writer
        self._redactor = redactor
        self._snapshot: Snapshot | None = None
        self._watch: WorkspaceWatch | None = None
        self._environment = environment(
            prepared.plan, prepared.settings.limits, prepared.secrets, prepared.settings.agent.name
        )

    def run(self) -> Ended:
        prepared = self._prepared
        self._observer.began(prepared.run_id, prepared.plan.backend, prepared.settings.agent.name)
        if prepared.lacks is not None:
            self._observer.noted(prepared.lacks)
        try:
            with channel_dir(self._prepared.channel_dir) as folder:
                self._gateways.open(folder)
                seed_home(folder, self._prepared.home_files)
                return asyncio.run(self._session())
        finally:
            self._gateways.close()
            if self._watch is not None:
                # The kernel takes some 20 ms to end an inotify instance: beside the patch and the summary.
                threading.Thread(target=self._watch.close, name="microloop-watch-close").start()

    async def _session(self) -> Ended:
        prepared = self._prepared
        plan = SessionPlan(
            sandbox=prepared.plan,
            channel_dir=prepared.channel_dir,
            nonce=prepared.nonce,
            guard_config=prepared.guard_config,
            grace_seconds=prepared.resolved.policy.limits.grace_seconds,
        )
        session = Session(
            plan, prepared.backend, self._inbox, self._intake, self._observer.ticked, self._gateways
        )
        return await session.run(self._look)

    def _look(self) -> RunStarted:
        """Documents, snapshot, watch: all that must be there before the agent begins."""
        prepared, writer = self._prepared, self._writer
        writer.write_text("policy.yaml", to_yaml(prepared.resolved))
        writer.write_json("environment.json", self._environment)
        rules = self._ignored()
        folder = writer.folder(BEFORE)
        began = self._clock.monotonic()
        self._snapshot = take_snapshot(
            prepared.workspace,
            rules,
            folder,
            lambda files: self._observer.snapshotting(self._clock.monotonic() - began, files),
            self._redactor,
        )
        self._watch = WorkspaceWatch(self._snapshot)
        return self._started(self._snapshot)

    def _ignored(self) -> IgnoreRules:
        """What is no progress when it changes: the policy's patterns, and what the repository leaves out."""
        progress = self._prepared.resolved.policy.progress
        patterns = IgnoreRules(progress.ignore)
        root = os.path.realpath(self._prepared.workspace)
        repository = read_repository(root, patterns, gitignored=progress.ignore_gitignored)
        return IgnoreRules(patterns.patterns, repository)

    def _inbox(self, performer: Performer) -> Inbox:
        state = initial(self._prepared.settings)
        inbox = Inbox(state, self._writer, self._clock, performer, FactRedactor(self._redactor))
        inbox.watchers.append(self._observer.recorded)
        return inbox

    def _intake(self, inbox: Inbox) -> Intake:
        assert self._watch is not None, "the session looks first"
        config = self._prepared.guard_config
        return Intake(
            inbox,
            self._watch,
            self._writer,
            ReportFiles(
                Path(os.path.realpath(self._prepared.workspace)), self._clock.utc_now(), self._redactor.data
            ),
            head_bytes=config.head_bytes,
            tail_bytes=config.tail_bytes,
            redact=OutputRedactor(self._redactor),
        )

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
