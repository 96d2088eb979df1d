"""What judging a step costs, early and late in a long run, beside `microloop` 0.3.0; and normalising."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

from benchmarks.table import Report, Row, p50, percentile
from benchmarks.world import HELPERS, Broken, World

STEPS = 100_000
OTHER_STEPS = 2_000
OTHER = "microloop==0.3.0"
P50_US, P99_US, MEMORY_MIB, NORMALISE_MB_S, GROWTH = 50.0, 500.0, 50.0, 50.0, 1.25
TEXT_MB = 64


def judging(world: World, report: Report) -> None:
    """STEPS steps through the engine, OTHER_STEPS through Monitor.observe, in a venv of its own."""
    other = [ns / 1000 for ns in _timed(_other_python(world.workspace), "observe_030.py", OTHER_STEPS)]
    *took_ns, memory_mib = _timed(sys.executable, "observe_here.py", STEPS)
    took = [ns / 1000 for ns in took_ns]
    first, last = took[10 : STEPS // 10], took[-STEPS // 10 :]
    met = p50(took) < P50_US and percentile(took, 0.99) < P99_US
    note = f"p99 {percentile(took, 0.99):.0f} us; without: {OTHER}"
    report.add(Row("judging a step, 4 KiB of output", "us", other, took, "p50 < 50, p99 < 500 us", met, note))
    flat = p50(last) <= GROWTH * p50(first)
    report.add(Row(f"judging, first and last tenth of {STEPS:,}", "us", first, last, "flat", flat))
    report.add(
        Row("memory it took", "MiB", [], [memory_mib], f"under {MEMORY_MIB:.0f} MiB", memory_mib < MEMORY_MIB)
    )
    normalising(report)


def normalising(report: Report) -> None:
    """MB/s through the normaliser, chunk by chunk, for text of several kinds."""
    from microloop_cli.core.progress.normalise import Normaliser

    for kind, line in _LINES.items():
        block = b"".join(line % {b"n": number} for number in range(20_000))
        speeds = []
        for _ in range(3):
            normaliser, done, began = Normaliser(), 0, time.perf_counter()
            while done < TEXT_MB * 1_000_000:
                normaliser.feed(block)
                done += len(block)
            normaliser.finish()
            speeds.append(done / 1_000_000 / (time.perf_counter() - began))
        met = p50(speeds) >= NORMALISE_MB_S
        report.add(Row(f"normalising {kind}", "MB/s", [], speeds, f"at least {NORMALISE_MB_S:.0f} MB/s", met))


_LINES = {
    "source code": b"    def method_%(n)d(self, value: int) -> str:  # keeps order\n        return value\n",
    "test results": b"tests/test_core.py::test_case_%(n)d PASSED                       [ 12%%]\n",
    "a log with times and ids": b"2026-11-18 11:06:47,627 INFO worker[5%(n)d]: id c2216b02fc241d took 12ms\n",
}


def _timed(python: str, script: str, steps: int) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HELPERS), *filter(None, sys.path)])}
    if script == "observe_030.py":
        environment["PYTHONPATH"] = str(HELPERS)
    ran = subprocess.run(
        [python, str(HELPERS / script), str(steps)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise Broken(f"{script}: {ran.stderr[-500:]}")
    return [float(line) for line in ran.stdout.split()]


def _other_python(folder: Path) -> str:
    """A venv with the other package in it, made for this measurement."""
    place = folder / "other"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", OTHER], capture_output=True, text=True, check=False
    )
    if installed.returncode != 0:
        raise Broken(f"{OTHER} cannot be installed: {installed.stderr[-300:]}")
    return str(python)
