"""The reader: complete bundles, crashed ones, hostile ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from microloop_cli.bundle.contained import read_inside
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.bundle.verify import verify
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.actions import Ended
from microloop_cli.core.events import RunStarted, Tick
from microloop_cli.errors import BundleError
from tests.bundle.sample import OUTPUT, RUN_ID, complete_bundle, crashed_bundle, started


def test_a_complete_bundle_gives_back_what_was_written(tmp_path: Path) -> None:
    bundle = open_bundle(complete_bundle(tmp_path))
    entries = list(bundle.entries())
    assert bundle.complete
    assert bundle.run_id == RUN_ID
    assert [entry.seq for entry in entries] == list(range(1, 14))
    assert isinstance(entries[0].event, RunStarted)
    assert isinstance(entries[-1].event, Ended)
    assert bundle.damage is None
    assert bundle.environment() == {"backend": "bwrap"}
    assert bundle.summary() == {"outcome": "step_limit"}
    assert bundle.text("policy.yaml") == "limits: {}\n"


def test_the_output_of_a_step_is_read_by_its_number(tmp_path: Path) -> None:
    bundle = open_bundle(complete_bundle(tmp_path))
    streams = bundle.step_streams(1)
    assert streams is not None
    assert streams.stdout is not None
    assert streams.stdout.bytes == len(OUTPUT)
    assert streams.stderr is None
    assert bundle.step_output(1, "stdout") == OUTPUT
    assert bundle.step_output(1, "stderr") is None
    assert bundle.step_output(2, "stdout") is None
    assert bundle.step_streams(2) is None


def test_a_crashed_run_is_readable(tmp_path: Path) -> None:
    bundle = open_bundle(crashed_bundle(tmp_path))
    assert not bundle.complete
    assert len(list(bundle.entries())) == 13
    assert bundle.run_id == RUN_ID


def test_a_torn_last_line_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    run = crashed_bundle(tmp_path)
    ledger = run / "events.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-40])
    bundle = open_bundle(run)
    assert len(list(bundle.entries())) == 12
    assert bundle.damage is not None
    assert bundle.damage.torn
    assert bundle.damage.line == 13
    assert "cut off" in bundle.damage.detail


def test_reading_stops_at_a_line_that_is_none(tmp_path: Path) -> None:
    run = crashed_bundle(tmp_path)
    lines = (run / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[5] = b'{"seq":6,\n'
    (run / "events.jsonl").write_bytes(b"".join(lines))
    bundle = open_bundle(run)
    assert len(list(bundle.entries())) == 5
    assert bundle.damage is not None
    assert (bundle.damage.line, bundle.damage.torn) == (6, False)


def test_a_later_schema_names_the_microloop_that_reads_it(tmp_path: Path) -> None:
    run = create_run_dir(tmp_path, RUN_ID)
    with BundleWriter(run) as writer:
        writer.append(0.0, started(schema=2, version="3.1.0"))
    with pytest.raises(
        BundleError, match=r"microloop 3\.1\.0: bundle schema 2, this microloop reads up to 1"
    ) as told:
        open_bundle(run)
    assert "microloop-cli>=3.1.0" in told.value.hint


def test_a_later_manifest_is_refused_too(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    manifest = run / "manifest.json"
    manifest.write_text('{"schema": 9, "all": "different"}')
    with pytest.raises(BundleError, match="bundle schema 9"):
        open_bundle(run)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"schema":"1"}', b'{"schema":1}', b"[" * 1_000_000]
)
def test_a_damaged_manifest_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    run = complete_bundle(tmp_path)
    (run / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        open_bundle(run)


def test_deep_nesting_in_a_summary_is_an_error_and_no_crash(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    (run / "summary.json").write_bytes(b'{"a":' * 1_000_000)
    with pytest.raises(BundleError, match=r"summary\.json is damaged"):
        open_bundle(run).summary()


def test_a_huge_line_is_told_without_being_read_whole(tmp_path: Path) -> None:
    run = crashed_bundle(tmp_path)
    with (run / "events.jsonl").open("ab") as ledger:
        ledger.truncate(ledger.tell() + (1 << 30))  # a gigabyte of zeros, sparse
    bundle = open_bundle(run)
    assert len(list(bundle.entries())) == 13
    assert bundle.damage is not None
    assert not bundle.damage.torn
    assert "longer than" in bundle.damage.detail


def test_a_huge_json_file_is_not_read(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    with (run / "steps/0001/step.json").open("ab") as file:
        file.truncate(1 << 30)
    with pytest.raises(BundleError, match="larger than"):
        open_bundle(run).step_streams(1)


def test_a_link_in_a_bundle_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    run = complete_bundle(tmp_path)
    (run / "summary.json").unlink()
    (run / "summary.json").symlink_to(secret)
    (run / "steps" / "0002").symlink_to(tmp_path)
    bundle = open_bundle(run)
    with pytest.raises(BundleError, match="cannot read"):
        bundle.summary()
    with pytest.raises(BundleError, match="cannot read"):
        read_inside(run, "steps/0002/secret", 100)


def test_a_fifo_in_a_bundle_does_not_hang_the_reader(tmp_path: Path) -> None:
    run = complete_bundle(tmp_path)
    (run / "summary.json").unlink()
    os.mkfifo(run / "summary.json")
    with pytest.raises(BundleError, match="not a regular file"):
        open_bundle(run).summary()


def test_a_directory_that_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"events\.jsonl"):
        open_bundle(tmp_path)
    with pytest.raises(BundleError, match="not the directory of a run"):
        open_bundle(tmp_path / "nothing")


APPEND_FOR_EVER = """
import sys
from pathlib import Path
from microloop_cli.bundle.writer import BundleWriter
from tests.bundle.sample import exec_started, started
writer = BundleWriter(Path(sys.argv[1]))
writer.append(0.0, started())
print("go", flush=True)
number = 0
while True:
    number += 1
    writer.append(number / 1000, *[exec_started(number)] * 50)
"""


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 5, 11, 23, 47, 97, 151, 251])
def test_a_killed_writer_leaves_a_chain_that_holds_up_to_its_end(tmp_path: Path, delay_ms: int) -> None:
    run = create_run_dir(tmp_path, RUN_ID)
    argv = [sys.executable, "-c", APPEND_FOR_EVER, str(run)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay_ms / 1000)
        writer.send_signal(signal.SIGKILL)
    bundle = open_bundle(run)
    entries = sum(1 for _ in bundle.entries())
    assert entries >= 1
    assert bundle.damage is None or bundle.damage.torn
    checked = verify(run)
    assert checked.events == entries
    assert {problem.what for problem in checked.problems} <= {"no manifest", "torn line"}


def test_a_second_reading_starts_anew(tmp_path: Path) -> None:
    bundle = open_bundle(complete_bundle(tmp_path))
    assert any(entry.event == Tick() for entry in bundle.entries())
    assert len(list(bundle.entries())) == 13
