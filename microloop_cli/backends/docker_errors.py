"""Docker's many ways to fail, each as one SandboxError with the step that mends it."""

from __future__ import annotations

import errno
from pathlib import Path

from microloop_cli.backends.host_tree import elf_machine
from microloop_cli.errors import SandboxError


def api_failure(what: str, error: Exception) -> SandboxError:
    """For an error of docker-py, or one the daemon answered with, while doing `what`."""
    explanation = str(getattr(error, "explanation", None) or error).strip()
    lowered = explanation.lower()
    hint = "`microloop doctor` tries each part of the Docker backend"
    if "exec format error" in lowered:
        hint = "the guard binary is for another architecture than the image; use an image for this machine"
    elif "bind source path does not exist" in lowered:
        hint = (
            "the daemon sees another file system than this process (Docker in Docker?): use --sandbox bwrap"
        )
    elif "no such image" in lowered or "pull access denied" in lowered:
        hint = "see `docker images` for what there is, or fetch it with `docker pull`"
    elif "timed out" in lowered:
        hint = "the Docker daemon does not answer; restart it (sudo systemctl restart docker)"
    return SandboxError(f"{what}: {explanation}", hint=hint)


def missing_image(image: str) -> SandboxError:
    return SandboxError(
        f"the image {image} is not on this machine",
        hint=f"docker pull {image}, or name one of `docker images`",
    )


def check_architecture(guard: Path, image: str, architecture: str) -> None:
    """The guard runs inside the image's world, without emulation: both must be for one machine."""
    machine = elf_machine(guard) or "another machine"
    if architecture and architecture != machine:
        raise SandboxError(
            f"the image {image} is for {architecture}, the guard for {machine}",
            hint=f"use an image for {machine}: docker pull --platform linux/{machine} {image}",
        )


def unreachable(path: str, error: OSError) -> SandboxError:
    """For a daemon's socket that could not be spoken to."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return SandboxError(
            f"you may not use the Docker daemon: permission denied on {path}",
            hint="add yourself to the group docker (sudo usermod -aG docker $USER, then log in again), "
            "or use --sandbox bwrap",
        )
    return SandboxError(
        f"the Docker daemon is not running: {error.strerror or error} on {path}",
        hint="start it (sudo systemctl start docker), install it (apt install docker.io), "
        "or use --sandbox bwrap",
    )
