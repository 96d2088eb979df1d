"""Workspaces for whole runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.needs import need, need_bwrap


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty folder that is no git repository; the test needs bubblewrap."""
    need_bwrap()
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def repository(workspace: Path) -> Path:
    """The workspace as a git repository with one committed file, `notes.txt`."""
    need("git")
    (workspace / "notes.txt").write_text("one\ntwo\n")
    identity = ["-c", "user.email=test@example.invalid", "-c", "user.name=test"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=workspace, check=True, capture_output=True)
    return workspace
