"""The sandbox starts while the workspace is read; the agent does not, and nothing stays of a start given up."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from microloop_cli.backends.base import Sandbox, SandboxPlan
from microloop_cli.backends.registry import get_backend
from microloop_cli.core.actions import AnyDecision
from microloop_cli.core.events import AnyFact
from microloop_cli.errors import BundleError
from microloop_cli.guard.binary import find_guard
from microloop_cli.testing.backend import FakeBackend, FakeSandbox
from tests.needs import need_bwrap
from tests.run.test_session import Ledger, follow

LONGER_THAN_A_GUARD_WAITS_FOR_BYE_SECONDS = 11


class Watched(FakeBackend):
    """Notes when a sandbox is launched and cleared away."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        self.seen.append("launched")
        sandbox = await super().launch(plan)
        assert isinstance(sandbox, FakeSandbox)
        close = sandbox.close

        async def noting() -> None:
            await close()
            self.seen.append("closed")

        sandbox.close = noting  # type: ignore[method-assign]
        return sandbox


def test_the_sandbox_is_launched_before_the_workspace_is_read(tmp_path: Path) -> None:
    backend = Watched()
    ended = follow(tmp_path, ("true",), Ledger(), backend=backend, look=lambda: backend.seen.append("look"))
    assert ended.exit_code == 0
    assert backend.seen == ["launched", "look", "closed"]


def test_the_time_that_reading_the_workspace_takes_is_not_the_runs(tmp_path: Path) -> None:
    class Timed(Ledger):
        first: float | None = None

        def append(self, at: float, *events: AnyFact | AnyDecision) -> None:
            self.first = at if self.first is None else self.first
            super().append(at, *events)

    ledger = Timed()
    follow(tmp_path, ("true",), ledger, look=lambda: time.sleep(0.5))
    assert ledger.first is not None
    assert ledger.first < 0.5


def test_when_the_workspace_cannot_be_recorded_the_sandbox_is_cleared_away(tmp_path: Path) -> None:
    def full() -> None:
        raise BundleError("the disk is full")

    backend, ledger = Watched(), Ledger()
    with pytest.raises(BundleError, match="the disk is full"):
        follow(tmp_path, ("touch", "ran"), ledger, backend=backend, look=full)
    assert backend.seen == ["launched", "closed"]
    assert ledger.events == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_workspace_is_read_ends_the_run_and_clears_the_sandbox_away(
    tmp_path: Path, number: signal.Signals
) -> None:
    def interrupted() -> None:
        signal.raise_signal(number)
        raise AssertionError("it went on")

    before = signal.getsignal(number)
    backend = Watched()
    with pytest.raises(SystemExit) as leaving:
        follow(tmp_path, ("touch", "ran"), Ledger(), backend=backend, look=interrupted)
    assert leaving.value.code == 128 + number
    assert backend.seen == ["launched", "closed"]
    assert signal.getsignal(number) == before


def test_a_signal_while_the_sandbox_is_launched_ends_the_run_before_the_workspace_is_read(
    tmp_path: Path,
) -> None:
    class Interrupting(Watched):
        async def launch(self, plan: SandboxPlan) -> Sandbox:
            signal.raise_signal(signal.SIGTERM)
            return await super().launch(plan)

    backend = Interrupting()
    with pytest.raises(SystemExit) as leaving:
        follow(tmp_path, ("true",), Ledger(), backend=backend, look=lambda: backend.seen.append("look"))
    assert leaving.value.code == 143
    assert backend.seen == ["launched", "closed"]


@pytest.mark.slow
def test_the_guard_waits_as_long_as_a_big_workspace_takes_and_the_agent_with_it(tmp_path: Path) -> None:
    need_bwrap()
    workspace = tmp_path / "w"
    (workspace / ".microloop").mkdir(parents=True)

    def slow() -> None:
        time.sleep(LONGER_THAN_A_GUARD_WAITS_FOR_BYE_SECONDS)
        assert not (workspace / "ran").exists()

    ended = follow(
        workspace, ("touch", "ran"), Ledger(), backend=get_backend("bwrap"), look=slow, guard=find_guard()
    )
    assert ended.exit_code == 0
    assert (workspace / "ran").exists()
