"""CPU, memory and process count of the whole sandbox, read on the host with psutil."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from microloop_cli.core.events import ResourceSample

FIRST_SAMPLE_SECONDS = 1.0
SAMPLE_SECONDS = 2.0


async def sampling(top_pid: Callable[[], int | None], put: Callable[[ResourceSample], None]) -> None:
    """Samples now and then, until cancelled. `top_pid` gives None while it is not known."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(FIRST_SAMPLE_SECONDS)
    while True:
        pid = top_pid()
        measured = None if pid is None else await loop.run_in_executor(None, sample, pid)
        if measured is not None:
            put(measured)
        await asyncio.sleep(SAMPLE_SECONDS)


def sample(top_pid: int) -> ResourceSample | None:
    """One sample over `top_pid` and all below it; None when it is gone. Blocks for a few milliseconds."""
    import psutil

    try:
        top = psutil.Process(top_pid)
        family = [top, *top.children(recursive=True)]
    except psutil.Error:
        return None
    cpu_seconds, rss_bytes, processes = 0.0, 0, 0
    for process in family:
        try:
            with process.oneshot():
                times = process.cpu_times()
                rss_bytes += process.memory_info().rss
        except psutil.Error:
            continue  # it ended while we looked
        cpu_seconds += times.user + times.system
        processes += 1
    return ResourceSample(cpu_seconds=round(cpu_seconds, 3), rss_bytes=rss_bytes, processes=processes)
