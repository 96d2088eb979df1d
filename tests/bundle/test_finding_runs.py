"""Run ids, where runs lie, and finding one."""

from __future__ import annotations

import os
import stat
from datetime import datetime, timezone
from pathlib import Path

import pytest

from microloop_cli.bundle.paths import create_run_dir, find_run, list_runs, new_run_id
from microloop_cli.errors import BundleError, RunNotFound, UsageError
from tests.workspace.places import ordinary_user

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=timezone.utc)
OLD, MIDDLE, NEW = "20260101-000000-aaaaaa", "20260102-000000-bbbbbb", "20260102-000001-cccccc"


@pytest.fixture
def three_runs(tmp_path: Path) -> Path:
    for run_id in (NEW, OLD, MIDDLE):
        create_run_dir(tmp_path, run_id)
    return tmp_path


def test_a_run_id_is_the_utc_time_and_a_token() -> None:
    assert new_run_id(NOON, "0a1b2c") == "20260102-120000-0a1b2c"


@pytest.mark.parametrize("token", ["", "abc", "ABCDEF", "../../", "abcdefa", "abcde\n"])
def test_a_token_that_is_not_six_hex_digits_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not a run id"):
        new_run_id(NOON, token)


def test_runs_are_listed_oldest_first(three_runs: Path) -> None:
    assert [run.name for run in list_runs(three_runs)] == [OLD, MIDDLE, NEW]


def test_what_is_no_run_is_not_listed(three_runs: Path) -> None:
    runs = three_runs / ".microloop" / "runs"
    (runs / "notes").mkdir()
    (runs / "20260103-000000-dddddd").symlink_to(runs / OLD)
    (runs / "20260104-000000-eeeeee").write_text("a file")
    assert [run.name for run in list_runs(three_runs)] == [OLD, MIDDLE, NEW]


def test_the_latest_run_is_found_without_a_name(three_runs: Path) -> None:
    assert find_run(three_runs).name == NEW


def test_a_start_that_only_one_run_has_is_enough(three_runs: Path) -> None:
    assert find_run(three_runs, "20260101").name == OLD
    assert find_run(three_runs, MIDDLE).name == MIDDLE


def test_a_path_names_a_bundle_anywhere(three_runs: Path, tmp_path: Path) -> None:
    assert find_run(tmp_path / "elsewhere", str(three_runs / ".microloop/runs" / OLD)).name == OLD
    with pytest.raises(RunNotFound, match="not the directory of a run"):
        find_run(three_runs, "./nowhere")


def test_a_start_that_two_runs_have_names_both(three_runs: Path) -> None:
    with pytest.raises(RunNotFound, match=f"fits 2 runs: {MIDDLE}, {NEW}"):
        find_run(three_runs, "20260102")


def test_a_run_that_is_not_there_names_the_nearest(three_runs: Path) -> None:
    with pytest.raises(RunNotFound, match="no run '20260102-000009'") as told:
        find_run(three_runs, "20260102-000009")
    assert told.value.hint.startswith("the nearest are 20260102-00000")
    assert told.value.exit_code == 2


def test_a_workspace_without_runs_says_how_to_start_one(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    with pytest.raises(RunNotFound, match="there are no runs") as told:
        find_run(tmp_path)
    assert "microloop run" in told.value.hint


def test_a_run_directory_is_private_and_hidden_from_git(tmp_path: Path) -> None:
    run = create_run_dir(tmp_path, OLD)
    assert run == tmp_path / ".microloop" / "runs" / OLD
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert (tmp_path / ".microloop" / ".gitignore").read_text() == "*\n"


def test_a_gitignore_of_the_users_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".microloop").mkdir()
    (tmp_path / ".microloop" / ".gitignore").write_text("mine\n")
    create_run_dir(tmp_path, OLD)
    assert (tmp_path / ".microloop" / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("name", [".microloop", ".microloop/runs"])
def test_a_link_in_the_way_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="not a directory"):
        create_run_dir(tmp_path, OLD)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_same_run_id_twice_is_an_error(tmp_path: Path) -> None:
    create_run_dir(tmp_path, OLD)
    with pytest.raises(BundleError, match="already there"):
        create_run_dir(tmp_path, OLD)


def test_a_workspace_that_is_none_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a directory"):
        create_run_dir(tmp_path / "missing", OLD)


def test_a_workspace_one_may_not_write_to_is_said_to_be_one(tmp_path: Path) -> None:
    """On /proc not even root can make a directory; an ordinary user cannot in a read-only one."""
    tmp_path.chmod(0o500)
    place = Path("/proc/self") if ordinary_user() != os.geteuid() else tmp_path
    with pytest.raises(BundleError, match="cannot make the run directory") as told:
        create_run_dir(place, OLD)
    assert "must be able to write" in told.value.hint
