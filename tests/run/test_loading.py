"""The gateway's libraries are loaded beside a run, and in the way of nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from microloop_cli.run import loading

# A module of the standard library that nothing imports.
NEVER = "this"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the only module there is to load; its name is used once."""
    path = tmp_path / f"loaded_{abs(hash(tmp_path))}.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(loading, "MODULES", (path.stem,))
    return path


def test_a_run_that_is_over_waits_for_no_more_than_one_module(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.write_text("import time\ntime.sleep(0.5)\n")
    monkeypatch.setattr(loading, "MODULES", (module.stem, NEVER))

    async def run() -> None:
        task = asyncio.ensure_future(loading.load(give_way=True))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait({task})

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 0.4
    _wait_for_the_thread()
    assert module.stem in sys.modules
    assert NEVER not in sys.modules


@pytest.mark.parametrize("give_way", [True, False])
def test_only_the_loading_thread_gives_way_and_only_when_nobody_waits_for_it(
    module: Path, give_way: bool
) -> None:
    module.write_text(
        "import os, threading\nniceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())\n"
    )
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    asyncio.run(loading.load(give_way=give_way))
    after = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert after == before
    expected = max(before, loading.NICENESS) if give_way else before
    assert sys.modules[module.stem].niceness == expected


@pytest.mark.parametrize("text", ["import no_such_module_here\n", "raise ImportError\n"])
def test_what_cannot_be_imported_is_left_to_who_uses_it(module: Path, text: str) -> None:
    module.write_text(text)
    asyncio.run(asyncio.wait_for(loading.load(give_way=False), 5))
    assert module.stem not in sys.modules


def test_what_is_loaded_is_all_that_the_gateway_needs() -> None:
    """Else its first call would pay for it, or the loop that judges commands."""
    asyncio.run(loading.load(give_way=False))
    assert set(loading.MODULES) <= set(sys.modules)


def _wait_for_the_thread() -> None:
    for thread in threading.enumerate():
        if thread.name == "loading the model gateway":
            thread.join(10)
