"""Docker's many ways to fail, each as one SandboxError with the step that mends it."""

from __future__ import annotations

import errno
import os
import re
import socket
from pathlib import Path

from microloop_cli.backends.host_tree import elf_machine
from microloop_cli.errors import SandboxError

_PING_SECONDS = 20.0
DEFAULT_SOCKET = "/var/run/docker.sock"


def ping_daemon() -> str:
    """Ask the daemon on its socket for its API version; SandboxError says what is wrong.

    One round trip of less than a millisecond: the client library's own way to the version takes 20.
    """
    host = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
    if not host.startswith("unix://"):
        raise SandboxError(
            f"the Docker daemon at {host} is not on this machine, so it cannot mount the workspace",
            hint="unset DOCKER_HOST to use the local daemon, or use --sandbox bwrap",
        )
    path = host[len("unix://") :]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PING_SECONDS)
        try:
            probe.connect(path)
            probe.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = probe.recv(1 << 16)
        except OSError as error:
            raise _unreachable(path, error) from error
    match = re.search(rb"^Api-Version: *([0-9.]+)", answer, re.MULTILINE | re.IGNORECASE)
    if match is None:
        raise SandboxError(f"what listens on {path} is no Docker daemon", hint="check DOCKER_HOST")
    return match[1].decode()


def api_failure(what: str, error: Exception) -> SandboxError:
    """For an error of docker-py while doing `what`."""
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


def _unreachable(path: str, error: OSError) -> SandboxError:
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
