"""The snapshot: what it records, of friendly trees and of hostile ones."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.errors import BundleError, UsageError
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.snapshot import take_snapshot
from microloop_cli.workspace.watch import WorkspaceWatch
from tests.workspace.places import changes_of, epoch_of, ordinary_user, snapshot_of


def listed(place: Path) -> dict[str, dict[str, Any]]:
    store = snapshot_of(place).store
    lines = [json.loads(line) for line in (store / "before.jsonl").read_text().splitlines()]
    return {line["path"]: line for line in lines}


def test_a_line_says_what_a_file_was(place: Path) -> None:
    (place / "README").chmod(0o755)
    line = listed(place)["README"]
    assert line == {
        "path": "README",
        "kind": "file",
        "mode": "0755",
        "bytes": 8,
        "mtime_ns": (place / "README").stat().st_mtime_ns,
        "sha256": sha256(b"read me\n").hexdigest(),
        "pack": line["pack"],
    }


def test_contents_of_text_are_kept_and_of_binary_are_not(place: Path) -> None:
    (place / "empty").touch()
    (place / "long.txt").write_bytes(b"x" * (1 << 20))
    (place / "too-long.txt").write_bytes(b"x" * ((1 << 20) + 1))
    snapshot = snapshot_of(place)
    assert snapshot.content("src/calc.py") == (place / "src/calc.py").read_bytes()
    assert snapshot.content("empty") == b""
    assert snapshot.content("long.txt") == b"x" * (1 << 20)
    assert snapshot.content("too-long.txt") is None
    assert snapshot.content("image.bin") is None
    assert snapshot.content("no such file") is None


def test_the_pack_and_the_list_are_for_their_owner_alone(place: Path) -> None:
    store = snapshot_of(place).store
    assert {path.stat().st_mode & 0o777 for path in store.iterdir()} == {0o600}


def test_equal_trees_have_equal_epochs_wherever_and_whenever_they_were_made(
    place: Path, tmp_path: Path
) -> None:
    shutil.copytree(place, tmp_path / "copy", copy_function=shutil.copyfile)
    assert epoch_of(tmp_path / "copy") == epoch_of(place)
    (tmp_path / "copy" / "README").write_text("other")
    assert epoch_of(tmp_path / "copy") != epoch_of(place)


def test_swapping_the_contents_of_two_files_is_another_epoch(place: Path) -> None:
    before = epoch_of(place)
    one, two = place / "README", place / "src/calc.py"
    a, b = one.read_bytes(), two.read_bytes()
    one.write_bytes(b)
    two.write_bytes(a)
    assert epoch_of(place) != before


def test_a_huge_file_is_known_by_size_time_head_and_tail(place: Path) -> None:
    with (place / "huge").open("wb") as file:
        file.truncate(80 << 20)
    assert listed(place)["huge"]["hashed"] == "head_tail"


def test_what_is_ignored_is_not_looked_at(place: Path) -> None:
    for name in (
        "node_modules/x/y",
        ".git/config",
        "sub/.git/config",
        ".microloop/runs/z",
        "kept.pyc",
        "not.pyc",
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x")
    names = set(listed(place))
    assert names == {"README", "src/calc.py", "src/deep/data.txt", "image.bin", "kept.pyc"}


def test_a_pattern_that_is_none_is_a_users_error() -> None:
    with pytest.raises(UsageError, match="pattern"):
        IgnoreRules(["!"])


def test_fifos_sockets_and_links_are_recorded_and_never_opened(place: Path) -> None:
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(place / "socket"))
        (place / "loop").symlink_to("loop")
        (place / "up").symlink_to("..")
        (place / "secret").symlink_to("/etc/passwd")
        (place / os.fsdecode(b"n\xff\n\"'")).write_text("odd")
        (place / ("n" * 255)).write_text("long")
        found = listed(place)
    kinds = {name: found[name]["kind"] for name in ("fifo", "socket", "loop", "up", "secret")}
    assert kinds == {
        "fifo": "fifo",
        "socket": "socket",
        "loop": "symlink",
        "up": "symlink",
        "secret": "symlink",
    }
    assert found["n\\xff\n\"'"]["path_hex"] == b"n\xff\n\"'".hex()
    assert "n" * 255 in found
    assert snapshot_of(place).content("secret") == b"/etc/passwd"


def test_a_tree_deeper_than_any_path_is_recorded_as_far_as_it_goes(place: Path) -> None:
    script = 'n=$(printf "d%.0s" $(seq 200)); for i in $(seq 30); do mkdir $n; cd $n; echo x > file; done'
    subprocess.run(["bash", "-c", script], cwd=place, check=True)
    snapshot = snapshot_of(place)
    assert 10 < sum(1 for name in snapshot.files if name.startswith("dd")) < 30
    assert list(snapshot.unlisted.values()) == ["File name too long"]
    watch = WorkspaceWatch(snapshot)
    assert watch.settle() is None
    watch.close()
    assert changes_of(snapshot).changes == ()
    subprocess.run(["rm", "-rf", "d" * 200], cwd=place, check=True)


UNREADABLE = """
import os, sys
from pathlib import Path
import microloop_cli.workspace.inotify
from tests.workspace.places import changes_of, snapshot_of
from microloop_cli.workspace.watch import WorkspaceWatch
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
place = Path(sys.argv[1])
(place / "hidden").mkdir(); (place / "hidden" / "file").write_text("x"); (place / "hidden").chmod(0)
(place / "closed").write_text("x"); (place / "closed").chmod(0)
snapshot = snapshot_of(place)
print(snapshot.files["closed"].error, "|", snapshot.unlisted)
watch = WorkspaceWatch(snapshot)
print(watch.degraded, watch.settle())
(place / "README").chmod(0)
print(watch.settle().paths)
(place / "closed").chmod(0o600)
(place / "hidden").chmod(0o700)
print(watch.settle().paths)
(place / "hidden" / "file").write_text("y")
print(watch.settle().paths)
print('"path":"hidden","kind":"directory"' in (snapshot.store / "before.jsonl").read_text())
print([(c.path, c.kind, c.left_out) for c in changes_of(snapshot).changes])
snapshot = snapshot_of(place)
(place / "hidden").chmod(0)
changes = changes_of(snapshot)
print(changes.hidden, changes.changes)
"""


def test_what_an_ordinary_user_may_not_read_is_recorded_and_seen_once_it_can_be() -> None:
    """In a directory of its own: an ordinary user cannot get into the one pytest gives to root."""
    user = ordinary_user()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "project"
        place.mkdir()
        (place / "README").write_text("read me\n")
        for path in (place.parent, place, place / "README"):
            os.chown(path, user, -1)
        argv = [sys.executable, "-c", UNREADABLE, str(place), str(user)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Permission denied | {'hidden': 'Permission denied'}",
        "None None",
        "('README',)",
        "('closed', 'hidden/file')",
        "('hidden/file',)",
        "True",
        "[('README', 'modified', 'Permission denied'), ('closed', 'modified', 'Permission denied'),"
        " ('hidden/file', 'added', '')]",
        "('hidden',) ()",
    ]


def test_files_that_vanish_and_appear_meanwhile_raise_nothing(place: Path) -> None:
    stop = threading.Event()

    def stir() -> None:
        while not stop.is_set():
            (place / "stir" / "deep").mkdir(parents=True, exist_ok=True)
            (place / "stir" / "deep" / "file").write_text("x")
            (place / "stir" / "link").symlink_to("deep")
            shutil.rmtree(place / "stir", ignore_errors=True)

    thread = threading.Thread(target=stir)
    thread.start()
    try:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            snapshot = snapshot_of(place)
            assert "README" in snapshot.files
            changes_of(snapshot)
    finally:
        stop.set()
        thread.join()


def test_the_caller_hears_of_the_progress(place: Path) -> None:
    for number in range(2100):
        (place / f"f{number}").touch()
    heard: list[int] = []
    store = place.parent / "store"
    store.mkdir()
    take_snapshot(place, IgnoreRules(), store, heard.append)
    assert heard == [1000, 2000]


def test_a_workspace_that_is_none_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a directory"):
        snapshot_of(tmp_path / "missing")


def test_a_store_that_cannot_be_written_is_told_with_a_hint(place: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot write the snapshot") as told:
        take_snapshot(place, IgnoreRules(), tmp_path / "missing")
    assert "make room" in told.value.hint
