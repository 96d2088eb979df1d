"""Lost events, no watches left, a large tree: changes are still found, and what is lost is said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from microloop_cli.core.events import WatchDegraded
from microloop_cli.workspace import watch as watch_module
from microloop_cli.workspace.watch import WorkspaceWatch
from tests.needs import need
from tests.workspace.places import Watched, epoch_of, snapshot_of

LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


def test_lost_events_make_it_look_at_everything(place: Path) -> None:
    """The queue holds max_queued_events: more than that is written before it is read."""
    snapshot = snapshot_of(place)
    watch = WorkspaceWatch(snapshot)
    watched = Watched(place, watch)
    script = f"""
import os
for number in range({int(LIMIT.read_text()) // 6}):
    for name in ("one", "two"):
        fd = os.open(name, os.O_CREAT | os.O_WRONLY)
        os.write(fd, b"x")
        os.close(fd)
        os.unlink(name)
os.makedirs("late/deep")
open("late/deep/file", "w").write("x")
open("README", "w").write("READ ME\\n")
os.unlink("src/calc.py")
"""
    subprocess.run([sys.executable, "-c", script], cwd=place, check=True)
    assert watched.changed() == ["README", "late/deep/file", "src/calc.py"]
    watched.write("late/deep/file", "y")
    assert watched.changed() == ["late/deep/file"]
    watch.close()


WITHOUT_WATCHES = """
import ctypes, errno, os, sys
from pathlib import Path
from watchdog.observers import inotify_c
from microloop_cli.workspace.watch import WorkspaceWatch
from tests.workspace.places import snapshot_of

place, left = Path(sys.argv[1]), int(sys.argv[2])
real = inotify_c.inotify_add_watch
def limited(fd, path, mask):
    global left
    left -= 1
    if left < 0:
        ctypes.set_errno(errno.ENOSPC)
        return -1
    return real(fd, path, mask)
inotify_c.inotify_add_watch = limited
said = []
watch = WorkspaceWatch(snapshot_of(place), said.append)
(place / "src" / "new" / "deep").mkdir(parents=True)
(place / "src" / "new" / "deep" / "file").write_text("x")
print(watch.settle().paths)
print(watch.settle(), len(said), watch.fileno())
(place / "src" / "calc.py").write_text("y")
(place / "README").unlink()
print(watch.settle().paths)
print(watch.settle(), len(said), said[0].reason, watch.degraded == said[0])
"""


@pytest.mark.parametrize("watches_left", [0, 2, 3, 4])
def test_without_watches_left_everything_is_looked_at_and_that_is_said_once(
    place: Path, watches_left: int
) -> None:
    argv = [sys.executable, "-c", WITHOUT_WATCHES, str(place), str(watches_left)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "('src/new/deep/file',)",
        "None 1 -1",
        "('README', 'src/calc.py')",
        "None 1 file events cannot be had: inotify watch limit reached"
        " (fs.inotify.max_user_watches, fs.inotify.max_user_instances) True",
    ]


OUT_OF_WATCHES = """
import os, sys
from pathlib import Path
Path("/proc/sys/user/max_inotify_watches").write_text("3")
from microloop_cli.workspace.watch import WorkspaceWatch
from tests.workspace.places import Watched, snapshot_of

place, said = Path(sys.argv[1]), []
watched = Watched(place, WorkspaceWatch(snapshot_of(place), said.append))
print(watched.watch.degraded, watched.watch.fileno() >= 0)
(place / "new" / "deep").mkdir(parents=True)
print(watched.changed(), len(said))
watched.write("new/deep/file")
print(watched.changed(), len(said), watched.watch.fileno(), said[0].reason[:58], "|", said[0].how)
"""


def test_with_the_kernels_own_watch_limit_reached_half_way_nothing_is_missed(place: Path) -> None:
    """A user namespace has a limit of its own: three directories can be watched, then there are five."""
    argv = [str(need("unshare")), "-Ur", sys.executable, "-c", OUT_OF_WATCHES, str(place)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "None True",
        "[] 1",
        "['new/deep/file'] 1 -1 file events cannot be had: inotify watch limit reached"
        " (fs | all files of the workspace are looked at each time instead",
    ]


@pytest.fixture
def scanned(place: Path) -> Watched:
    """Watched as where no events can be had."""
    watch = WorkspaceWatch(snapshot_of(place))
    watch.close()
    assert watch.fileno() == -1
    return Watched(place, watch)


def test_scanning_trusts_no_time_that_a_program_can_set(scanned: Watched) -> None:
    path = scanned.place / "README"
    for number in range(200):
        before = path.stat()
        path.write_text(f"{number:08d}")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert scanned.watch.settle() is not None, number
        assert scanned.watch.settle() is None
    assert scanned.changed() == []


def test_scanning_reads_no_file_that_is_as_it_was(scanned: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read within a clock tick of its last change is read once more, then its ctime is believed."""
    time.sleep(0.06)
    scanned.watch.settle()
    read: list[str] = []
    monkeypatch.setattr(watch_module, "fingerprint_at", lambda path, *_, **__: read.append(path))
    assert scanned.watch.settle() is None
    assert read == []


def test_scanning_copes_with_times_in_the_past_and_in_the_future(scanned: Watched) -> None:
    for seconds in (0, 1, 2**33, -1):
        os.utime(scanned.place / "README", (seconds, seconds))
        assert scanned.changed() == []
        scanned.write("README", f"{seconds}")
        os.utime(scanned.place / "README", (seconds, seconds))
        assert scanned.changed() == ["README"]


def test_scanning_sees_what_events_would_have_told(scanned: Watched, tmp_path: Path) -> None:
    before = scanned.watch.epoch
    (scanned.place / "src").rename(scanned.place / "lib")
    os.link(scanned.place / "README", scanned.place / "twin")
    os.mkfifo(scanned.place / "fifo")
    (scanned.place / "loop").symlink_to(".")
    scanned.write("node_modules/x", "ignored")
    assert scanned.changed() == [
        "fifo", "lib/calc.py", "lib/deep/data.txt", "loop", "src/calc.py", "src/deep/data.txt", "twin",
    ]  # fmt: skip
    with (scanned.place / "twin").open("a") as file:
        file.write("more")
    assert scanned.changed() == ["README", "twin"]
    for name in ("fifo", "loop", "twin"):
        (scanned.place / name).unlink()
    (scanned.place / "README").write_text("read me\n")
    (scanned.place / "lib").rename(scanned.place / "src")
    assert len(scanned.changed()) == 8
    assert scanned.watch.epoch == before


def test_without_an_inotify_instance_everything_is_looked_at(place: Path) -> None:
    """Real instances are used up: the kernel allows each user so many."""
    instances = []
    said: list[WatchDegraded] = []
    snapshot = snapshot_of(place)
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    if limit > 1024:
        pytest.skip(f"{limit} inotify instances are too many to use up")
    try:
        for _ in range(limit + 1):
            watch = WorkspaceWatch(snapshot, said.append)
            instances.append(watch)
            if watch.degraded:
                break
        assert [fact.how for fact in said] == ["all files of the workspace are looked at each time instead"]
        assert watch.fileno() == -1
        (place / "README").write_text("other")
        change = watch.settle()
        assert change is not None
        assert change.paths == ("README",)
    finally:
        for watch in instances:
            watch.close()


def test_a_process_that_never_stops_writing_does_not_keep_settle_busy(watched: Watched) -> None:
    script = """
import os
while True:
    open("a", "w").write("x")
    open("b", "a").write("y")
    os.unlink("a")
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=watched.place) as writer:
        try:
            for _ in range(20):
                start = time.monotonic()
                watched.watch.settle()
                assert time.monotonic() - start < 1.0
        finally:
            writer.kill()
    watched.watch.settle()
    assert watched.watch.epoch == epoch_of(watched.place)


def test_what_is_written_inside_a_sandbox_is_seen_outside(watched: Watched, bwrap: Path) -> None:
    place = str(watched.place)
    argv = [str(bwrap), "--unshare-all", "--ro-bind", "/", "/", "--bind", place, place, "--chdir", place]
    script = "mkdir -p new/deep && echo x > new/deep/file && rm README"
    subprocess.run([*argv, "sh", "-c", script], check=True)
    assert watched.changed() == ["README", "new/deep/file"]


@pytest.mark.slow
def test_fifty_thousand_files_are_read_in_seconds_and_ten_changes_found_at_once(tmp_path: Path) -> None:
    place = tmp_path / "project"
    for number in range(3000):
        folder = place / f"m{number % 60}" / f"d{number}"
        folder.mkdir(parents=True)
        for name in range(17):
            (folder / f"f{name}.py").write_bytes(b"value = %d\n" % (number * 100 + name))
    start = time.perf_counter()
    snapshot = snapshot_of(place)
    assert time.perf_counter() - start < 15
    assert len(snapshot.files) == 51_000
    start = time.perf_counter()
    watched = Watched(place, WorkspaceWatch(snapshot))
    assert time.perf_counter() - start < 3
    for number in range(10):
        watched.write(f"m{number}/d{number}/f3.py", "changed")
    start = time.perf_counter()
    change = watched.watch.settle()
    assert time.perf_counter() - start < 0.1
    assert change is not None
    assert change.count == 10
    assert watched.watch.epoch == epoch_of(place)
    watched.watch.close()
