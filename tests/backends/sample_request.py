"""Requests for plans that are looked at and not performed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from microloop_cli.backends.base import SandboxRequest


def request_for(tmp_path: Path, **more: Any) -> SandboxRequest:
    """A request in `tmp_path`; its workspace exists unless `more` names another one."""
    workspace: Path = more.pop("workspace", tmp_path / "workspace")
    if workspace.is_relative_to(tmp_path):
        (workspace / ".microloop").mkdir(parents=True, exist_ok=True)
    (tmp_path / "channel").mkdir(exist_ok=True)
    guard = tmp_path / "guard"
    guard.write_bytes(Path(sys.executable).read_bytes()[:64])  # a header is all a plan looks at
    guard.chmod(0o755)
    fields: dict[str, Any] = {
        "argv": ("true",),
        "workspace": workspace,
        "cwd": workspace,
        "runs_dir": workspace / ".microloop",
        "channel_dir": tmp_path / "channel",
        "guard": guard,
        "nonce": "n" * 32,
        "env": {},
        "network": "none",
        "interactive": False,
    }
    return SandboxRequest(**(fields | more))
