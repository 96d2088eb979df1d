"""MB/s through the egress proxy: alone, and from inside bwrap by the guard's door."""

from __future__ import annotations

import subprocess

from benchmarks.processes import serving
from benchmarks.table import Report, Row, p50
from benchmarks.world import RESULTS, Broken, World

MEGABYTES = 300
LEAST_MB_PER_SECOND = 100.0
WAYS = {"tunnel": "a tunnel", "http": "plain HTTP"}


def egress(world: World, report: Report, rounds: int) -> None:
    """Side by side: a download straight from its server, through the proxy, and from inside the sandbox."""
    path = str(world.channel / "egress.sock")
    with serving("download_server.py", str(MEGABYTES)) as server:
        port = server.port
        options = world.policy(f'network: {{allow: ["127.0.0.1:{port}"], private: [127.0.0.1]}}')
        figures: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            took = {"": _outside(world, port, "direct")}
            with serving("egress_proxy.py", path, str(port)):
                took |= {way: _outside(world, port, way, path) for way in WAYS}
            took |= {f"{way}, bwrap": _inside(world, port, way, options) for way in WAYS}
            for way, speed in took.items() if number else ():  # the first round warms up
                figures.setdefault(way, []).append(speed)
    plain = figures[""]
    for way, name in WAYS.items():
        report.add(_row(f"egress proxy, {name}", plain, figures[way]))
        report.add(_row(f"egress proxy, {name}, from bwrap", plain, figures[f"{way}, bwrap"]))


def _row(what: str, plain: list[float], guarded: list[float]) -> Row:
    met = p50(guarded) >= LEAST_MB_PER_SECOND
    return Row(what, "MB/s", plain, guarded, f"at least {LEAST_MB_PER_SECOND:.0f} MB/s", met)


def _outside(world: World, port: int, way: str, proxy: str | None = None) -> float:
    world.no_results()
    argv = _downloading(world, port, way) + ([] if proxy is None else [proxy])
    done = subprocess.run(argv, cwd=world.workspace, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"a download failed: {done.stderr[-300:]}")
    return world.results()[0]


def _inside(world: World, port: int, way: str, options: list[str]) -> float:
    return world.measure(_downloading(world, port, way), guarded=True, options=options)[0]


def _downloading(world: World, port: int, way: str) -> list[str]:
    return world.python("download.py", RESULTS, str(port), way)
