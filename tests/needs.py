"""What a test needs from the host: missing things skip the test, and fail it where CI is set."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

TEST_IMAGE = "microloop-test:latest"
AGENTS_DIR = Path(
    os.environ.get("MICROLOOP_TEST_AGENTS")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "microloop-test" / "agents"
)


def missing(what: str) -> NoReturn:
    """Skip the test that needs `what`; with CI in the environment a missing thing is a failure.

    MICROLOOP_TEST_WITHOUT (names separated by commas, as given to `need`) still skips in CI: for a
    machine, or a user, that cannot have the thing.
    """
    spared = os.environ.get("MICROLOOP_TEST_WITHOUT", "").split(",")
    if os.environ.get("CI") and what not in spared:
        pytest.fail(f"this machine lacks {what}, and in CI nothing may be missing", pytrace=False)
    pytest.skip(f"needs {what}")


def need(*programs: str) -> Path:
    """The path of the last of `programs`, all of which must be on PATH."""
    found: Path | None = None
    for program in programs:
        path = shutil.which(program)
        if path is None:
            missing(program)
        found = Path(path)
    assert found is not None, "need() takes at least one program"
    return found


def need_one_of(*programs: str) -> Path:
    """The path of the first of `programs` that is on PATH."""
    for program in programs:
        path = shutil.which(program)
        if path is not None:
            return Path(path)
    missing(programs[0])


@functools.cache
def _bwrap_starts() -> str:
    """Empty when bubblewrap can make a sandbox here, else what it said."""
    argv = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "true"]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=30, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit {done.returncode}"


def need_bwrap() -> Path:
    """The path of bwrap, which must be able to start a sandbox here."""
    path = need("bwrap")
    if _bwrap_starts():
        missing("bwrap that works")
    return path


@functools.cache
def _docker_server() -> str:
    """The version of the Docker daemon; empty when none answers."""
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def need_docker() -> str:
    """The version of the Docker daemon, which must answer."""
    need("docker")
    if not _docker_server():
        missing("docker daemon")
    return _docker_server()


@functools.cache
def _docker_has(image: str) -> bool:
    argv = ["docker", "image", "inspect", image]
    done = subprocess.run(argv, capture_output=True, timeout=20, check=False)
    return done.returncode == 0


def need_docker_image(image: str = TEST_IMAGE) -> str:
    """The name of the test image, which scripts/build-test-image makes."""
    need_docker()
    if not _docker_has(image):
        missing("docker image")
    return image


def need_agent(name: str) -> Path:
    """The path of an agent that scripts/install-agents installed: claude, codex, gemini, mini or srt."""
    for folder in (AGENTS_DIR / "npm" / "node_modules" / ".bin", AGENTS_DIR / "venv" / "bin"):
        if (folder / name).exists():
            return folder / name
    missing(name)


def need_module(name: str, python: str = "/usr/bin/python3") -> None:
    """The host's own Python, which every sandbox has, must have the module."""
    if not Path(python).exists() or subprocess.run([python, "-c", f"import {name}"], check=False).returncode:
        missing(f"python3-{name}")
