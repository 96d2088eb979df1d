"""Really try a backend: start a sandbox with the real guard, look around in it, refuse, capture, kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from microloop_cli.backends import enforcement, probe_script
from microloop_cli.backends.base import (
    BackendName,
    Boundary,
    Probe,
    Problem,
    Sandbox,
    SandboxPlan,
    SandboxRequest,
)
from microloop_cli.backends.hostfacts import kernel_problems, read_host_facts, userns_problems
from microloop_cli.backends.probe_channel import Referee
from microloop_cli.backends.processes import Stdio, descendants_of
from microloop_cli.errors import MicroloopError

_HELLO_SECONDS = 20.0
_SCRIPT_SECONDS = 30.0
_END_SECONDS = 15.0
_UNPRIVILEGED_UID = 1000
_HOME = "/home/agent"


class Probed(Protocol):
    """What a probe needs of a backend: base.Backend, and output to other descriptors than our own."""

    name: BackendName

    def plan(self, request: SandboxRequest) -> SandboxPlan: ...

    async def launch_with(self, plan: SandboxPlan, stdio: Stdio) -> Sandbox: ...


class _Seen(msgspec.Struct, kw_only=True):
    """What one trial showed; `failure` is set when it did not get to its end."""

    plan: SandboxPlan
    report: str = ""
    referee: Referee
    killed: bool = False
    kept: bool = False
    failure: str = ""


def probe_backend(backend: Probed, guard: Path, *, image: str | None = None) -> Probe:
    """See base.Backend.probe. `versions` names the kernel, and the guard when it could say its hello."""
    facts = read_host_facts()
    versions = {"kernel": facts.kernel}
    problems = list(kernel_problems(facts))
    try:
        with _places(backend.name) as (workspace, channel_dir, outside):
            seen = asyncio.run(_try(backend, guard, image, workspace, channel_dir, outside))
    except MicroloopError as error:
        found = Problem(what=error.message, why=f"{backend.name} cannot start a sandbox", mend=error.hint)
        extra = userns_problems(facts) if backend.name == "bwrap" else ()
        return Probe(
            backend=backend.name,
            usable=False,
            enforcement=enforcement.nothing(error.message),
            problems=(found, *problems, *extra),
            versions=versions,
        )
    if seen.referee.hello is not None:
        versions["guard"] = seen.referee.hello.guard_version
    return _judged(backend.name, seen, problems, versions)


def _judged(name: BackendName, seen: _Seen, problems: list[Problem], versions: dict[str, str]) -> Probe:
    if seen.failure:
        why = "the trial run did not get to its end"
        problems.insert(0, Problem(what=seen.failure, why=why, mend=_mend(problems)))
        return Probe(
            backend=name,
            usable=False,
            enforcement=enforcement.nothing(seen.failure),
            problems=tuple(problems),
            versions=versions,
        )
    found = _boundaries(seen)
    claims = seen.plan.enforcement
    failed = {
        boundary: why for boundary, why in found.items() if why is not None and boundary in claims.enforced
    }
    for boundary, why in failed.items():
        problems.append(Problem(what=f"{boundary} is not enforced", why=why, mend=_mend(problems)))
    for notice in seen.referee.notices:
        problems.append(Problem(what=notice, why="the guard said so", mend=_mend(problems)))
    return Probe(
        backend=name,
        usable="intercept" not in failed,
        enforcement=enforcement.confirmed_by(claims, {b: why for b, why in found.items() if b in failed}),
        problems=tuple(problems),
        versions=versions,
    )


def _mend(problems: list[Problem]) -> str:
    return problems[0].mend if problems else "report it, with the output of `microloop doctor --json`"


def _boundaries(seen: _Seen) -> dict[Boundary, str | None]:
    found = probe_script.findings(
        seen.report, kept=seen.kept, killed=seen.killed, home_leaked=Path(_HOME, "written").exists()
    )
    commands = [command.argv for command in seen.referee.execs]
    if not any(probe_script.REFUSED in argv for argv in commands):
        found["intercept"] = "the guard did not report a command that ran"
    captured = probe_script.CAPTURED.encode() in bytes(seen.referee.output)
    found["capture"] = None if captured else "the output of a command did not reach the guard"
    return found


async def _try(
    backend: Probed, guard: Path, image: str | None, workspace: Path, channel_dir: Path, outside: Path
) -> _Seen:
    request = _request(guard, image, workspace, channel_dir, outside)
    plan = backend.plan(request)
    seen = _Seen(plan=plan, referee=Referee())
    await seen.referee.open(channel_dir, request.nonce)
    read_end, write_end = os.pipe()
    null = os.open("/dev/null", os.O_RDONLY)
    sandbox: Sandbox | None = None
    try:
        sandbox = await backend.launch_with(plan, Stdio(null, write_end, write_end))
        if not await seen.referee.greet(_HELLO_SECONDS):
            seen.failure = seen.referee.failed
            return seen
        await _read_report(seen, read_end)
        await _kill(seen, sandbox)
        seen.kept = (workspace / "kept").exists()
        return seen
    finally:
        if sandbox is not None:
            await sandbox.close()
        seen.referee.close()
        for fd in (read_end, write_end, null):
            os.close(fd)


async def _read_report(seen: _Seen, read_end: int) -> None:
    """Collect what the script says until it is done; sets `failure` when it does not get there in time."""
    done = asyncio.Event()
    report = bytearray()

    def more() -> None:
        with contextlib.suppress(BlockingIOError):
            report.extend(os.read(read_end, 1 << 16))
        if probe_script.DONE.encode() in report:
            done.set()

    os.set_blocking(read_end, False)
    loop = asyncio.get_running_loop()
    loop.add_reader(read_end, more)
    try:
        await asyncio.wait_for(done.wait(), _SCRIPT_SECONDS)
    except asyncio.TimeoutError:
        seen.failure = seen.referee.failed or "the commands in the sandbox did not end in time"
    finally:
        loop.remove_reader(read_end)
    seen.report = report.decode("utf-8", "replace")


async def _kill(seen: _Seen, sandbox: Sandbox) -> None:
    top = sandbox.host_pid
    inside = [] if top is None else [top, *descendants_of(top)]
    await sandbox.kill()
    try:
        await asyncio.wait_for(sandbox.wait(), _END_SECONDS)
    except asyncio.TimeoutError:
        seen.failure = seen.failure or "a killed sandbox did not end"
        return
    seen.killed = bool(inside) and not any(Path(f"/proc/{pid}").exists() for pid in inside)


def _request(
    guard: Path, image: str | None, workspace: Path, channel_dir: Path, outside: Path
) -> SandboxRequest:
    runs_dir = workspace / ".microloop"
    hidden = [outside, runs_dir / "secret", Path("/var/run/docker.sock")]
    script = probe_script.script(hidden, _home_entries(), _HOME)
    return SandboxRequest(
        argv=("/bin/sh", "-c", script),
        workspace=workspace,
        cwd=workspace,
        runs_dir=runs_dir,
        channel_dir=channel_dir,
        guard=guard,
        nonce=secrets.token_hex(16),
        env={},
        network="none",
        interactive=False,
        image=image,
        home=_HOME,
        memory_mib=probe_script.MEMORY_MIB,
        cpus=probe_script.CPUS,
        pids=probe_script.PIDS,
    )


def _home_entries() -> list[Path]:
    """A few files of the host's home that no program needs."""
    names = (".ssh", ".bashrc", ".profile", ".config", ".gitconfig", ".netrc", ".aws", ".bash_history")
    return [Path.home() / name for name in names]


@contextlib.contextmanager
def _places(name: BackendName) -> Iterator[tuple[Path, Path, Path]]:
    """A workspace with a bundle, a channel directory, and a file outside; all gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="microloop-probe-") as top:
        base = Path(top)
        workspace, channel_dir, outside = base / "workspace", base / "channel", base / "outside"
        (workspace / ".microloop").mkdir(parents=True)
        (workspace / ".microloop" / "secret").write_text("not to be seen", encoding="utf-8")
        channel_dir.mkdir(mode=0o700)
        outside.write_text("not to be seen", encoding="utf-8")
        if name == "docker" and os.getuid() == 0:
            os.chown(workspace, _UNPRIVILEGED_UID, _UNPRIVILEGED_UID)
        yield workspace, channel_dir, outside
