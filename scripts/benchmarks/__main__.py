"""Measures what microloop costs, side by side with the same without it, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import boundary, door, downloads, inside, judging, loading, long_run, model_calls, whole
from benchmarks.table import Report, as_json, as_markdown, heading
from benchmarks.world import Broken, World, made_world


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times both sides are measured in turn (5)")
    parser.add_argument("--execs", type=int, default=400, help="program starts a side and round (400)")
    parser.add_argument("--warmup", type=int, default=50, help="of those, not counted (50)")
    parser.add_argument("--times", type=int, default=15, help="whole processes of each kind (15)")
    parser.add_argument("--only", nargs="+", metavar="PART", choices=PARTS, help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the table of BENCHMARKS.md")
    return parser.parse_args()


def _amount(given: argparse.Namespace) -> inside.Amount:
    return inside.Amount(given.rounds, given.execs, min(given.warmup, given.execs - 1))


Part = Callable[[World, Report, argparse.Namespace], None]
PARTS: dict[str, Part] = {
    "execs": lambda world, report, given: inside.execs(world, report, _amount(given)),
    "parallel": lambda world, report, given: inside.parallel(world, report, _amount(given)),
    "make": lambda world, report, given: inside.make(world, report, _amount(given)),
    "throughput": lambda world, report, given: inside.throughput(world, report, _amount(given)),
    "startup": lambda world, report, given: whole.startup(world, report, given.times),
    "docker": lambda world, report, given: whole.docker(world, report, given.times),
    "judging": lambda world, report, given: judging.judging(world, report),
    "boundary": lambda world, report, given: boundary.boundary(world, report, given.times),
    "model": lambda world, report, given: model_calls.model_calls(world, report, given.times),
    "door": lambda world, report, given: door.door(world, report, given.rounds),
    "egress": lambda world, report, given: downloads.egress(world, report, given.rounds),
    "loading": lambda world, report, given: loading.loading(world, report, given.times),
    "long": lambda world, report, given: long_run.long_run(world, report),
}


def main() -> int:
    given = options()
    report, broken = Report(), 0
    print(heading())
    for name in given.only or PARTS:
        try:
            with made_world() as world:
                PARTS[name](world, report, given)
        except Broken as problem:
            broken += 1
            print(f"{name}: BROKEN: {problem}", flush=True)
    if given.json:
        given.json.write_text(as_json(report))
    if given.markdown:
        given.markdown.write_text(as_markdown(report) + "\n")
    missed = [row.what for row in report.rows if row.met is False]
    print(f"{len(report.rows)} rows, {len(missed)} missed, {broken} broken")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
