"""Runs one command in one backend the way `microloop run` does, as a process of its own.

`python launcher.py SPEC`: a JSON file with backend, request (fields of SandboxRequest), state (a file told
what happens), kill (a file whose appearance asks for `kill()`). The exit code is the
sandbox's; errors go to stderr as `error: ...`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from microloop_cli.backends.base import Backend, Sandbox, SandboxRequest
from microloop_cli.backends.probe_channel import Referee
from microloop_cli.backends.registry import get_backend
from microloop_cli.errors import MicroloopError


def backend_named(name: str) -> Backend:
    if name == "fake":
        from microloop_cli.testing.backend import FakeBackend

        return FakeBackend()
    return get_backend(name)


async def run(spec: dict[str, Any]) -> int:
    request = msgspec.convert(spec["request"], SandboxRequest, dec_hook=lambda kind, value: kind(value))
    backend = backend_named(spec["backend"])
    plan = backend.plan(request)
    state = {"plan": msgspec.to_builtins(plan)}
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGINT, lambda: None
    )  # a terminal's ^C is the agent's
    referee = Referee()
    await referee.open(request.channel_dir, request.nonce)
    sandbox = await backend.launch(plan)
    try:
        if not await referee.greet(20):
            complain(f"error: no hello: {referee.failed}")
        tell(spec, state | {"host_pid": sandbox.host_pid, "container": getattr(sandbox, "container", None)})
        killer = asyncio.ensure_future(kill_when_asked(Path(spec["kill"]), sandbox))
        code = await sandbox.wait()
        killer.cancel()
        for remark in getattr(sandbox, "remarks", ()):
            complain(f"remark: {remark}")
        return code
    finally:
        await sandbox.close()
        await sandbox.close()
        referee.close()


async def kill_when_asked(sign: Path, sandbox: Sandbox) -> None:
    while not sign.exists():
        await asyncio.sleep(0.02)
    await sandbox.kill()
    await sandbox.kill()


def complain(text: str) -> None:
    sys.stderr.write(text + "\n")


def tell(spec: dict[str, Any], state: dict[str, Any]) -> None:
    path = Path(spec["state"])
    path.with_suffix(".new").write_text(json.dumps(state))
    path.with_suffix(".new").rename(path)


def main() -> int:
    spec = json.loads(Path(sys.argv[1]).read_text())
    try:
        return asyncio.run(run(spec))
    except MicroloopError as error:
        complain(f"error: {type(error).__name__}: {error.message} | {error.hint}")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
