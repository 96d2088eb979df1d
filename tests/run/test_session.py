"""A session over the fake sandbox: how it ends when something goes wrong on our side or on the other."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from microloop_cli.backends.base import Backend, Sandbox, SandboxPlan, SandboxRequest
from microloop_cli.core.actions import AnyDecision, Ended
from microloop_cli.core.events import AnyFact, ExecStarted, RunStarted
from microloop_cli.core.settings import Limits, Settings
from microloop_cli.core.state import OpenStep, initial
from microloop_cli.errors import BundleError, HostError, SandboxError
from microloop_cli.guard import wire
from microloop_cli.guard.facts import plain_fact
from microloop_cli.run.clock import SystemClock
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake
from microloop_cli.run.session import Session
from microloop_cli.run.session_parts import Beside, SessionPlan
from microloop_cli.testing.backend import FakeBackend
from tests.e2e.running import processes_with, wait_until


class Ledger:
    def __init__(self, on_append: Callable[[AnyFact | AnyDecision], None] | None = None) -> None:
        self.events: list[AnyFact | AnyDecision] = []
        self._on_append = on_append

    def append(self, at: float, *events: AnyFact | AnyDecision) -> None:
        for event in events:
            if self._on_append is not None:
                self._on_append(event)
            self.events.append(event)


class StillWatch:
    degraded = None

    def settle(self) -> None:
        return None


class NoStore:
    def write_step_output(self, n: int, **streams: object) -> None:
        raise AssertionError("the fake has no steps")


class NoReports:
    def outcome(self, step: OpenStep, changed: tuple[str, ...]) -> None:
        raise AssertionError("the fake has no steps")


class UnstartableBackend(FakeBackend):
    async def launch(self, plan: SandboxPlan) -> Sandbox:
        raise SandboxError("no sandbox today", hint="try tomorrow")


class SilentBackend(FakeBackend):
    """Starts, and ends before its guard says anything."""

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        spec = {**plan.launch_spec, "channel": "/nowhere/channel.sock"}
        return await super().launch(
            SandboxPlan(backend="none", launch_spec=spec, enforcement=plan.enforcement)
        )


def follow(
    folder: Path,
    argv: tuple[str, ...],
    ledger: Ledger,
    limits: Limits | None = None,
    backend: Backend | None = None,
    look: Callable[[], object] = lambda: None,
    guard: Path = Path("/bin/true"),
    beside: Beside | None = None,
) -> Ended:
    backend = backend or FakeBackend()
    channel = folder.with_name(folder.name + "-c")
    channel.mkdir(mode=0o700)
    request = SandboxRequest(
        argv=argv, workspace=folder, cwd=folder, runs_dir=folder / ".microloop", channel_dir=channel,
        guard=guard, nonce="n", env={}, network="none", interactive=False,
    )  # fmt: skip
    plan = SessionPlan(
        sandbox=backend.plan(request),
        channel_dir=channel,
        nonce="n",
        guard_config=wire.Config(),
        grace_seconds=0.3,
    )
    started = RunStarted(
        run_id="r", schema=1, microloop_version="0", started_at="", argv=argv, cwd=str(folder),
        workspace=str(folder), backend="none", epoch="e",
    )  # fmt: skip

    async def scene() -> Ended:
        settings = Settings(limits=limits or Limits())
        session = Session(
            plan,
            backend,
            lambda performer: Inbox(initial(settings), ledger, SystemClock(), performer),
            lambda inbox: Intake(inbox, StillWatch(), NoStore(), NoReports(), head_bytes=1, tail_bytes=1),
            lambda at: None,
            beside,
        )
        return await session.run(lambda: (look(), started)[1])

    return asyncio.run(scene())


def test_the_agents_own_exit_code_is_the_runs(tmp_path: Path) -> None:
    ledger = Ledger()
    assert follow(tmp_path, ("sh", "-c", "exit 7"), ledger).exit_code == 7
    assert [type(event).__name__ for event in ledger.events] == [
        "RunStarted", "SandboxReady", "ExecStarted", "Verdict", "AgentExited", "Ended",
    ]  # fmt: skip


def test_a_time_limit_ends_an_agent_that_ignores_it(tmp_path: Path) -> None:
    mark = f"41.{time.time_ns() % 10**6:06d}"
    script = f"trap '' TERM; while :; do sleep {mark}; done"
    ended = follow(tmp_path, ("sh", "-c", script), Ledger(), Limits(wall_seconds=0.5))
    assert (ended.outcome, ended.exit_code) == ("time_limit", 124)
    wait_until(lambda: processes_with(mark) == [], "the fake's processes are gone")


def test_a_sandbox_that_cannot_start_is_recorded_and_told(tmp_path: Path) -> None:
    ledger = Ledger()
    with pytest.raises(SandboxError, match="no sandbox today"):
        follow(tmp_path, ("true",), ledger, backend=UnstartableBackend())
    assert [type(event).__name__ for event in ledger.events] == ["RunStarted", "GuardFailed", "Ended"]


def test_a_sandbox_that_ends_without_a_word_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="before its guard said anything"):
        follow(tmp_path, ("true",), Ledger(), backend=SilentBackend())


def test_when_recording_fails_nothing_runs_on_unrecorded(tmp_path: Path) -> None:
    def full(event: AnyFact | AnyDecision) -> None:
        if isinstance(event, ExecStarted):
            raise BundleError("the disk is full")

    ledger = Ledger(full)
    with pytest.raises(BundleError, match="the disk is full"):
        follow(tmp_path, ("sh", "-c", "touch ran"), ledger)
    assert not (tmp_path / "ran").exists()
    assert isinstance(ledger.events[-1], Ended)


def test_a_defect_of_ours_ends_the_sandbox_and_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Intake, message: wire.GuardMessage) -> None:
        raise ZeroDivisionError(f"while taking {plain_fact(message)!r}")

    monkeypatch.setattr(Intake, "__call__", broken)
    with pytest.raises(ZeroDivisionError):
        follow(tmp_path, ("sh", "-c", "touch ran"), Ledger())
    assert not (tmp_path / "ran").exists()


class Broken:
    """A gateway with a defect."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def serve(self, inbox: Inbox, intake: Intake) -> None:
        raise self._error


def test_a_defect_of_the_gateway_ends_the_run_for_its_agent_would_wait_for_ever(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        follow(tmp_path, ("sleep", "60"), Ledger(), beside=Broken(RuntimeError("a defect")))


def test_a_gateway_that_cannot_listen_breaks_the_run_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no socket"):
        follow(tmp_path, ("sleep", "60"), Ledger(), beside=Broken(HostError("no socket")))


class Crowded:
    """A gateway whose door cannot be opened for a moment: the process may open no more files."""

    async def serve(self, inbox: Inbox, intake: Intake) -> None:
        error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        said = {"message": "socket.accept() out of system resource", "exception": error, "socket": None}
        asyncio.get_running_loop().call_exception_handler(said)
        await asyncio.Event().wait()


def test_a_door_that_lets_nobody_in_for_want_of_files_does_not_end_the_run(tmp_path: Path) -> None:
    ended = follow(tmp_path, ("sh", "-c", "sleep 0.3; exit 3"), Ledger(), beside=Crowded())
    assert (ended.outcome, ended.exit_code) == ("ended", 3)
