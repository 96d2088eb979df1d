"""Who holds a reservation: a process that others on the same machine can find dead, and nobody else."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> tuple[str, str]:
    """(place, process): the boot and PID namespace in which `pid:start` names one process for ever."""
    return _place(), _process(os.getpid()) or f"{os.getpid()}:"


def gone(holder: tuple[str, str], here: tuple[str, str]) -> bool:
    """Whether a holder of the same place lives no more. One of another place cannot be seen from here."""
    place, process = holder
    if not here[0] or place != here[0] or process == here[1]:
        return False
    pid = process.partition(":")[0]
    return pid.isdigit() and _process(int(pid)) != process


def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _process(pid: int) -> str:
    """`pid:start time`, "" when there is no such process (a zombie is none: it will settle nothing)."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else f"{pid}:{fields[19]}"
