"""No sandbox: the guard as a plain child on the host. Commands are seen and refused, nothing is contained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from microloop_cli.backends import enforcement
from microloop_cli.backends.base import BackendName, Probe, Sandbox, SandboxPlan, SandboxRequest
from microloop_cli.backends.environment import CHANNEL_NAME, agent_environment
from microloop_cli.backends.host_tree import check_guard, check_writable
from microloop_cli.backends.processes import INHERITED, ProcessSandbox, Stdio, start
from microloop_cli.backends.programs import STANDARD_PATH, find_program
from microloop_cli.errors import UsageError


class NoneBackend:
    name: BackendName = "none"

    def plan(self, request: SandboxRequest) -> SandboxPlan:
        """The agent gets the host's PATH and HOME; the rest of its environment is as small as elsewhere.

        ValueError for doors (its loopback is the host's) and for a seed (its HOME is the user's).
        """
        refuse_doors(request)
        if not request.workspace.is_dir():
            raise UsageError(
                f"the workspace {request.workspace} is not a directory",
                hint="name a directory with --workspace",
            )
        check_writable(request.workspace)
        check_guard(request.guard)
        path = request.env.get("PATH") or os.environ.get("PATH", os.pathsep.join(STANDARD_PATH))
        find_program(request.argv[0], [entry for entry in path.split(os.pathsep) if entry], request.cwd)
        channel = str(request.channel_dir / CHANNEL_NAME)
        return SandboxPlan(
            backend=self.name,
            launch_spec={
                "argv": [str(request.guard), "--channel", channel, "--", *request.argv],
                "env": _environment(request, path),
                "cwd": str(request.cwd),
                "interactive": request.interactive,
            },
            enforcement=enforcement.of_none(),
            notes=("nothing is contained: the agent can do whatever you can",),
        )

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        return await self.launch_with(plan, INHERITED)

    async def launch_with(self, plan: SandboxPlan, stdio: Stdio) -> ProcessSandbox:
        """As `launch`, with other descriptors than the caller's own."""
        spec = plan.launch_spec
        return await start(
            cast("list[str]", spec["argv"]),
            cast("dict[str, str]", spec["env"]),
            stdio,
            own_session=not spec["interactive"],
            has_monitor=False,
            cwd=Path(cast(str, spec["cwd"])),
        )

    def probe(self, guard: Path) -> Probe:
        from microloop_cli.backends.probe import probe_backend

        return probe_backend(self, guard)


def refuse_doors(request: SandboxRequest) -> None:
    if request.doors or request.seeded:
        raise ValueError("where nothing is contained there are no doors, and nobody's home is seeded")


def _environment(request: SandboxRequest, path: str) -> dict[str, str]:
    own = {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME", "TMPDIR") if name in os.environ}
    return agent_environment(request, os.environ, path=path, more=own)
