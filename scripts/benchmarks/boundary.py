"""What a step's start and end cost in a workspace of 50,000 files: the state of all files, settled."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import yaml

from benchmarks.table import Report, Row, p50
from benchmarks.world import Broken, World
from microloop_cli.resources import policies_dir
from microloop_cli.workspace.gitignored import read_repository
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.snapshot import Snapshot, take_snapshot
from microloop_cli.workspace.watch import WorkspaceWatch

FOLDERS, FILES_A_FOLDER = 3000, 17
BOUNDARY_MS = 20.0
AT_ONCE = 10_000


def boundary(world: World, report: Report, times: int) -> None:
    """Snapshot, start of the watch, boundaries with 0 to 10,000 changes, and by scanning alone."""
    place = world.workspace / "project"
    _fill(place)
    snapshot = _start(world, report, place)
    watch = WorkspaceWatch(snapshot)
    if watch.degraded is not None:
        raise Broken(f"the workspace cannot be watched: {watch.degraded.reason}")
    turn = _Turns(place, watch)
    idle = [turn.milliseconds(0) * 1000 for _ in range(times * 20)]
    report.add(Row("step boundary, nothing changed", "us", [], idle))
    ten = [turn.milliseconds(10) for _ in range(times * 2)]
    report.add(Row("step boundary, 10 files changed", "ms", [], ten, "under 20 ms", p50(ten) < BOUNDARY_MS))
    report.add(
        Row("step boundary, 1,000 files changed", "ms", [], [turn.milliseconds(1000) for _ in range(5)])
    )
    report.add(Row("step boundary, 10,000 new files (events lost)", "ms", [], [turn.many_new()]))
    watch.close()  # what is left is what a host without inotify watches has
    report.add(Row("by scanning alone, nothing changed", "ms", [], [turn.milliseconds(0) for _ in range(5)]))
    report.add(
        Row("by scanning alone, 10 files changed", "ms", [], [turn.milliseconds(10) for _ in range(5)])
    )


def _start(world: World, report: Report, place: Path) -> Snapshot:
    policy = yaml.safe_load((policies_dir() / "default.yaml").read_text())
    patterns = IgnoreRules(policy["progress"]["ignore"])
    read = _milliseconds(lambda: read_repository(str(place), patterns))
    rules = IgnoreRules(patterns.patterns, read_repository(str(place), patterns))
    store = world.workspace / "store"
    store.mkdir()
    taken: list[Snapshot] = []
    took = _milliseconds(lambda: taken.append(take_snapshot(place, rules, store)))
    count = len(taken[0].files)
    watches: list[WorkspaceWatch] = []
    start = _milliseconds(lambda: watches.append(WorkspaceWatch(taken[0])))
    watches[0].close()
    report.add(Row(f"reading the .gitignore files of {count:,} files", "ms", [], [read]))
    report.add(Row(f"snapshot of {count:,} files", "ms", [], [took]))
    report.add(Row(f"start of the watch, {FOLDERS:,} directories", "ms", [], [start]))
    return taken[0]


class _Turns:
    """Each turn changes some files to contents they never had, and settles."""

    def __init__(self, place: Path, watch: WorkspaceWatch) -> None:
        self._place, self._watch = place, watch
        self._turn = 0

    def milliseconds(self, changes: int) -> float:
        """How long settling takes after so many files were written; Broken when it finds another number."""
        self._turn += 1
        for number in range(changes):
            folder = self._place / f"m{number % 60}" / f"d{number}"
            (folder / "f3.py").write_text(f"turn = {self._turn}\n" * 100)
        return self._settled(changes)

    def many_new(self) -> float:
        for number in range(AT_ONCE):
            (self._place / f"m{number % 60}" / f"new{number}.js").write_text(f"let x = {number}\n" * 100)
        return self._settled(AT_ONCE)

    def _settled(self, changes: int) -> float:
        before = time.perf_counter()
        change = self._watch.settle()
        took = (time.perf_counter() - before) * 1000
        found = 0 if change is None else change.count
        if found != changes:
            raise Broken(f"{changes} files were changed, {found} were found")
        return took


def _milliseconds(act: Callable[[], object]) -> float:
    before = time.perf_counter()
    act()
    return (time.perf_counter() - before) * 1000


def _fill(place: Path) -> None:
    for number in range(FOLDERS):
        folder = place / f"m{number % 60}" / f"d{number}"
        folder.mkdir(parents=True)
        for name in range(FILES_A_FOLDER):
            (folder / f"f{name}.py").write_bytes(b"value = %d\n" % (number * 100 + name) * 100)
