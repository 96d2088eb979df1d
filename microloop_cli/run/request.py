"""What the user asked for: a command line of `microloop run`, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A command line of `microloop run`, parsed.

    options: policy key path to (option, value) for every option that was given; more: the same for options
    that add to a list. env: NAME or NAME=VALUE. replay_model: a run (id or directory) whose recorded model
    answers are served instead of a model's.
    environ: microloop's own environment. interactive: stdin, stdout and stderr are all terminals.
    """

    argv: tuple[str, ...]
    workspace: Path
    policy: str | None
    options: Mapping[str, tuple[str, Any]]
    env: tuple[str, ...]
    environ: dict[str, str]
    interactive: bool
    more: Mapping[str, tuple[str, tuple[str, ...]]] = {}
    replay_model: str | None = None

    def cwd_inside(self, workspace: Path) -> Path:
        """Where the agent starts: where the user stands when that is in the workspace, else its top."""
        here = Path.cwd()
        return here if here == workspace or workspace in here.parents else workspace
