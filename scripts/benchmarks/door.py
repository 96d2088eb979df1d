"""What the way from inside bwrap to a model costs: agent, guard's door, gateway, model server."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.model_calls import LONG, MEMORY_MIB, SHORT, STREAMS, WARM_UP, asked, asking, later
from benchmarks.processes import run_watched, serving
from benchmarks.table import Report, Row
from benchmarks.world import World

CALLS = 80
# A run as long as that of the streams, for its memory.
RESTING_SECONDS = "2"


def door(world: World, report: Report, rounds: int) -> None:
    """Side by side: a client outside straight to the model server, and one in the sandbox by the door."""
    with serving("model_upstream.py", *SHORT) as upstream:
        options = _upstream(upstream.port)
        plain: list[float] = []
        guarded: list[float] = []
        for _ in range(rounds):
            plain += asked(world, 2, CALLS, 1, upstream.port)[2 * WARM_UP :]
            inside = world.measure(asking(world, 2, CALLS, 1), guarded=True, options=options)
            guarded += inside[2 * WARM_UP :]
        report.add(later("first byte of a stream, from bwrap", plain[0::2], guarded[0::2]))
        report.add(later("the whole of it (5 events in 5 ms)", plain[1::2], guarded[1::2]))
    _at_once(world, report)


def _at_once(world: World, report: Report) -> None:
    """STREAMS calls at once, the memory of the whole microloop process, and that of a run without gateway."""
    with serving("model_upstream.py", *LONG) as upstream:
        plain = asked(world, 20, 1, STREAMS, upstream.port)
        world.no_results()
        client = asking(world, 20, 1, STREAMS)
        mib = run_watched(world.microloop(*client, options=_upstream(upstream.port)), world.workspace)
        report.add(Row(f"{STREAMS} streams of 1 s at once, from bwrap", "s", plain, world.results()))
    off = world.policy("model: {gateway: false}")
    resting = run_watched(world.microloop("/bin/sleep", RESTING_SECONDS, options=off), world.workspace)
    report.add(
        Row(
            "memory of microloop with them; without gateway",
            "MiB",
            [resting],
            [mib],
            f"under {MEMORY_MIB:.0f} MiB",
            mib < MEMORY_MIB,
            f"{mib - resting:+.0f} MiB",
        )
    )


def _upstream(port: int) -> Sequence[str]:
    return ("--upstream", f"openai=http://127.0.0.1:{port}/v1")
