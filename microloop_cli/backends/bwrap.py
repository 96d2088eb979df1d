"""The bubblewrap backend: rootless where user namespaces are allowed, as root everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import cast

import msgspec

from microloop_cli.backends import bwrap_failure, enforcement, host_tree
from microloop_cli.backends.base import BackendName, Probe, Sandbox, SandboxPlan, SandboxRequest
from microloop_cli.backends.bwrap_plan import HostView, bwrap_argv, process_environment
from microloop_cli.backends.environment import GUARD_INSIDE, account_files, agent_environment
from microloop_cli.backends.hostfacts import read_host_facts, userns_impossible
from microloop_cli.backends.processes import INHERITED, ProcessSandbox, Stdio, child_of, command_name, start
from microloop_cli.backends.programs import STANDARD_PATH, needs_of
from microloop_cli.errors import SandboxError

UID_OF_ROOTS_AGENT = 1000
_POLL_SECONDS = 0.001
_GUARD_NAME = Path(GUARD_INSIDE).name


class BwrapBackend:
    name: BackendName = "bwrap"

    def plan(self, request: SandboxRequest) -> SandboxPlan:
        """See base.Backend; `launch_spec` also holds `files`, written beside the channel before the start."""
        host_tree.check_places(request)
        host_tree.check_owner_when_root(request.workspace)
        view = _host_view()
        roots = [root for root, _ in view.roots]
        needs = needs_of(
            request.argv[0],
            path=os.environ.get("PATH", os.pathsep.join(STANDARD_PATH)),
            cwd=request.cwd,
            home=Path.home(),
            workspace=request.workspace,
            roots=roots,
            pyenv_version=os.environ.get("PYENV_VERSION"),
        )
        environment = agent_environment(
            request, os.environ, path=os.pathsep.join(needs.path), more=needs.variables
        )
        uid, gid = (
            (os.getuid(), os.getgid()) if view.uid is None or view.gid is None else (view.uid, view.gid)
        )
        files = account_files(uid, gid, request.home)
        return SandboxPlan(
            backend=self.name,
            launch_spec={
                "argv": bwrap_argv(request, view, needs, environment),
                "env": process_environment(environment),
                "files": {str(request.channel_dir / name): text for name, text in files.items()},
                "runs_dir": str(request.runs_dir),
                "interactive": request.interactive,
            },
            enforcement=enforcement.of_bwrap(request, user_namespace=view.uid is not None),
            notes=_notes(view, request),
        )

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        return await self.launch_with(plan, INHERITED)

    async def launch_with(self, plan: SandboxPlan, stdio: Stdio) -> ProcessSandbox:
        """As `launch`, with other descriptors than the caller's own."""
        spec = plan.launch_spec
        files = cast("dict[str, str]", spec["files"])
        Path(cast(str, spec["runs_dir"])).mkdir(exist_ok=True)
        for path, text in files.items():
            Path(path).write_text(text, encoding="utf-8")
            Path(path).chmod(0o644)
        sandbox = await start(
            cast("list[str]", spec["argv"]),
            cast("dict[str, str]", spec["env"]),
            stdio,
            own_session=not spec["interactive"],
            files=tuple(map(Path, files)),
            has_monitor=True,
        )
        await _until_guard_runs(sandbox, cast("list[str]", spec["argv"]), cast("dict[str, str]", spec["env"]))
        return sandbox

    def probe(self, guard: Path) -> Probe:
        from microloop_cli.backends.probe import probe_backend

        probe = probe_backend(self, guard)
        return msgspec.structs.replace(probe, versions=probe.versions | asyncio.run(_version()))


async def _until_guard_runs(sandbox: ProcessSandbox, argv: list[str], environment: dict[str, str]) -> None:
    """Return once bwrap's child executed the guard; raise SandboxError when bwrap gave up before."""
    while not sandbox.ended:
        child = child_of(sandbox.pid)
        if child is not None and command_name(child) == _GUARD_NAME:
            return
        await asyncio.sleep(_POLL_SECONDS)
    if await sandbox.wait() != 0:
        message = await bwrap_failure.first_complaint(argv, environment)
        if message is not None:
            await sandbox.close()
            raise bwrap_failure.explained(message, read_host_facts())


def _host_view() -> HostView:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(
            "bubblewrap (the program bwrap) is not installed",
            hint="install it: apt install bubblewrap, dnf install bubblewrap, or pacman -S bubblewrap",
        )
    uid, gid = os.getuid(), os.getgid()
    as_root = uid == 0
    shown, covered = host_tree.kernel_files() if as_root else ([], [])
    own_namespace = not as_root or not userns_impossible(read_host_facts())
    return HostView(
        bwrap=bwrap,
        roots=tuple(
            (root, str(root.readlink()) if root.is_symlink() else None) for root in host_tree.existing_roots()
        ),
        covered=host_tree.secrets_below_roots(),
        kernel_shown=tuple(shown),
        kernel_covered=tuple(covered),
        resolver=host_tree.resolver_target(),
        uid=(UID_OF_ROOTS_AGENT if as_root else uid) if own_namespace else None,
        gid=(UID_OF_ROOTS_AGENT if as_root else gid) if own_namespace else None,
    )


async def _version() -> dict[str, str]:
    with contextlib.suppress(OSError):
        process = await asyncio.create_subprocess_exec("bwrap", "--version", stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        return {"bwrap": said.decode("utf-8", "replace").strip().removeprefix("bubblewrap ")}
    return {}


def _notes(view: HostView, request: SandboxRequest) -> tuple[str, ...]:
    notes = []
    if view.uid is None:
        notes.append("no user namespace on this host: the agent runs as root without any capability")
    home = Path.home()
    if request.workspace == home:
        notes.append(f"the workspace is the home directory {home}: all of it can be read and written inside")
    if request.memory_mib is not None or request.cpus is not None or request.pids is not None:
        notes.append("bubblewrap enforces no memory, CPU or process limit; --sandbox docker does")
    return tuple(notes)
