"""Why bwrap did not start: its own complaint turned into the likely cause and the command that mends it."""

from __future__ import annotations

import asyncio

from microloop_cli.backends.environment import GUARD_INSIDE
from microloop_cli.backends.hostfacts import HostFacts, userns_problems
from microloop_cli.errors import SandboxError

_RETRY_SECONDS = 10.0
# What bwrap says when it may not make or fill its namespaces.
_FORBIDDEN = (
    "creating new namespace", "no permissions to create", "setting up uid map", "setting up gid map",
    "loopback", "operation not permitted", "permission denied", "clone",
)  # fmt: skip


async def first_complaint(argv: list[str], environment: dict[str, str]) -> str | None:
    """Start the sandbox once more, the guard with nothing to do, and read what bwrap says; None: it works.

    Only after a failure: the first try wrote its complaint straight to the user's stderr.
    """
    command = [*argv[: argv.index(GUARD_INSIDE, argv.index("--chdir"))], GUARD_INSIDE, "--version"]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, stderr = await asyncio.wait_for(process.communicate(), _RETRY_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        return None
    lines = stderr.decode("utf-8", "replace").splitlines()
    return next((line[len("bwrap: ") :] for line in lines if line.startswith("bwrap: ")), None)


def explained(complaint: str, facts: HostFacts) -> SandboxError:
    """The error for one complaint of bwrap on a host with these facts. Pure."""
    return SandboxError(f"bubblewrap could not start the sandbox: {complaint}", hint=_hint(complaint, facts))


def _hint(complaint: str, facts: HostFacts) -> str:
    lowered = complaint.lower()
    if "unknown option" in lowered:
        return "this bubblewrap is too old; microloop needs 0.5 or newer"
    if "execvp" in lowered and "guard" in lowered:
        return "the guard binary cannot be executed: reinstall microloop-cli, and not on a noexec file system"
    if any(words in lowered for words in _FORBIDDEN):
        problems = userns_problems(facts)
        if problems:
            return "; ".join(f"{problem.what}: {problem.mend}" for problem in problems)
        if facts.in_container:
            return (
                "inside a container the outer runtime forbids namespaces: start it with --privileged, or "
                "with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
                "--cap-add SYS_ADMIN"
            )
    return "`microloop doctor` shows what this host lacks; --sandbox docker is the other way"
