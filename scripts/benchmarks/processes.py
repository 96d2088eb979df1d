"""Processes of a measurement: helpers that serve, and runs whose memory is watched."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.world import HELPERS, Broken


class Helper:
    """A program of bench_helpers that prints its port when it serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.port = int(process.stdout.readline() or 0)
        if not self.port:
            raise Broken("a helper did not start")

    def ask(self) -> list[float]:
        """What it says at its end: figures."""
        said, _ = self._process.communicate("\n", timeout=30)
        return [float(figure) for figure in said.split()]


@contextmanager
def serving(name: str, *arguments: str) -> Iterator[Helper]:
    """The helper while it serves; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, str(HELPERS / name), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Helper(process)
    finally:
        process.kill()
        process.wait()


def run_watched(argv: list[str], folder: Path) -> float:
    """Run argv and return the peak resident memory of its process in MiB; Broken when it fails."""
    peak = 0.0
    with subprocess.Popen(
        argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            peak = max(peak, _peak_mib(process.pid))
            time.sleep(0.05)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    if process.returncode != 0:
        raise Broken(f"exit {process.returncode} of a watched run: {said[-500:]}")
    return peak


def _peak_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
