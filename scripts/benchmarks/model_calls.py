"""What the model gateway itself costs: the first byte of a streamed answer, and 200 streams at once."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager

from benchmarks.processes import Helper, serving
from benchmarks.table import Report, Row, p50
from benchmarks.world import RESULTS, Broken, World

LATER_MS, MEMORY_MIB, STREAMS = 3.0, 150.0, 200
WARM_UP = 20
# Arguments of the model server: events of an answer, seconds between them.
SHORT, LONG = ("5", "0.001"), ("50", "0.02")


def model_calls(world: World, report: Report, times: int) -> None:
    """Side by side: straight to the model server, and through the gateway; each call on a new connection."""
    with serving("model_upstream.py", *SHORT) as upstream, _gateway(upstream.port) as gateway:
        for kib in (2, 200):
            calls = times * 20 + WARM_UP
            figures = asked(world, kib, calls, 1, upstream.port, gateway.port)[4 * WARM_UP :]
            report.add(later(f"first byte of a stream, {kib} KiB asked", figures[0::4], figures[2::4]))
    _at_once(world, report)


def _at_once(world: World, report: Report) -> None:
    with serving("model_upstream.py", *LONG) as upstream, _gateway(upstream.port) as gateway:
        plain, guarded = (asked(world, 20, 1, STREAMS, port) for port in (upstream.port, gateway.port))
        memory, ended, _ = gateway.ask()
        if ended != STREAMS:
            raise Broken(f"{STREAMS} streams were sent and {ended:.0f} counted")
        report.add(Row(f"{STREAMS} streams of 1 s at once", "s", plain, guarded))
        mib = memory / 1024
        limit = f"under {MEMORY_MIB:.0f} MiB"
        report.add(Row("the gateway's memory with them", "MiB", [], [mib], limit, mib < MEMORY_MIB))


def later(what: str, plain: list[float], guarded: list[float]) -> Row:
    """A row of milliseconds that may be so much later."""
    more = p50(guarded) - p50(plain)
    return Row(what, "ms", plain, guarded, f"at most +{LATER_MS:.0f} ms", more <= LATER_MS, f"{more:+.2f} ms")


def asking(world: World, kib: int, calls: int, at_once: int, *ports: int) -> list[str]:
    """The command line of a client (stream_client.py); without ports it asks where its environment says."""
    numbers = (str(number) for number in (kib, calls, at_once, *ports))
    return world.python("stream_client.py", RESULTS, *numbers)


def asked(world: World, kib: int, calls: int, at_once: int, *ports: int) -> list[float]:
    """What a client outside the sandbox measured; Broken when it failed."""
    world.no_results()
    argv = asking(world, kib, calls, at_once, *ports)
    done = subprocess.run(argv, cwd=world.workspace, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"the client failed: {done.stderr[-300:]}")
    return world.results()


def _gateway(upstream: int) -> AbstractContextManager[Helper]:
    return serving("model_gateway.py", f"http://127.0.0.1:{upstream}/v1")
