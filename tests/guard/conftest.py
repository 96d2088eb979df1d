"""What the guard's tests share: the real binary, the two launchers, helpers compiled once, and sessions."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.errors import HostError
from microloop_cli.guard.binary import find_guard
from tests import needs

from .door_server import Server
from .doorway import door_options, inside_python
from .harness import Launcher, Session

HELPERS = Path(__file__).parent / "helpers"
Start = Callable[..., Session]
Run = Callable[..., Session]
Helper = Callable[..., Path]
Need = Callable[[str], str]
Serve = Callable[..., Server]
Through = Callable[..., str]


@pytest.fixture(scope="session")
def need() -> Need:
    """Path of a program of the host."""
    return lambda program: str(needs.need(program))


@pytest.fixture(scope="session")
def guard_path() -> Path:
    try:
        return find_guard()
    except HostError as error:
        needs.missing(error.message)


@pytest.fixture(params=["plain", "bwrap"])
def launcher(request: pytest.FixtureRequest, guard_path: Path, tmp_path: Path, need: Need) -> Launcher:
    """Both ways to run the guard: as a plain child and as PID 1 of a sandbox."""
    if request.param == "bwrap":
        need("bwrap")
    return Launcher(request.param, guard_path, tmp_path)


@pytest.fixture
def plain(guard_path: Path, tmp_path: Path) -> Launcher:
    return Launcher("plain", guard_path, tmp_path)


@pytest.fixture
def bwrap(guard_path: Path, tmp_path: Path, need: Need) -> Launcher:
    need("bwrap")
    return Launcher("bwrap", guard_path, tmp_path)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Session; it is ended with the test."""
    with ExitStack() as stack:

        def begin(launcher: Launcher, *command: str, **options: Any) -> Session:
            return stack.enter_context(Session(launcher, command, **options))

        yield begin


@pytest.fixture
def run(start: Start) -> Run:
    """Run a command to its end under the guard; `session.process.returncode` is the guard's exit code."""

    def to_the_end(launcher: Launcher, *command: str, data: bytes | None = None, **options: Any) -> Session:
        if data is not None:
            options["stdin"] = subprocess.PIPE
        session = start(launcher, *command, **options)
        session.wait(data=data)
        return session

    return to_the_end


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serve]:
    """Start a server on a Unix socket of this test: `server(handler)`."""
    made: list[Server] = []

    def begin(handler: Callable[[socket.socket], None], backlog: int = 128) -> Server:
        made.append(Server(tmp_path / f"s{len(made)}.sock", handler, backlog))
        return made[-1]

    yield begin
    for one in made:
        one.close()


@pytest.fixture
def through(run: Run) -> Through:
    """Run a Python script inside, beside one door to `place`; its stdout. It must succeed."""

    def to_the_end(launcher: Launcher, place: Path, script: str, *arguments: object) -> str:
        port, options = door_options(launcher, place)
        session = run(launcher, *inside_python(script, port, *arguments), options=options)
        assert session.process.returncode == 0, (session.out, session.err)
        return session.out.decode()

    return to_the_end


@pytest.fixture(scope="session")
def helper(tmp_path_factory: pytest.TempPathFactory, need: Need) -> Helper:
    """Path of a program compiled from helpers/NAME.c, once a session."""
    room = tmp_path_factory.mktemp("helpers")

    def compiled(name: str, *flags: str) -> Path:
        target = room / name
        if not target.exists():
            source = HELPERS / f"{name}.c"
            argv = [
                need("gcc"),
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                *flags,
                "-o",
                str(target),
                str(source),
                "-lpthread",
            ]
            subprocess.run(argv, check=True, capture_output=True)
        return target

    return compiled
