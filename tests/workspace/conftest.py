"""A small workspace, alone or watched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from microloop_cli.workspace.watch import WorkspaceWatch
from tests.workspace.places import Watched, snapshot_of


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace of four files."""
    place = tmp_path / "project"
    (place / "src" / "deep").mkdir(parents=True)
    (place / "README").write_text("read me\n")
    (place / "src" / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (place / "src" / "deep" / "data.txt").write_text("1\n2\n3\n")
    (place / "image.bin").write_bytes(b"\x89PNG\0\0" + bytes(200))
    return place


@pytest.fixture
def watched(place: Path) -> Iterator[Watched]:
    watch = WorkspaceWatch(snapshot_of(place))
    assert watch.degraded is None
    yield Watched(place, watch)
    watch.close()
