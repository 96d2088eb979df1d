"""The sample repository: a function with a bug, and the test that shows it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.needs import need

CALC = "def add(a, b):\n    return a - b\n"
TEST = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A git repository with `calc.py`, whose `add` subtracts, and a pytest file that fails for it."""
    need("git")
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "calc.py").write_text(CALC)
    (folder / "test_calc.py").write_text(TEST)
    (folder / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    identity = ["-c", "user.email=test@example.invalid", "-c", "user.name=test"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder
