"""Seeds: files laid ready for the agent are in its home, its own to change, before it starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from microloop_cli.guard import wire

from .conftest import Run
from .harness import Launcher, Session

PREFIX = "not put into the agent's home: "


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    folder = tmp_path / "seed"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def seeded(
    run: Run, launcher: Launcher, seed: Path, home: Path, env: Mapping[str, str] | None = None
) -> list[str]:
    """Run a command with the seed; what was not copied, sorted."""
    env = {**os.environ, "HOME": str(home)} if env is None else env
    session: Session = run(launcher, "/bin/true", options=["--seed", str(seed)], env=env)
    assert session.process.returncode == 0
    notices = [notice.text for notice in session.all(wire.Notice)]
    assert all(text.startswith(PREFIX) for text in notices)
    return sorted(text.removeprefix(PREFIX) for text in notices)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_files_and_folders_are_copied_and_belong_to_the_agent_alone(
    launcher: Launcher, run: Run, seed: Path, home: Path
) -> None:
    (seed / ".config" / "agent" / "empty").mkdir(parents=True)
    (seed / ".config" / "agent" / "settings.json").write_bytes(os.urandom(200_000))
    (seed / "key helper").write_text("#!/bin/sh\n")
    (seed / "key helper").chmod(0o4755)
    assert seeded(run, launcher, seed, home) == []
    copied = home / ".config" / "agent" / "settings.json"
    assert copied.read_bytes() == (seed / ".config" / "agent" / "settings.json").read_bytes()
    assert [mode(path) for path in (copied, home / "key helper")] == [0o600, 0o700]
    assert [mode(home / name) for name in (".config", ".config/agent/empty")] == [0o700, 0o700]


def test_what_the_home_holds_already_is_left_as_it_is(
    plain: Launcher, run: Run, seed: Path, home: Path
) -> None:
    for folder, text in ((seed, "new"), (home, "old")):
        (folder / "both").mkdir(mode=0o755)
        (folder / "both" / "file").write_text(text)
    (seed / "both" / "other").write_text("new")
    assert seeded(run, plain, seed, home) == ["both/file: File exists"]
    assert [(home / "both" / name).read_text() for name in ("file", "other")] == ["old", "new"]
    assert mode(home / "both") == 0o755


def test_links_and_special_files_are_neither_followed_nor_copied(
    plain: Launcher, run: Run, seed: Path, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of the host")
    (seed / "file").symlink_to(tmp_path / "secret")
    (seed / "folder").symlink_to(tmp_path)
    os.mkfifo(seed / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(seed / "socket"))
    said = seeded(run, plain, seed, home)
    assert said == [f"{n}: neither a file nor a folder" for n in ("fifo", "file", "folder", "socket")]
    assert list(home.iterdir()) == []


def test_a_link_in_the_home_is_not_written_through(
    plain: Launcher, run: Run, seed: Path, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / ".config").symlink_to(tmp_path / "elsewhere")
    (home / "dangling").symlink_to(tmp_path / "new")
    (seed / ".config").mkdir()
    (seed / ".config" / "file").write_text("x")
    (seed / "dangling").write_text("x")
    assert seeded(run, plain, seed, home) == [".config: Not a directory", "dangling: File exists"]
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_seed_or_home_that_is_not_there_is_a_notice_and_the_agent_starts(
    plain: Launcher, run: Run, seed: Path, home: Path
) -> None:
    assert seeded(run, plain, seed / "no", home) == [".: No such file or directory"]
    assert seeded(run, plain, seed, home / "no") == [".: No such file or directory"]
    without = {name: value for name, value in os.environ.items() if name != "HOME"}
    assert seeded(run, plain, seed, home, env=without) == [".: HOME is not set"]


def test_a_seed_without_end_is_cut_off_and_said(plain: Launcher, run: Run, seed: Path, home: Path) -> None:
    for number in range(1100):
        (seed / str(number)).touch()
    (said,) = seeded(run, plain, seed, home)
    assert said.endswith(": too many files")
    assert len(list(home.iterdir())) == 1000


def test_a_file_too_large_is_left_out_whole(plain: Launcher, run: Run, seed: Path, home: Path) -> None:
    with (seed / "large").open("wb") as file:
        file.truncate(65 << 20)
    assert seeded(run, plain, seed, home) == ["large: File too large"]
    assert list(home.iterdir()) == []


def test_folders_nested_too_deep_are_left_out(plain: Launcher, run: Run, seed: Path, home: Path) -> None:
    deep = seed.joinpath(*["d"] * 15)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "d").mkdir()
    assert seeded(run, plain, seed, home) == ["/".join(["d"] * 16) + ": too deep"]
    assert home.joinpath(*["d"] * 15, "file").exists()
