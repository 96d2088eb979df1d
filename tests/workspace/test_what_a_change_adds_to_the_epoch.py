"""The deltas of a change: what a judge needs to leave paths out of the epoch after the fact."""

from __future__ import annotations

import os

from microloop_cli.workspace.watch import Change
from tests.workspace.places import Watched, less, snapshot_of


def settled(watched: Watched) -> dict[str, str]:
    change = watched.watch.settle()
    assert change is not None
    return dict(zip(change.paths, change.deltas, strict=True))


def test_without_its_own_report_a_test_run_leaves_the_epoch_as_it_was(watched: Watched) -> None:
    """A command that writes a timestamped report each time, run three times, with an edit before the last."""
    seen = set()
    report = 0
    for run in range(3):
        if run == 2:
            watched.write("src/calc.py", "def add(a, b):\n    return a + b\n")
            settled(watched)
        watched.write("report.xml", f"<testsuite timestamp='{run}'/>")
        deltas = settled(watched)
        assert list(deltas) == ["report.xml"]
        report += int(deltas["report.xml"], 16)
        seen.add(less(watched.watch.epoch, f"{report:x}"))
    assert len(seen) == 2


def test_less_the_deltas_of_some_paths_it_is_the_epoch_of_a_workspace_without_them(watched: Watched) -> None:
    old: dict[str, list[str]] = {}
    for number in range(5):
        watched.write("report.xml", f"{number}")
        watched.write("log", f"{number}" * number)
        watched.write("README", f"edit {number // 2}")
        for path, delta in settled(watched).items():
            old.setdefault(path, []).append(delta)
        assert old["report.xml"]
        unchanged = snapshot_of(watched.place, patterns=["/report.xml", "/log"], store="without").epoch
        assert less(watched.watch.epoch, *old["report.xml"], *old.get("log", [])) == unchanged


def test_the_deltas_of_a_path_come_to_nothing_when_it_is_as_at_the_start(watched: Watched) -> None:
    first = (watched.place / "README").read_bytes()
    total = 0
    for content in (b"a", b"b", b"a", first):
        watched.write("README", content)
        total += int(settled(watched)["README"], 16)
    assert total % (1 << 128) == 0


def test_the_same_step_of_a_path_has_the_same_delta_each_time(watched: Watched) -> None:
    """A-B-A-B of one file is seen whatever else changes."""
    watched.write("README", "A")
    settled(watched)
    steps = []
    for number in range(4):
        watched.write("README", "AB"[(number + 1) % 2])
        watched.write("other", str(number))
        steps.append(settled(watched)["README"])
    assert steps[0] == steps[2] != steps[1] == steps[3]


def test_a_deleted_file_takes_away_what_it_had_added(watched: Watched) -> None:
    before = watched.watch.epoch
    watched.write("new", "x")
    added = settled(watched)["new"]
    os.unlink(watched.place / "new")
    removed = settled(watched)["new"]
    assert (int(added, 16) + int(removed, 16)) % (1 << 128) == 0
    assert watched.watch.epoch == before


def test_a_delta_names_what_changed_even_when_only_a_hundred_paths_are_named(watched: Watched) -> None:
    before = watched.watch.epoch
    for number in range(150):
        watched.write(f"many/{number:03d}", str(number))
    change = watched.watch.settle()
    assert isinstance(change, Change)
    assert (change.count, len(change.paths), len(change.deltas)) == (150, 100, 100)
    named = less(change.epoch, *change.deltas)
    for number in range(100, 150):
        os.unlink(watched.place / f"many/{number:03d}")
    after = watched.watch.settle()
    assert after is not None
    assert less(after.epoch, *change.deltas) == before != named
