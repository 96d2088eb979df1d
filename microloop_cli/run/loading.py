"""Loads the libraries of the model gateway beside a run, in the way of nothing else."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from importlib import import_module

# A third of a second of a core together; after each a run that is over is left, so none takes 0.1 s.
MODULES = (
    "microloop_cli.gateway.server",
    "microloop_cli.gateway.prices",
    "yarl",
    "aiohttp",
    "aiohttp.web",
    "genai_prices.types",
    "genai_prices.data",
)
NICENESS = 5


async def load(*, give_way: bool) -> None:
    """Returns when all is imported. Cancelled, its thread ends after the module it is at. The process waits
    for that: the interpreter may crash when it ends while an extension is imported.

    give_way: the thread has a low priority, for the agent works meanwhile and its commands wait for verdicts.
    What cannot be imported is left to who uses it.
    """
    loop = asyncio.get_running_loop()
    loaded = loop.create_future()

    def work() -> None:
        try:
            if give_way:
                _give_way()
            for name in MODULES:
                if loaded.cancelled():
                    return
                import_module(name)
        except ImportError:
            pass
        finally:
            with suppress(RuntimeError):  # the loop is closed: the run is over
                loop.call_soon_threadsafe(_tell, loaded)

    threading.Thread(target=work, name="loading the model gateway").start()
    await loaded


def _give_way() -> None:
    """On Linux a thread has a priority of its own, and anybody may lower it; this one does nothing else."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _tell(loaded: asyncio.Future[None]) -> None:
    if not loaded.done():
        loaded.set_result(None)
