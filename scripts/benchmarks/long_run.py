"""One long run: does the cost of an event grow, how much memory is taken, how fast is inspect."""

from __future__ import annotations

from benchmarks.processes import run_watched
from benchmarks.table import Report, Row, p50, percentile
from benchmarks.whole import milliseconds
from benchmarks.world import MICROLOOP, RESULTS, World

EVENTS = 100_000
MEMORY_MIB, INSPECT_MS, GROWTH = 120.0, 2000.0, 1.25


def long_run(world: World, report: Report) -> None:
    """EVENTS nested execs in one real run, then `inspect` of its bundle."""
    spawner = ["./spawner", RESULTS, str(EVENTS), "1", "./true"]
    argv = world.microloop("/bin/sh", "-c", f"{' '.join(spawner)}; exit $?")
    peak_mib = run_watched(argv, world.workspace)
    took = [float(line) for line in (world.workspace / RESULTS).read_text().split()]
    tenth = len(took) // 10
    first, last = took[tenth : 2 * tenth], took[-tenth:]
    bundle = max((world.workspace / ".microloop" / "runs").iterdir())
    with (bundle / "events.jsonl").open("rb") as ledger:
        events = sum(1 for _ in ledger)
    # The fast end tells growth from what else the machine did at that moment.
    met = percentile(last, 0.1) <= GROWTH * percentile(first, 0.1) and events >= EVENTS
    report.add(Row(f"{events:,} events: an exec, early and late", "us", first, last, "flat", met))
    report.add(
        Row("supervisor's memory in that run", "MiB", [], [peak_mib], "under 120 MiB", peak_mib < MEMORY_MIB)
    )
    shown = [milliseconds([*MICROLOOP, "inspect"], world.workspace) for _ in range(3)]
    report.add(Row("inspect of that run", "ms", [], shown, "under 2000 ms", p50(shown) < INSPECT_MS))
