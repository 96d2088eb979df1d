"""What is a change of the workspace and what is none; each epoch is compared with a fresh snapshot's."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from microloop_cli.workspace.watch import WorkspaceWatch
from tests.needs import need
from tests.workspace.places import Watched, snapshot_of


def test_nothing_done_is_no_change(watched: Watched) -> None:
    assert watched.changed() == []


def test_a_written_file_is_a_change_and_is_named(watched: Watched) -> None:
    watched.write("src/calc.py", "def add(a, b):\n    return a + b\n")
    assert watched.changed() == ["src/calc.py"]
    assert watched.changed() == []


def test_a_revert_is_the_old_epoch_again(watched: Watched) -> None:
    before, old = watched.watch.epoch, (watched.place / "README").read_bytes()
    watched.write("README", "other")
    assert watched.changed() == ["README"]
    assert watched.watch.epoch != before
    watched.write("README", old)
    assert watched.changed() == ["README"]
    assert watched.watch.epoch == before


def test_a_change_and_its_revert_before_settling_are_no_change(watched: Watched) -> None:
    old = (watched.place / "README").read_bytes()
    watched.write("README", "other")
    watched.write("README", old)
    assert watched.changed() == []


def test_touching_a_file_is_no_change(watched: Watched) -> None:
    os.utime(watched.place / "README", (1, 1))
    assert watched.changed() == []


def test_writing_the_same_bytes_is_no_change(watched: Watched) -> None:
    watched.write("README", (watched.place / "README").read_bytes())
    assert watched.changed() == []


def test_replacing_a_file_by_an_equal_one_is_no_change(watched: Watched) -> None:
    shutil.copy(watched.place / "README", watched.place / "README.new")
    (watched.place / "README.new").rename(watched.place / "README")
    assert watched.changed() == []


def test_an_equal_size_and_a_restored_time_do_not_hide_a_change(watched: Watched) -> None:
    path = watched.place / "README"
    stat = path.stat()
    path.write_text("REad me\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert watched.changed() == ["README"]


def test_the_execute_bit_counts_and_the_other_bits_do_not(watched: Watched) -> None:
    (watched.place / "README").chmod(0o600)
    assert watched.changed() == []
    (watched.place / "README").chmod(0o755)
    assert watched.changed() == ["README"]


def test_a_rename_is_a_change_of_both_names(watched: Watched) -> None:
    (watched.place / "README").rename(watched.place / "README.md")
    assert watched.changed() == ["README", "README.md"]


def test_a_deleted_file_is_a_change(watched: Watched) -> None:
    (watched.place / "src/deep/data.txt").unlink()
    assert watched.changed() == ["src/deep/data.txt"]


def test_an_empty_directory_is_no_change(watched: Watched) -> None:
    (watched.place / "empty").mkdir()
    assert watched.changed() == []


def test_nothing_is_missed_in_directories_made_in_a_hurry(watched: Watched) -> None:
    for number in range(50):
        script = (
            f"mkdir -p n{number}/a/b/c && echo {number} > n{number}/a/b/c/file && echo 2 > n{number}/a/two"
        )
        subprocess.run(["sh", "-c", script], cwd=watched.place, check=True)
    change = watched.watch.settle()
    assert change is not None
    assert change.count == 100
    assert watched.changed() == []
    watched.write("n7/a/b/c/file", "later")
    assert watched.changed() == ["n7/a/b/c/file"]


def test_a_moved_directory_is_followed_to_its_new_name(watched: Watched) -> None:
    (watched.place / "src").rename(watched.place / "lib")
    assert watched.changed() == ["lib/calc.py", "lib/deep/data.txt", "src/calc.py", "src/deep/data.txt"]
    watched.write("lib/deep/data.txt", "4")
    assert watched.changed() == ["lib/deep/data.txt"]


def test_directories_that_change_places_are_told_apart(watched: Watched) -> None:
    watched.write("other/calc.py", "other\n")
    assert watched.changed() == ["other/calc.py"]
    script = "mv src t && mv other src && mv t other && echo new > other/calc.py"
    subprocess.run(["sh", "-c", script], cwd=watched.place, check=True)
    assert watched.changed() == ["other/calc.py", "other/deep/data.txt", "src/calc.py", "src/deep/data.txt"]
    watched.write("src/calc.py", "again")
    assert watched.changed() == ["src/calc.py"]


def test_a_directory_moved_out_and_another_moved_in(watched: Watched, tmp_path: Path) -> None:
    (watched.place / "src").rename(tmp_path / "out")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "data.txt").write_text("new")
    (tmp_path / "in").rename(watched.place / "src")
    assert watched.changed() == ["src/calc.py", "src/deep/data.txt"]
    (tmp_path / "out" / "calc.py").write_text("nobody's business")
    assert watched.changed() == []


def test_a_tree_made_anew_with_the_same_contents_is_no_change(watched: Watched, tmp_path: Path) -> None:
    shutil.copytree(watched.place / "src", tmp_path / "copy")
    shutil.rmtree(watched.place / "src")
    shutil.copytree(tmp_path / "copy", watched.place / "src")
    assert watched.changed() == []
    watched.write("src/deep/data.txt", "4")
    assert watched.changed() == ["src/deep/data.txt"]


def test_a_file_that_becomes_a_directory_and_back(watched: Watched) -> None:
    (watched.place / "README").unlink()
    watched.write("README/inner", "x")
    assert watched.changed() == ["README", "README/inner"]
    shutil.rmtree(watched.place / "README")
    watched.write("README", "read me\n")
    assert watched.changed() == ["README", "README/inner"]


def test_moving_directories_about_for_ever_does_not_hold_the_supervisor_up(watched: Watched) -> None:
    for number in range(300):
        (watched.place / ("src" if number % 2 == 0 else "lib")).rename(
            watched.place / ("lib" if number % 2 == 0 else "src")
        )
    assert watched.changed() == []
    watched.write("src/deep/data.txt", "4")
    assert watched.changed() == ["src/deep/data.txt"]


def test_ignored_paths_are_no_change(watched: Watched) -> None:
    watched.write("node_modules/left/index.js")
    watched.write("src/__pycache__/calc.pyc")
    watched.write("a.pyc")
    assert watched.changed() == []
    watched.write("kept.pyc")
    assert watched.changed() == ["kept.pyc"]
    (watched.place / "node_modules").rename(watched.place / "modules")
    assert watched.changed() == ["modules/left/index.js"]


def test_what_git_does_in_its_own_directory_is_no_change(watched: Watched) -> None:
    git = str(need("git"))
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for argv in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "all"], ["gc", "-q"], ["status"]):
        subprocess.run([git, *argv], cwd=watched.place, check=True, capture_output=True)
    watched.write(".microloop/runs/x/events.jsonl")
    assert watched.changed() == []
    watched.write("README", "other")
    assert watched.changed() == ["README"]
    subprocess.run([git, "checkout", "-q", "README"], cwd=watched.place, check=True)
    assert watched.changed() == ["README"]


def test_a_link_is_its_target_and_is_not_followed(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (watched.place / "link").symlink_to(tmp_path / "outside")
    assert watched.changed() == ["link"]
    (tmp_path / "outside" / "file").write_text("x")
    assert watched.changed() == []


def test_a_directory_swapped_for_a_link_shows_nothing_from_outside(watched: Watched, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(watched.place / "src", outside)
    (outside / "calc.py").write_text("secret")
    (outside / "deep" / "data.txt").unlink()
    (outside / "deep" / "data.txt").symlink_to("/etc/passwd")
    shutil.rmtree(watched.place / "src")
    (watched.place / "src").symlink_to(outside)
    assert watched.changed() == ["src", "src/calc.py", "src/deep/data.txt"]


def test_many_changes_are_counted_and_a_hundred_named(watched: Watched) -> None:
    for number in range(250):
        watched.write(f"many/{number:03d}", "x")
    change = watched.watch.settle()
    assert change is not None
    assert change.count == 250
    assert change.paths == tuple(f"many/{number:03d}" for number in range(100))


def test_a_name_that_is_no_utf8_is_shown_with_its_bytes(watched: Watched) -> None:
    (watched.place / os.fsdecode(b"caf\xe9")).write_text("x")
    assert watched.changed() == ["caf\\xe9"]


def test_a_large_file_counts_by_its_content(watched: Watched) -> None:
    path = watched.write("large", bytes(3 << 20))
    assert watched.changed() == ["large"]
    os.utime(path, (1, 1))
    assert watched.changed() == []
    with path.open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"!")
    assert watched.changed() == ["large"]


def test_the_descriptor_is_readable_when_there_is_something_to_settle(watched: Watched) -> None:
    import select

    assert select.select([watched.watch.fileno()], [], [], 0)[0] == []
    watched.write("README", "other")
    assert select.select([watched.watch.fileno()], [], [], 0)[0] == [watched.watch.fileno()]
    assert watched.changed() == ["README"]
    assert select.select([watched.watch.fileno()], [], [], 0)[0] == []


def test_the_descriptor_is_not_left_to_child_processes(watched: Watched) -> None:
    assert not os.get_inheritable(watched.watch.fileno())


def test_closing_gives_all_descriptors_back(place: Path) -> None:
    snapshot = snapshot_of(place)
    WorkspaceWatch(snapshot).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        watch = WorkspaceWatch(snapshot)
        watch.settle()
        watch.close()
        watch.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_settling_with_nothing_pending_is_next_to_free(watched: Watched) -> None:
    def once() -> float:
        start = time.perf_counter()
        for _ in range(100):
            watched.watch.settle()
        return (time.perf_counter() - start) / 100

    assert min(once() for _ in range(20)) < 20e-6


@pytest.mark.parametrize("rounds", range(6))
def test_whatever_is_done_the_epoch_is_that_of_a_fresh_snapshot(watched: Watched, rounds: int) -> None:
    import random

    dice = random.Random(rounds)
    names = ["a", "b", "c", "d"]

    def somewhere() -> Path:
        return watched.place.joinpath(*(dice.choice(names) for _ in range(dice.randint(1, 3))))

    def act() -> None:
        path, other = somewhere(), somewhere()
        kind = dice.randint(0, 7)
        if kind <= 2:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dice.choice("xyz"))
        elif kind == 3:
            path.rename(other)
        elif kind == 4:
            shutil.rmtree(path)
        elif kind == 5:
            path.symlink_to(other)
        elif kind == 6:
            os.link(path, other)
        else:
            path.unlink()

    for _ in range(40):
        for _ in range(dice.randint(1, 12)):
            try:
                act()
            except OSError:
                continue
        watched.changed()
