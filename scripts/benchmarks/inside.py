"""What a program costs inside the sandbox, with and without the guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.table import Report, Row, p50
from benchmarks.world import RESULTS, World

Place = Literal["nested", "step", "captured step"]
PLACES: tuple[Place, ...] = ("nested", "step", "captured step")
EXTRA_EXEC_MICROSECONDS = 250.0
SHELL_FACTOR, PARALLEL_FACTOR, MAKE_FACTOR = 1.3, 3.5, 1.1
THROUGHPUT_MIB_PER_SECOND = 400.0
GCC_JOBS = 60
WRITTEN_MIB = 1024


@dataclass(frozen=True, slots=True)
class Amount:
    """rounds: how often both sides run in turn; execs: starts a side and round, less `warmup`."""

    rounds: int
    execs: int
    warmup: int


def _agent(place: Place, spawner: list[str]) -> list[str]:
    """The spawner as the agent, whose children are steps, or started by one, so that they are nested."""
    return spawner if place != "nested" else ["/bin/sh", "-c", f"{' '.join(spawner)}; exit $?"]


def _in_turn(
    world: World, argv: list[str], amount: Amount, *, captured: bool = True
) -> tuple[list[float], list[float]]:
    """(without, with): figures of all rounds; which side goes first changes from round to round."""
    figures: dict[bool, list[float]] = {False: [], True: []}
    for number in range(amount.rounds):
        for guarded in (False, True) if number % 2 == 0 else (True, False):
            figures[guarded] += world.measure(argv, guarded=guarded, captured=captured)[amount.warmup :]
    return figures[False], figures[True]


def execs(world: World, report: Report, amount: Amount) -> None:
    """A static `true` and `sh -c true`, as steps of their own and below a step."""
    count = str(amount.execs)
    for place in PLACES:
        argv = _agent(place, ["./spawner", RESULTS, count, "1", "./true", "@"])
        plain, guarded = _in_turn(world, argv, amount, captured=place != "step")
        met = p50(guarded) - p50(plain) <= EXTRA_EXEC_MICROSECONDS
        extra = f"+{p50(guarded) - p50(plain):.0f} us"
        report.add(
            Row(f"posix_spawn of a static true, {place}", "us", plain, guarded, "at most +250 us", met, extra)
        )
    for place in PLACES:
        argv = _agent(place, ["./spawner", RESULTS, count, "1", "/bin/sh", "-c", "true", "@"])
        plain, guarded = _in_turn(world, argv, amount, captured=place != "step")
        met = p50(guarded) <= SHELL_FACTOR * p50(plain)
        report.add(Row(f"sh -c true, {place}", "us", plain, guarded, "at most 1.3x", met))


def parallel(world: World, report: Report, amount: Amount) -> None:
    """Eight spawners at once: wall time for each exec."""
    each = Amount(amount.rounds, amount.execs, 0)
    for place in PLACES:
        argv = _agent(place, ["./spawner", RESULTS, str(amount.execs), "8", "./true", "@"])
        plain, guarded = _in_turn(world, argv, each, captured=place != "step")
        met = p50(guarded) <= PARALLEL_FACTOR * p50(plain)
        report.add(Row(f"8 parallel spawners, an exec, {place}", "us", plain, guarded, "at most 3.5x", met))


def make(world: World, report: Report, amount: Amount) -> None:
    """`make -j4` of 60 small gcc jobs."""
    sources = [f"job{number}" for number in range(GCC_JOBS)]
    for name in sources:
        (world.workspace / f"{name}.c").write_text(
            f'#include <stdio.h>\nint {name}(void) {{ return puts("x"); }}\n'
        )
    objects = " ".join(f"{name}.o" for name in sources)
    (world.workspace / "Makefile").write_text(f"all: {objects}\n%.o: %.c\n\tgcc -O0 -c -o $@ $<\n")
    argv = ["./spawner", RESULTS, "1", "1", "/usr/bin/make", "-s", "-B", "-j4"]
    _in_turn(world, argv, Amount(1, 1, 0))
    plain, guarded = _in_turn(world, argv, Amount(max(3, amount.rounds), 1, 0))
    plain, guarded = [value / 1000 for value in plain], [value / 1000 for value in guarded]
    met = p50(guarded) <= MAKE_FACTOR * p50(plain)
    report.add(Row(f"make -j4 of {GCC_JOBS} gcc jobs", "ms", plain, guarded, "at most 1.1x", met))


def throughput(world: World, report: Report, amount: Amount) -> None:
    """1 GiB from a step into a pipe."""
    argv = ["./spawner", RESULTS, "1", "1", "./writer", str(WRITTEN_MIB)]
    plain, guarded = _in_turn(world, argv, Amount(max(3, amount.rounds), 1, 0))
    plain, guarded = [WRITTEN_MIB * 1e6 / us for us in plain], [WRITTEN_MIB * 1e6 / us for us in guarded]
    met = p50(guarded) >= THROUGHPUT_MIB_PER_SECOND
    report.add(Row("1 GiB through a captured step", "MiB/s", plain, guarded, "at least 400 MiB/s", met))
