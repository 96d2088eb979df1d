"""pyenv's shims are seen through as pyenv itself would."""

from __future__ import annotations

from pathlib import Path

import pytest

from microloop_cli.backends.programs import needs_of
from microloop_cli.backends.pyenv import chosen_bins


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    root = tmp_path / "pyenv"
    for version in ("3.9.1", "3.11.2", "3.11.10", "venvs"):
        (root / "versions" / version / "bin").mkdir(parents=True)
    (root / "version").write_text("3.9.1\n")
    (root / "shims").mkdir()
    return root / "shims"


def names(shims: Path, cwd: Path, named: str | None = None) -> list[str]:
    return [path.parent.name for path in chosen_bins(shims, cwd, named)]


def test_the_global_version_is_taken_without_another(shims: Path, tmp_path: Path) -> None:
    assert names(shims, tmp_path) == ["3.9.1"]


def test_the_nearest_version_file_wins_over_the_global_one(shims: Path, tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "src"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".python-version").write_text("# ours\n3.11.2\nvenvs\n")
    assert names(shims, inner) == ["3.11.2", "venvs"]


def test_the_variable_wins_over_files(shims: Path, tmp_path: Path) -> None:
    assert names(shims, tmp_path, "3.11.2:system") == ["3.11.2"]


def test_a_prefix_stands_for_the_newest_release(shims: Path, tmp_path: Path) -> None:
    assert names(shims, tmp_path, "3.11") == ["3.11.10"]


@pytest.mark.parametrize("version", ["../../..", "/etc", "*", "nope", "..", ""])
def test_a_version_that_is_none_of_pyenvs_chooses_nothing(shims: Path, tmp_path: Path, version: str) -> None:
    (tmp_path / ".python-version").write_text(version)
    assert names(shims, tmp_path) in ([], ["3.9.1"])


def test_other_directories_called_shims_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shims").mkdir()
    assert chosen_bins(tmp_path / "shims", tmp_path, "3.11") == ()


def test_the_agent_finds_the_real_python_before_the_shim(shims: Path, tmp_path: Path) -> None:
    for place in (shims, shims.parent / "versions" / "3.9.1" / "bin"):
        (place / "python3").write_text("#!/bin/sh\n")
        (place / "python3").chmod(0o755)
    needs = needs_of(
        "python3",
        path=f"{shims}:/usr/bin",
        cwd=tmp_path,
        home=tmp_path / "home",
        workspace=tmp_path / "repo",
        roots=[Path("/usr")],
    )
    assert needs.program == "python3"
    assert needs.path.index(str(shims.parent / "versions" / "3.9.1" / "bin")) == 0
