"""Doors under load: many at once, slow and absent readers, few files; the guard's other work goes on."""

from __future__ import annotations

import contextlib
import socket
import time

from .conftest import Serve, Through
from .door_server import echo
from .doorway import inside_python
from .harness import Launcher, Session

MIB = 1 << 20


def test_two_hundred_connections_at_once_are_all_answered_though_the_servers_queue_is_short(
    launcher: Launcher, server: Serve, through: Through
) -> None:
    script = """
        all = [connect() for _ in range(200)]
        for i, s in enumerate(all): s.sendall(b"%d" % i)
        print(all and [s.recv(10) for s in all] == [b"%d" % i for i in range(200)])
    """
    assert through(launcher, server(echo, backlog=3).place, script) == "True\n"


def test_more_than_a_thousand_connections_are_open_at_once(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    script = """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        all = [connect() for _ in range(1100)]
        for s in all: s.sendall(b"x")
        print({s.recv(10) for s in all})
    """
    assert through(bwrap, server(echo, backlog=50).place, script) == "{b'x'}\n"


def test_where_the_guard_may_open_few_files_connections_wait_their_turn_and_commands_still_start(
    bwrap: Launcher, server: Serve
) -> None:
    made = server(echo)
    script = """
        import select, subprocess
        all = [connect() for _ in range(40)]
        for s in all: s.sendall(b"x")
        def answered(some):
            time.sleep(0.3)
            return len(select.select(some, [], [], 0)[0])
        print(answered(all), subprocess.call(["true"]))
        before = guard_ticks(); time.sleep(0.5)
        print(guard_ticks() - before <= 5)
        for s in all[:16]: s.close()
        print(answered(all[16:]))
    """
    command = inside_python(script, 21411)
    session = Session(bwrap, command, options=["--door", f"21411={made.place}"])
    session._argv = ["prlimit", "--nofile=64:64", *session._argv]
    with session:
        assert session.wait() == 0, session.err
        assert session.out == b"16 0\nTrue\n16\n"


def test_a_reader_that_does_not_read_neither_grows_memory_nor_holds_up_others(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def flood_or_echo(c: socket.socket) -> None:
        if c.recv(1) == b"F":
            while True:
                c.sendall(bytes(MIB))
        echo(c)

    script = """
        def resident():
            return int(open("/proc/1/statm").read().split()[1]) * 4
        at_first, slow = resident(), [connect() for _ in range(20)]
        for s in slow: s.sendall(b"F")
        time.sleep(0.5)
        other = connect()
        other.sendall(b"E")
        begin = time.monotonic()
        for _ in range(200):
            other.sendall(b"ping"); assert other.recv(10) == b"ping"
        assert time.monotonic() - begin < 2
        time.sleep(0.5)
        print(resident() - at_first)
    """
    assert int(through(bwrap, server(flood_or_echo).place, script)) < 4096, "KiB more of the guard"


def test_verdicts_stay_fast_while_a_door_is_saturated(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def flood(c: socket.socket) -> None:
        while True:
            c.sendall(bytes(4 * MIB))

    script = """
        import subprocess
        def median_milliseconds():
            took = []
            for _ in range(30):
                begin = time.monotonic()
                subprocess.run(["/bin/true"], check=True)
                took.append((time.monotonic() - begin) * 1000)
            return sorted(took)[15]
        quiet = median_milliseconds()
        reader = os.fork()
        if not reader:
            s, room = connect(), bytearray(1 << 20)
            while True: s.recv_into(room)
        time.sleep(0.2)
        busy = median_milliseconds()
        os.kill(reader, 9)
        print(busy < 10 * quiet + 20, quiet, busy)
    """
    said = through(bwrap, server(flood).place, script)
    assert said.startswith("True"), said


def test_connections_that_wait_for_either_side_cost_no_processor_time(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def act(c: socket.socket) -> None:
        what = c.recv(1)
        if what in b"FL":
            c.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                while True:
                    c.sendall(bytes(MIB))
        if what == b"E":
            c.shutdown(socket.SHUT_WR)
        if what in b"WLE":
            time.sleep(3)

    script = """
        held = []
        for what in b"FLEW" * 2:  # full and closed, full, ended by the server, waiting
            s = connect(); s.sendall(bytes([what])); held.append(s)
            if len(held) > 4: s.shutdown(socket.SHUT_WR)
        time.sleep(0.7)
        before = guard_ticks(); time.sleep(0.7)
        print(guard_ticks() - before)
    """
    assert int(through(bwrap, server(act).place, script)) <= 3, "hundredths of a second, of seventy"
