"""The writer: what lies on the disk, at which moment, and what happens when the disk says no."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from microloop_cli.bundle.manifest import records_of
from microloop_cli.bundle.model_records import About
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.verify import verify
from microloop_cli.bundle.writer import SYNC_AFTER_SECONDS, BundleWriter
from microloop_cli.core.events import GuardNotice, Tick
from microloop_cli.errors import BundleError
from tests.bundle.sample import RUN_ID, complete_bundle, exec_started, fill, kept, started
from tests.needs import missing


def test_an_appended_event_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        assert writer.append(0.0, started()) == [1]
        assert writer.append(0.5, Tick(), Tick()) == [2, 3]
        assert len((writer.path / "events.jsonl").read_text().splitlines()) == 3


def test_the_manifest_is_there_only_when_all_is_done(tmp_path: Path) -> None:
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        fill(writer)
        assert not (writer.path / "manifest.json").exists()
        writer.finish()
    manifest = json.loads((writer.path / "manifest.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["run_id"] == RUN_ID
    assert (manifest["chain_head"], manifest["events"]) == (writer.chain_head, 13)
    assert sorted(manifest["files"]) == [
        "environment.json",
        "events.jsonl",
        "policy.yaml",
        "steps/0001/stdout",
        "steps/0001/step.json",
        "summary.json",
    ]


def test_nobody_else_may_read_a_bundle(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        run = complete_bundle(tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    for path in run.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_recorded_model_call_tells_no_secret_in_any_of_its_files(tmp_path: Path) -> None:
    secret = "s3cret/of+the-run"
    about = About(
        n=1, call=1, method="POST", target=f"/v1/chat/completions?token={secret}", surface="chat", model=secret, status=200,
        content_type="application/json",
    )  # fmt: skip
    with BundleWriter(create_run_dir(tmp_path, RUN_ID), Redactor({"MY_TOKEN": secret})) as writer:
        writer.write_model_record(about, secret.encode(), f'{{"a":"{secret}"}}'.encode())
        writer.finish()
    kept = b"".join(path.read_bytes() for path in sorted(tmp_path.glob(".microloop/runs/*/model/*")))
    assert kept.count(b"<MY_TOKEN>") == 4
    assert secret.encode() not in kept


def test_time_does_not_go_back(tmp_path: Path) -> None:
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        writer.append(2.0, started())
        with pytest.raises(ValueError, match="cannot go back"):
            writer.append(1.0, Tick())


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a//b", "."])
def test_a_name_that_leaves_the_bundle_is_not_written(tmp_path: Path, name: str) -> None:
    writer = BundleWriter(create_run_dir(tmp_path, RUN_ID))
    with pytest.raises(BundleError, match="leaves the bundle"):
        writer.write_text(name, "x")
    writer.close()


def test_a_second_writer_cannot_take_over_a_ledger(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    with pytest.raises(BundleError, match="cannot write"):
        BundleWriter(run)


WRITE_UNTIL_FULL = """
import resource, sys
from pathlib import Path
from microloop_cli.bundle.model_records import About
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.events import GuardNotice
from microloop_cli.errors import BundleError
from tests.needs import missing
from tests.bundle.sample import RUN_ID, started
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
writer = BundleWriter(create_run_dir(Path(sys.argv[1]), RUN_ID))
writer.append(0.0, started())
try:
    for second in range(1_000_000):
        writer.append(second, GuardNotice(text="x" * 777))
except BundleError as error:
    print(writer.events, error.message, "|", error.hint)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        missing("root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        missing("mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def write_until_full(workspace: Path, *limit: str) -> str:
    argv = [sys.executable, "-c", WRITE_UNTIL_FULL, str(workspace), *limit]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def check_kept(said: str, workspace: Path, reason: int) -> None:
    run = workspace / ".microloop" / "runs" / RUN_ID
    assert f"cannot write {run}/events.jsonl: {os.strerror(reason)}" in said
    assert "make room" in said
    bundle = open_bundle(run)
    assert len(list(bundle.entries())) == int(said.split()[0]) > 10
    assert bundle.damage is None
    assert [problem.what for problem in verify(run).problems] == ["no manifest"]


def test_a_full_disk_is_said_and_all_that_was_written_stays_readable(small_disk: Path) -> None:
    check_kept(write_until_full(small_disk), small_disk, errno.ENOSPC)


def test_a_disk_that_is_full_at_the_end_leaves_a_readable_bundle_without_a_manifest(small_disk: Path) -> None:
    writer = BundleWriter(create_run_dir(small_disk, RUN_ID))
    fill(writer)
    while not (writer.path / "steps" / "0001" / "step.json").exists():
        time.sleep(0.01)  # written by another thread, and here before the disk is full
    with pytest.raises(BundleError, match=r"cannot write .*too-large"):
        writer.write_bytes("too-large", bytes(1 << 20))
    with contextlib.suppress(OSError), open(writer.path / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1024))
    with pytest.raises(BundleError, match=r"cannot write .*manifest\.json"):
        writer.finish()
    assert sorted(path.name for path in writer.path.iterdir() if path.suffix != ".yaml") == [
        "environment.json",
        "events.jsonl",
        "filler",
        "steps",
        "summary.json",
    ]
    assert len(list(open_bundle(writer.path).entries())) == 13


