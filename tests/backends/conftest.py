"""The backends the conformance suite is run against, and the throwaway user for the rootless ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.world import IMAGE, ROOT, World, make_world
from tests.needs import need_bwrap, need_docker_image

USER = "microloop-test"
BACKENDS = [
    pytest.param("bwrap", id="bwrap"),
    pytest.param("bwrap-user", id="bwrap-as-ordinary-user"),
    pytest.param("docker", id="docker", marks=pytest.mark.docker),
    pytest.param("none", id="none"),
    pytest.param("fake", id="fake"),
]


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from world_of(request.param, request)


@pytest.fixture(params=BACKENDS[:3])
def contained(request: pytest.FixtureRequest) -> Iterator[World]:
    """Only the backends that claim to contain."""
    yield from world_of(request.param, request)


@pytest.fixture
def bwrap(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from world_of("bwrap", request)


@pytest.fixture
def docker(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from world_of("docker", request)


def world_of(name: str, request: pytest.FixtureRequest) -> Iterator[World]:
    user = None
    if name.startswith("bwrap"):
        need_bwrap()
    if name == "docker":
        need_docker_image(IMAGE)
    if name == "bwrap-user":
        user = request.getfixturevalue("ordinary_user")
    made = make_world(name.partition("-")[0], user)
    if user is not None:
        made.python, made.variables["PYTHONPATH"] = python_for(user)
    yield made
    shutil.rmtree(made.top, ignore_errors=True)


@pytest.fixture(scope="session")
def ordinary_user() -> Iterator[str]:
    """A user made for this session; without root there is none to make, and the other tests are rootless."""
    if os.getuid() != 0:
        pytest.skip("needs root to make a throwaway user (without it, the plain bwrap tests are rootless)")
    subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", USER], check=False)
    python_for(USER)
    yield USER
    subprocess.run(["userdel", USER], check=False, capture_output=True)


def python_for(user: str) -> tuple[list[str], str]:
    """A Python the user may run that finds the project and its dependencies: (command, PYTHONPATH)."""
    import msgspec

    site = str(Path(msgspec.__file__).parents[1])
    for python, path in ((sys.executable, str(ROOT)), ("/usr/bin/python3", f"{ROOT}:{site}")):
        test = [
            "runuser",
            "-u",
            user,
            "--",
            "env",
            f"PYTHONPATH={path}",
            python,
            "-c",
            "import msgspec, microloop_cli",
        ]
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            return [python], path
    pytest.skip(f"the user {user} can run no Python that has the project's dependencies")
