"""The workspace is checked before anything starts; the channel's directory is private and goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from microloop_cli.errors import HostError, UsageError
from microloop_cli.run.places import channel_base, channel_dir, checked_workspace


def test_a_missing_workspace_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        checked_workspace(tmp_path / "nope")


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a directory"):
        checked_workspace(tmp_path / "file")


def test_the_whole_file_system_is_no_workspace() -> None:
    with pytest.raises(UsageError):
        checked_workspace(Path("/"))


def test_a_link_to_a_workspace_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert checked_workspace(tmp_path / "link") == (tmp_path / "real").resolve()


def test_the_channel_directory_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with channel_dir(tmp_path / "c") as path:
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "socket").touch()
    assert not path.exists()


def test_a_channel_directory_that_is_already_there_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(HostError), channel_dir(tmp_path):
        pass
    assert tmp_path.exists()


def test_a_temporary_directory_too_long_for_a_socket_is_passed_over(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    assert channel_base({"TMPDIR": str(long)}) == Path("/tmp")
    assert channel_base({"TMPDIR": "/var/tmp"}) == Path("/var/tmp")
