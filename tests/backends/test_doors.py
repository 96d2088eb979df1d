"""Doors and seeds in every backend that contains: what leads out, and that nothing else does."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from microloop_cli.backends import enforcement
from microloop_cli.backends.base import Backend, Door
from microloop_cli.backends.bwrap import BwrapBackend
from microloop_cli.backends.docker import DockerBackend
from microloop_cli.backends.environment import guard_command
from microloop_cli.backends.none import NoneBackend
from microloop_cli.testing.backend import FakeBackend
from tests.backends.sample_request import request_for
from tests.backends.world import World
from tests.guard.door_server import Server

MODEL, EGRESS = Door(21411, "model.sock"), Door(21412, "egress.sock")
DOORS = [{"port": door.port, "name": door.name} for door in (MODEL, EGRESS)]
ASK = """
import socket, sys
for port in sys.argv[1:]:
    try:
        s = socket.create_connection(("127.0.0.1", int(port)), 5)
        s.sendall(b"hello"); s.shutdown(socket.SHUT_WR)
        print(s.makefile("rb").read().decode() or "closed")
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def own_loopback() -> Iterator[int]:
    """The port of a server on the host's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def beside_servers(world: World, argv: list[str], names: tuple[str, ...], **more: object) -> list[str]:
    """Run argv with a server at the socket of each door, which says its name and how much it heard."""

    def answer(name: str) -> Callable[[socket.socket], None]:
        return lambda c: c.sendall(f"{name} {len(c.makefile('rb').read())}".encode())

    spec = world.spec(argv, doors=DOORS, **more)
    (spec.parent / "channel").chmod(0o700)  # as in a run: the sockets are reached nevertheless
    with contextlib.ExitStack() as stack:
        for name in names:
            server = Server(spec.parent / "channel" / name, answer(name))
            stack.callback(server.close)
        done = subprocess.run(
            world._argv(spec), capture_output=True, env=world.environment(), timeout=60, check=False
        )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout.decode().split("\n")[:-1]


def test_each_door_leads_to_its_own_socket_and_nothing_leads_to_the_hosts_loopback(
    contained: World, own_loopback: int
) -> None:
    ports = [MODEL.port, EGRESS.port, own_loopback]
    said = beside_servers(contained, ["python3", "-c", ASK, *map(str, ports)], ("model.sock", "egress.sock"))
    assert said == ["model.sock 5", "egress.sock 5", "ConnectionRefusedError"]


def test_with_doors_there_is_still_only_loopback_and_no_route(contained: World) -> None:
    script = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; tail -n +2 /proc/net/route"
    assert beside_servers(contained, ["sh", "-c", script], ("model.sock", "egress.sock")) == ["lo"]


def test_two_runs_have_the_same_doors_at_the_same_time(bwrap: World) -> None:
    ask = ["python3", "-c", ASK, str(MODEL.port)]
    both = [bwrap.spec(ask, doors=DOORS[:1]) for _ in range(2)]
    with contextlib.ExitStack() as stack:
        for i, spec in enumerate(both):
            place, said = spec.parent / "channel" / "model.sock", f"run {i}".encode()
            server = Server(place, lambda c, said=said: c.sendall(said))  # type: ignore[misc]
            stack.callback(server.close)
        running = [
            subprocess.Popen(bwrap._argv(spec), stdout=subprocess.PIPE, env=bwrap.environment())
            for spec in both
        ]
        assert [process.communicate(timeout=60)[0] for process in running] == [b"run 0\n", b"run 1\n"]


def test_seeds_are_the_agents_own_files_and_leave_no_trace(contained: World) -> None:
    script = """
        cd && cat .config/agent/settings && echo more >> .config/agent/settings
        stat -c '%a %u' .config .config/agent/settings
        id -u
    """
    spec = contained.spec(["sh", "-c", script], seeded=True)
    folder = spec.parent / "channel" / "home" / ".config" / "agent"
    folder.mkdir(parents=True)
    (folder / "settings").write_text("url = here\n")
    (spec.parent / "channel").chmod(0o700)
    done = subprocess.run(
        contained._argv(spec), capture_output=True, env=contained.environment(), timeout=60, check=False
    )
    first, config, settings, uid = done.stdout.decode().split("\n")[:-1]
    assert first == "url = here"
    assert (config, settings) == (f"700 {uid}", f"600 {uid}")
    assert (folder / "settings").read_text() == "url = here\n"


def test_the_seed_cannot_be_changed_from_inside(contained: World) -> None:
    spec = contained.spec(["sh", "-c", "echo x > /run/microloop/home/new; ls -A ~"], seeded=True)
    home = spec.parent / "channel" / "home"
    home.mkdir()
    home.chmod(0o777)
    done = subprocess.run(
        contained._argv(spec), capture_output=True, env=contained.environment(), timeout=60, check=False
    )
    assert b"Read-only file system" in done.stderr
    assert (done.stdout, list(home.iterdir())) == (b"", [])


@pytest.mark.parametrize("backend", [NoneBackend(), FakeBackend()], ids=["none", "fake"])
@pytest.mark.parametrize("more", [{"doors": (MODEL,)}, {"seeded": True}], ids=["doors", "seeded"])
def test_where_nothing_is_contained_doors_and_seeds_are_the_callers_mistake(
    backend: Backend, more: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="nothing is contained"):
        backend.plan(request_for(tmp_path, **more))


@pytest.mark.parametrize("backend", [BwrapBackend(), DockerBackend()], ids=["bwrap", "docker"])
def test_doors_onto_the_hosts_network_are_the_callers_mistake(backend: Backend, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without a network"):
        backend.plan(request_for(tmp_path, doors=(MODEL,), network="host"))


def test_without_doors_and_seed_the_guards_command_line_is_as_short_as_ever() -> None:
    assert guard_command(("agent", "--seed"))[1:3] == ["--channel", "/run/microloop/channel.sock"]
    assert guard_command(("agent", "--seed"))[3:] == ["--", "agent", "--seed"]


def test_the_plan_names_the_ways_out_that_are_there(tmp_path: Path) -> None:
    def network(*doors: Door) -> str:
        request = request_for(tmp_path, doors=doors)
        told = [enforcement.of_bwrap(request, user_namespace=True), enforcement.of_docker(request, "1:1")]
        (ways,) = {each.enforced["network"].partition("; ")[2] for each in told}
        return ways

    assert network() == ""
    assert network(MODEL) == "ways out: microloop's model door"
    assert network(MODEL, EGRESS) == "ways out: microloop's model door and egress door"
