"""What an agent can do to the workspace while it is watched: nothing of it hangs, raises or is missed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from microloop_cli.workspace import watch as watch_module
from microloop_cli.workspace.fingerprint import HUGE_BYTES, NEVER_NS, clock_of, fingerprint
from microloop_cli.workspace.watch import WorkspaceWatch
from tests.workspace.places import Watched, changes_of, epoch_of, snapshot_of


def test_links_in_circles_are_links_and_nothing_more(watched: Watched) -> None:
    (watched.place / "src" / "up").symlink_to("..")
    (watched.place / "src" / "self").symlink_to("self")
    (watched.place / "src" / "root").symlink_to(watched.place)
    (watched.place / "ping").symlink_to("pong")
    (watched.place / "pong").symlink_to("ping")
    assert watched.changed() == ["ping", "pong", "src/root", "src/self", "src/up"]
    watched.write("README", "through a circle")
    assert watched.changed() == ["README"]


def test_a_directory_that_becomes_a_link_into_itself_takes_its_files_along(watched: Watched) -> None:
    shutil.rmtree(watched.place / "src")
    (watched.place / "src").symlink_to("src/deep")
    assert watched.changed() == ["src", "src/calc.py", "src/deep/data.txt"]
    (watched.place / "src").unlink()
    watched.write("src/calc.py", "back")
    assert watched.changed() == ["src", "src/calc.py"]


def test_fifos_sockets_and_devices_are_seen_and_never_opened(watched: Watched) -> None:
    os.mkfifo(watched.place / "fifo")
    wanted = ["fifo", "socket"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(watched.place / "socket"))
        if os.geteuid() == 0:
            os.mknod(watched.place / "device", 0o20600, os.makedev(1, 5))
            wanted.insert(0, "device")
        assert watched.changed() == wanted
    (watched.place / "fifo").unlink()
    watched.write("fifo", "a file now")
    assert watched.changed() == ["fifo"]


def test_a_file_swapped_for_a_fifo_again_and_again_holds_nobody_up(watched: Watched) -> None:
    script = """
import os
while True:
    open("x", "w").write("x")
    os.unlink("x")
    os.mkfifo("x")
    os.unlink("x")
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=watched.place) as agent:
        try:
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                start = time.monotonic()
                watched.watch.settle()
                assert time.monotonic() - start < 1.0
        finally:
            agent.kill()
    watched.watch.settle()
    assert watched.watch.epoch == epoch_of(watched.place)


def test_files_that_vanish_while_they_are_hashed_raise_nothing(watched: Watched) -> None:
    stop = threading.Event()

    def stir() -> None:
        while not stop.is_set():
            for number in range(20):
                watched.write(f"stir/{number}", bytes(200_000))
            shutil.rmtree(watched.place / "stir")

    thread = threading.Thread(target=stir)
    thread.start()
    try:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            watched.watch.settle()
    finally:
        stop.set()
        thread.join()
    watched.watch.settle()
    assert watched.watch.epoch == epoch_of(watched.place)


def test_a_huge_sparse_file_is_judged_in_no_time(watched: Watched) -> None:
    path = watched.place / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    start = time.perf_counter()
    assert watched.changed() == ["sparse"]
    assert time.perf_counter() - start < 1.0
    with path.open("r+b") as file:
        file.seek(1 << 39)
        file.write(b"in the middle")
    assert watched.changed() == ["sparse"]


def test_a_file_that_grows_as_it_is_read_comes_to_an_end(watched: Watched) -> None:
    script = "import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))"
    with (watched.place / "log").open("wb") as log:
        log.truncate(HUGE_BYTES - (1 << 20))
        log.seek(0, os.SEEK_END)
        with subprocess.Popen([sys.executable, "-c", script], stdout=log) as agent:
            try:
                start = time.monotonic()
                watched.watch.settle()
                assert time.monotonic() - start < 3.0
            finally:
                agent.kill()
    watched.watch.settle()
    assert watched.watch.epoch == epoch_of(watched.place)


def test_names_that_are_no_utf8_are_followed_through_renames(watched: Watched) -> None:
    place = os.fsencode(watched.place)
    os.makedirs(place + b"/d\xe9/\xff\xfe")
    with open(place + b"/d\xe9/\xff\xfe/n\n\x1b[2J", "w") as file:
        file.write("x")
    assert watched.changed() == ["d\\xe9/\\xff\\xfe/n\n\x1b[2J"]
    os.rename(place + b"/d\xe9", place + b"/e\xe9")
    assert watched.changed() == ["d\\xe9/\\xff\\xfe/n\n\x1b[2J", "e\\xe9/\\xff\\xfe/n\n\x1b[2J"]
    with open(place + b"/e\xe9/\xff\xfe/n\n\x1b[2J", "w") as file:
        file.write("y")
    assert watched.changed() == ["e\\xe9/\\xff\\xfe/n\n\x1b[2J"]


