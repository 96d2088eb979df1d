"""What the gateway costs at the start of a run, where its libraries are loaded beside the agent."""

from __future__ import annotations

from benchmarks.model_calls import SHORT
from benchmarks.processes import serving
from benchmarks.table import Report, Row, p50, percentile
from benchmarks.whole import in_turn
from benchmarks.world import RESULTS, World
from microloop_cli.run.ways_out import MODEL

LONGER_MS, SLOWER = 100.0, 2.0
WITHOUT, WITH = "model: {gateway: false}", "model: {gateway: true}"
RUNS = ("true", "sleep 0.2")
EXECS, HALF_SECOND_US = 500, 500_000.0
WAITS_MS = {"at once": 0, "after 1 s": 1000}


def loading(world: World, report: Report, times: int) -> None:
    """Side by side: runs with the gateway and without, in turn."""
    _start(world, report, times)
    _first_calls(world, report, times)
    _execs(world, report, times)


def _start(world: World, report: Report, times: int) -> None:
    """Runs that are over before the libraries are loaded, and while they are."""
    for command in RUNS:
        argv = command.split()
        sides = {side: world.microloop(*argv, options=world.policy(side)) for side in (WITHOUT, WITH)}
        took = in_turn(sides, world.workspace, times)
        plain, guarded = took[WITHOUT], took[WITH]
        more = p50(guarded) - p50(plain)
        limit = f"at most +{LONGER_MS:.0f} ms"
        what = f"microloop run -- {command}; without gateway"
        report.add(Row(what, "ms", plain, guarded, limit, more <= LONGER_MS, f"{more:+.0f} ms"))


def _first_calls(world: World, report: Report, times: int) -> None:
    """The first byte of an agent's first call; without: it asks directly, in the host's network."""
    host = [*world.policy(WITHOUT), "--network", "host"]
    with serving("model_upstream.py", *SHORT) as upstream:
        door = [*world.policy(WITH), "--upstream", f"openai=http://127.0.0.1:{upstream.port}/v1"]
        for when, wait_ms in WAITS_MS.items():
            plain: list[float] = []
            guarded: list[float] = []
            for _ in range(times):
                direct = ["./asker", RESULTS, str(upstream.port), str(wait_ms)]
                plain += world.measure(direct, guarded=True, options=host)
                asks = ["./asker", RESULTS, str(MODEL.port), str(wait_ms)]
                guarded += world.measure(asks, guarded=True, options=door)
            more = f"{p50(guarded) - p50(plain):+.0f} ms"
            report.add(Row(f"an agent's first model call, {when}", "ms", plain, guarded, note=more))


def _execs(world: World, report: Report, times: int) -> None:
    """Steps in the first half second of an agent that only starts programs."""
    argv = ["./spawner", RESULTS, str(EXECS), "1", "./true", "@"]
    plain: list[float] = []
    guarded: list[float] = []
    for _ in range(times):
        for side, figures in ((WITHOUT, plain), (WITH, guarded)):
            took = world.measure(argv, guarded=True, captured=False, options=world.policy(side))
            figures += _within(took, HALF_SECOND_US)
    met = p50(guarded) <= SLOWER * p50(plain)
    p99 = f"p99 {percentile(plain, 0.99) / 1000:.0f} and {percentile(guarded, 0.99) / 1000:.0f} ms"
    report.add(Row("a step in the first 0.5 s", "us", plain, guarded, "at most 2x", met, p99))


def _within(took_us: list[float], limit_us: float) -> list[float]:
    """The figures of what ended before the limit."""
    kept: list[float] = []
    passed = 0.0
    for one in took_us:
        passed += one
        if passed > limit_us:
            break
        kept.append(one)
    return kept
