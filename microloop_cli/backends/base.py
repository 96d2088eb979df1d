"""What a sandbox backend is: a plan as data, then a running sandbox. See ARCHITECTURE.md, "Backends"."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, get_args

import msgspec

BackendName = Literal["bwrap", "docker", "none"]
Boundary = Literal[
    "intercept",
    "capture",
    "filesystem",
    "home",
    "network",
    "processes",
    "privileges",
    "memory",
    "cpu",
    "pids",
]
DEFAULT_HOME = "/home/agent"
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)


class Door(msgspec.Struct, frozen=True):
    """A way out of a sandbox without a network: the guard listens on 127.0.0.1:`port` there and relays to the
    supervisor's Unix socket `channel_dir/name` (bound before `launch`), inside `/run/microloop/name`.

    port: above 1023. The agent may be another user than the supervisor: whoever binds the socket makes it
    0666; `channel_dir` (0700) keeps the host's other users out.
    """

    port: int
    name: str


class SandboxRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a backend needs to know; resolved, absolute, no defaults to look up.

    argv: the agent command as the user typed it (argv[0] may need a PATH search).
    workspace: absolute host path, the same inside. cwd: absolute, inside the workspace.
    runs_dir: `.microloop` of the workspace, to be masked inside.
    channel_dir: private host directory that will hold `channel.sock` (created by the caller).
    guard: host path of the static guard binary. nonce: for MICROLOOP_NONCE.
    env: the variables the agent gets beside the backend's own (HOME, PATH, TMPDIR, USER ...).
    interactive: stdin, stdout and stderr are all terminals and the agent may own them.
    doors: only with network "none" in a backend that contains. seeded: `channel_dir/home` holds files (made
    before `launch`; folders 0755 and files 0644, as the agent may be another user) that the agent finds in
    its HOME, as its own (0700, 0600); never where HOME is the user's (none).
    """

    argv: tuple[str, ...]
    workspace: Path
    cwd: Path
    runs_dir: Path
    channel_dir: Path
    guard: Path
    nonce: str
    env: dict[str, str]
    network: Literal["none", "host"]
    interactive: bool
    image: str | None = None
    user: str | None = None
    memory_mib: int | None = None
    cpus: float | None = None
    pids: int | None = None
    home: str = DEFAULT_HOME
    doors: tuple[Door, ...] = ()
    seeded: bool = False


class Enforcement(msgspec.Struct, frozen=True, kw_only=True):
    """For each boundary how it is enforced, or why it is not; every boundary is in exactly one of the two."""

    enforced: dict[str, str]
    missing: dict[str, str]


class SandboxPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be done, as data: printed by --dry-run, compared by tests, done by `launch`.

    launch_spec: all have `argv` and `env` or, docker, `create` (the create call's keyword arguments); the
    rest is the backend's own.
    """

    backend: BackendName
    launch_spec: dict[str, object]
    enforcement: Enforcement
    notes: tuple[str, ...] = ()


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What really trying the backend showed. `usable` is False when a run could not start with it."""

    backend: BackendName
    usable: bool
    enforcement: Enforcement
    problems: tuple[Problem, ...] = ()
    versions: dict[str, str] = {}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing, why, and the command (or step) that mends it."""

    what: str
    why: str
    mend: str


class Sandbox(Protocol):
    """A started sandbox. The agent's input and output pass through the caller's own stdin, stdout, stderr."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """After `wait`: what the exit status alone does not say (out of memory)."""

    @property
    def host_pid(self) -> int | None:
        """Host pid of the top process of the sandbox, for psutil; None when not known (yet)."""

    async def wait(self) -> int:
        """Exit status of the guard (the agent's own code, 128+n, or 125), after all output was passed on."""

    async def kill(self) -> None:
        """SIGKILL everything in the sandbox at once; idempotent."""

    async def close(self) -> None:
        """Remove what the backend made on the host (container, temporary files); idempotent."""


class Backend(Protocol):
    name: BackendName

    def plan(self, request: SandboxRequest) -> SandboxPlan:
        """The plan for one run. Reads the host (where programs and images are) but changes nothing.

        Raises SandboxError when the host cannot, UsageError when the workspace cannot be one,
        and (bwrap, none) CommandNotFound or CommandNotExecutable when argv[0] is not to be run.
        """

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        """Start it: the guard runs and connects to channel_dir/channel.sock, an interactive sandbox's
        terminal has its size. Raises SandboxError."""

    def probe(self, guard: Path) -> Probe:
        """Really try: start a sandbox, install the filter, capture, kill. Never raises for what lacks."""