def test_a_file_with_two_names_changes_under_both(watched: Watched) -> None:
    """The kernel tells of the name it was written through only."""
    os.link(watched.place / "README", watched.place / "src" / "twin")
    assert watched.changed() == ["src/twin"]
    with (watched.place / "src" / "twin").open("a") as file:
        file.write("more")
    assert watched.changed() == ["README", "src/twin"]
    os.unlink(watched.place / "README")
    assert watched.changed() == ["README"]
    (watched.place / "src" / "twin").write_text("alone")
    assert watched.changed() == ["src/twin"]


def test_names_that_were_twins_before_the_run_are_known_as_such(place: Path) -> None:
    os.link(place / "README", place / "twin")
    watched = Watched(place, WorkspaceWatch(snapshot_of(place)))
    (place / "twin").write_text("other")
    assert watched.changed() == ["README", "twin"]
    watched.watch.close()


@pytest.mark.slow
def test_ten_thousand_files_at_once_are_one_change(watched: Watched) -> None:
    """More than the kernel's queue holds: events are lost, files are not."""
    script = """
import os
for package in range(500):
    os.makedirs(f"packages/p{package}/lib")
    for number in range(20):
        with open(f"packages/p{package}/lib/{number}.js", "w") as file:
            file.write(f"module.exports = {package * number}")
"""
    subprocess.run([sys.executable, "-c", script], cwd=watched.place, check=True)
    start = time.perf_counter()
    change = watched.watch.settle()
    assert time.perf_counter() - start < 5.0
    assert change is not None
    assert change.count == 10_000
    assert watched.changed() == []
    watched.write("packages/p499/lib/7.js", "later")
    assert watched.changed() == ["packages/p499/lib/7.js"]
    shutil.rmtree(watched.place / "packages")
    change = watched.watch.settle()
    assert change is not None
    assert change.count == 10_000


def test_a_workspace_taken_away_as_a_whole_is_a_change_of_all_files(watched: Watched) -> None:
    shutil.rmtree(watched.place)
    change = watched.watch.settle()
    assert change is not None
    assert change.count == 4
    assert watched.watch.settle() is None


def test_too_much_to_hash_is_known_by_size_and_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_HASHED_A_SETTLE_BYTES", 4 << 20)
    for number in range(40):
        watched.write(f"models/{number}", bytes(1 << 20))
    change = watched.watch.settle()
    assert change is not None
    assert change.count == 40
    with (watched.place / "models" / "39").open("r+b") as file:
        file.write(b"!")
    change = watched.watch.settle()
    assert change is not None
    assert change.paths == ("models/39",)


def test_a_ctime_proves_something_only_when_a_later_write_must_change_it(place: Path) -> None:
    """Read within a tick of its last change, or on a clock that was set back: it must be read again."""
    path = place / "README"
    ctime_ns = path.stat().st_ctime_ns
    folder = os.open(place, os.O_RDONLY)
    try:
        for clock_ns in (0, ctime_ns - 3_600_000_000_000, ctime_ns, ctime_ns + 40_000_000):
            state, _ = fingerprint("README", folder, clock_ns)
            assert state is not None
            assert state.ctime_ns == NEVER_NS
        state, _ = fingerprint("README", folder, ctime_ns + 3_000_000_000)
        assert state is not None
        assert state.ctime_ns == ctime_ns
    finally:
        os.close(folder)


def test_the_file_systems_clock_goes_on(tmp_path: Path) -> None:
    (tmp_path / "clock").touch(0o640)
    fd = os.open(tmp_path / "clock", os.O_RDONLY)
    try:
        first = clock_of(fd)
        time.sleep(0.03)
        assert clock_of(fd) > first
        assert os.fstat(fd).st_mode & 0o777 == 0o640
    finally:
        os.close(fd)


def test_a_change_with_size_and_times_put_back_is_in_the_list_of_changes(place: Path) -> None:
    os.utime(place / "README", (1, 1))
    snapshot = snapshot_of(place)
    (place / "README").write_text("REad me\n")
    os.utime(place / "README", (1, 1))
    assert [change.path for change in changes_of(snapshot).changes] == ["README"]
