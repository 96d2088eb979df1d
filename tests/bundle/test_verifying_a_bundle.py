"""`verify`: a sound bundle passes, and each thing that can be wrong is named, first things first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microloop_cli.bundle.ledger import FIRST_PREV, encode_line
from microloop_cli.bundle.manifest import records_of
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.bundle.verify import BundleProblem, verify
from microloop_cli.bundle.writer import BundleWriter
from microloop_cli.core.events import Tick
from microloop_cli.core.fact import Fact
from microloop_cli.errors import BundleError
from tests.bundle.sample import OUTPUT, RUN_ID, complete_bundle, crashed_bundle, started


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return complete_bundle(tmp_path)


def first_problem(run: Path) -> BundleProblem:
    checked = verify(run)
    assert not checked.ok
    return checked.problems[0]


def change_manifest(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    change(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))


def manifest_anew(run: Path) -> None:
    """What someone does who knows the format: make the manifest fit the changed files."""

    def change(manifest: dict[str, Any]) -> None:
        records = records_of(run)
        manifest["files"] = {name: {"bytes": r.bytes, "sha256": r.sha256} for name, r in records.items()}

    change_manifest(run, change)


def test_a_sound_bundle_is_ok_and_counted(run: Path) -> None:
    checked = verify(run)
    assert checked.problems == ()
    assert checked.ok
    assert (checked.events, checked.files) == (13, 6)


def test_a_crashed_run_lacks_its_manifest(tmp_path: Path) -> None:
    problem = first_problem(crashed_bundle(tmp_path))
    assert (problem.what, problem.where) == ("no manifest", "manifest.json")


@pytest.mark.parametrize("line", [1, 7, 13])
def test_a_flipped_byte_in_the_ledger_names_its_line(run: Path, line: int) -> None:
    lines = (run / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"at":', b'"at":1', 1)
    (run / "events.jsonl").write_bytes(b"".join(lines))
    problem = first_problem(run)
    assert problem.where == f"events.jsonl line {line} (seq {line})"
    assert "the hash does not fit" in problem.detail


@pytest.mark.parametrize("name", ["policy.yaml", "steps/0001/stdout", "steps/0001/step.json", "summary.json"])
def test_a_flipped_byte_in_a_file_names_the_file(run: Path, name: str) -> None:
    content = bytearray((run / name).read_bytes())
    content[3] ^= 1
    (run / name).write_bytes(content)
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("wrong hash", name)


def test_a_longer_file_tells_both_sizes(run: Path) -> None:
    (run / "policy.yaml").write_text("limits: {}\n# and more\n")
    assert first_problem(run).detail == "policy.yaml has 22 bytes, the manifest says 11"


def test_a_missing_file_is_named(run: Path) -> None:
    (run / "steps/0001/stdout").unlink()
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("missing file", "steps/0001/stdout")


def test_a_missing_ledger_is_named(run: Path) -> None:
    (run / "events.jsonl").unlink()
    assert first_problem(run).what == "bad ledger"


def test_an_added_file_is_named(run: Path) -> None:
    (run / "steps" / "0002").mkdir()
    (run / "steps" / "0002" / "stdout").write_text("made up")
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("extra file", "steps/0002/stdout")


def test_an_added_link_or_fifo_is_named(run: Path) -> None:
    (run / "link").symlink_to("/etc/passwd")
    os.mkfifo(run / "pipe")
    assert [problem.where for problem in verify(run).problems] == ["link", "pipe"]


def test_a_file_replaced_by_a_link_to_an_equal_one_is_named(run: Path, tmp_path: Path) -> None:
    (run / "policy.yaml").rename(tmp_path / "policy.yaml")
    (run / "policy.yaml").symlink_to(tmp_path / "policy.yaml")
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("bad file", "policy.yaml")


def test_a_torn_last_line_is_named(run: Path) -> None:
    content = (run / "events.jsonl").read_bytes()
    (run / "events.jsonl").write_bytes(content[:-20])
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("torn line", "events.jsonl line 13 (seq 13)")


def test_a_cut_ledger_does_not_fit_the_chain_head(run: Path) -> None:
    lines = (run / "events.jsonl").read_bytes().splitlines(keepends=True)
    (run / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    manifest_anew(run)
    assert first_problem(run).what == "wrong chain head"


def test_a_line_left_out_is_named(run: Path) -> None:
    lines = (run / "events.jsonl").read_bytes().splitlines(keepends=True)
    (run / "events.jsonl").write_bytes(b"".join(lines[:4] + lines[5:]))
    assert first_problem(run).detail == "events.jsonl line 5 (seq 5): seq is 6 where 5 is due"


def test_output_changed_together_with_the_manifest_does_not_fit_the_chain(run: Path) -> None:
    (run / "steps/0001/stdout").write_bytes(OUTPUT.replace(b"1 failed", b"1 passed"))
    manifest_anew(run)
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("wrong output", "steps/0001/stdout")


def ledger_of(run: Path, *events: tuple[float, Fact]) -> None:
    """A ledger with a chain that holds, whatever stands in it."""
    head, lines = FIRST_PREV, []
    for seq, (at, event) in enumerate(events, start=1):
        line, head = encode_line(seq, at, event, head)
        lines.append(line)
    (run / "events.jsonl").write_bytes(b"".join(lines))


def test_time_that_goes_back_is_named(run: Path) -> None:
    ledger_of(run, (0.0, started()), (2.0, Tick()), (1.0, Tick()))
    assert (
        first_problem(run).detail
        == "events.jsonl line 3 (seq 3): time goes back from 2.000000 to 1.000000 seconds"
    )


def test_a_ledger_that_does_not_begin_with_the_run_is_named(run: Path) -> None:
    ledger_of(run, (0.0, Tick()))
    assert "run_started is the first event" in first_problem(run).detail
    ledger_of(run, (0.0, started()), (0.0, started()))
    assert "run_started is the first event" in first_problem(run).detail


def test_an_empty_ledger_is_named(run: Path) -> None:
    (run / "events.jsonl").write_bytes(b"")
    assert first_problem(run).what == "empty ledger"


def test_a_known_type_with_wrong_data_is_named(run: Path) -> None:
    body = b'{"seq":1,"at":0.000000,"type":"run_started","data":{"run_id":5}'
    digest = sha256(FIRST_PREV.encode() + body).hexdigest()
    (run / "events.jsonl").write_bytes(body + f',"prev":"{FIRST_PREV}","hash":"{digest}"}}\n'.encode())
    assert first_problem(run).what == "bad line"


def test_a_later_schema_is_named_with_the_version_that_reads_it(tmp_path: Path) -> None:
    with BundleWriter(create_run_dir(tmp_path, RUN_ID)) as writer:
        writer.append(0.0, started(schema=2, version="9.0"))
        writer.finish()
    assert "microloop 9.0" in first_problem(writer.path).detail


@pytest.mark.parametrize("name", ["../../../outside", "/etc/hostname", "steps/../../x", "", "a\0b", "steps"])
def test_a_path_that_leaves_the_bundle_is_named_and_not_read(run: Path, name: str) -> None:
    change_manifest(run, lambda manifest: manifest["files"].update({name: {"bytes": 1, "sha256": "x"}}))
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("bad file", name)


@pytest.mark.parametrize("content", [b"", b"[]", b"{" * 100_000, b'{"schema":99}', b"\xff"])
def test_a_manifest_that_is_none_is_named(run: Path, content: bytes) -> None:
    (run / "manifest.json").write_bytes(content)
    problem = first_problem(run)
    assert (problem.what, problem.where) == ("bad manifest", "manifest.json")


def test_a_place_without_a_bundle_is_not_ok(tmp_path: Path) -> None:
    assert [problem.what for problem in verify(tmp_path / "nothing").problems] == [
        "no manifest",
        "bad ledger",
    ]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_byte_changed_anywhere_is_found_and_nothing_crashes(run: Path, data: st.DataObject) -> None:
    names = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    path = run / data.draw(st.sampled_from(names))
    original = path.read_bytes()
    content = bytearray(original)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        assert path.name == "manifest.json" or not verify(run).ok
        for entry in open_bundle(run).entries():
            assert entry.seq
    except BundleError:
        pass
    finally:
        path.write_bytes(original)
    assert verify(run).ok