def test_output_that_could_not_be_written_behind_is_told_by_the_next_append(small_disk: Path) -> None:
    with BundleWriter(create_run_dir(small_disk, RUN_ID)) as writer:
        writer.append(0.0, started())
        writer.write_step_output(1, stdout=kept(bytes(1 << 20)))
        with pytest.raises(BundleError, match=r"cannot write .*steps/0001/stdout"):
            tick_for_a_second(writer)
        writer.append(2.0, Tick())


def tick_for_a_second(writer: BundleWriter) -> None:
    for number in range(100):
        time.sleep(0.01)
        writer.append(0.01 * number, Tick())


def test_writes_are_synced_in_batches_and_an_idle_ledger_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SYNC_AFTER_SECONDS <= 0.2
    synced: list[int] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        real(fd)
        synced.append(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        writer.append(0.0, started())
        while len(synced) < 3:
            writer.append(1.0, Tick())
            time.sleep(0.001)
        assert writer.events > 10 * len(synced)
        while len(synced) != (settled := settled_count(synced)):
            pass
        assert settled <= 5  # the three, one that was on its way, one for what it did not see
    assert len(synced) == settled + 1


def settled_count(synced: list[int]) -> int:
    """How many there are after three times as long as a sync may take to come."""
    time.sleep(3 * SYNC_AFTER_SECONDS)
    return len(synced)


def test_a_file_size_limit_is_said_and_all_that_was_written_stays_readable(tmp_path: Path) -> None:
    check_kept(write_until_full(tmp_path, "100000"), tmp_path, errno.EFBIG)


def test_a_failed_sync_is_told_by_the_next_append(tmp_path: Path) -> None:
    writer = BundleWriter(create_run_dir(tmp_path, RUN_ID))
    writer.append(0.0, started())
    read_end, write_end = os.pipe()  # a pipe cannot be synced (EINVAL)
    os.dup2(write_end, writer._fd)
    writer._syncer._sync()
    with pytest.raises(BundleError, match="cannot write"):
        writer.append(1.0, Tick())
    with pytest.raises(BundleError, match="cannot write"):
        writer.close()
    os.close(read_end)
    os.close(write_end)


def test_the_manifest_names_no_link(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    (run / "steps" / "link").symlink_to("/etc/passwd")
    os.mkfifo(run / "steps" / "fifo")
    assert not {"steps/link", "steps/fifo"} & records_of(run).keys()


def test_a_hundred_thousand_events_cost_no_memory_and_no_more_each(tmp_path: Path) -> None:
    writer = BundleWriter(create_run_dir(tmp_path, RUN_ID))
    writer.append(0.0, started())
    event = exec_started(1)

    def cpu_of(first: int, count: int) -> float:
        before = resource.getrusage(resource.RUSAGE_THREAD)
        for number in range(first, first + count):
            writer.append(number / 1000, event)
        after = resource.getrusage(resource.RUSAGE_THREAD)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    early = cpu_of(0, 20_000)
    cpu_of(20_000, 40_000)
    late = cpu_of(60_000, 20_000)
    tracemalloc.start()
    cpu_of(80_000, 20_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert late < 2 * early + 0.05
    assert grown < 100_000
    writer.finish()
    assert verify(writer.path).events == 100_001


def test_a_notice_with_bytes_that_are_no_text_is_kept(tmp_path: Path) -> None:
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        writer.append(0.0, started(), GuardNotice(text="caf\udce9"))
    last = list(open_bundle(writer.path).entries())[-1].event
    assert last == GuardNotice(text="caf\\udce9")
