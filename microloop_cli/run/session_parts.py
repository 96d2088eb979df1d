"""What a session is given: its plan, and what serves the sandbox beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from microloop_cli.backends.base import SandboxPlan
from microloop_cli.guard import wire
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import Intake


class SessionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a session needs to know beside its parts; `channel_dir` is private and exists."""

    sandbox: SandboxPlan
    channel_dir: Path
    nonce: str
    guard_config: wire.Config
    grace_seconds: float


class Beside(Protocol):
    """What serves the sandbox while the agent runs: gateway and proxy."""

    async def serve(self, inbox: Inbox, intake: Intake) -> None:
        """Until cancelled; clears away what it made. Raises MicroloopError, which breaks the run."""
