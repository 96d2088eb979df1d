"""Doors: what connects to loopback inside reaches the supervisor's socket, whatever either side does."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from .conftest import Run, Serve, Start, Through
from .door_server import echo, until
from .doorway import inside_python
from .harness import Launcher, Session

MIB = 1 << 20


def test_bytes_go_both_ways_and_a_half_close_is_passed_on(
    launcher: Launcher, server: Serve, through: Through
) -> None:
    def answer_after_the_end(c: socket.socket) -> None:
        size = 0
        while data := c.recv(65536):
            size += len(data)
        c.sendall(b"%d:" % size + b"a" * (5 * MIB) + b"z")

    script = """
        s = connect()
        s.sendall(b"x" * (5 << 20))
        s.shutdown(socket.SHUT_WR)
        data = read_all(s)
        print(data[:8], len(data), data[-1:])
    """
    size = len(b"5242880:") + 5 * MIB + 1
    assert through(launcher, server(answer_after_the_end).place, script) == f"b'5242880:' {size} b'z'\n"


def test_the_servers_half_close_leaves_the_other_way_open(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    heard: list[bytes] = []

    def end_first(c: socket.socket) -> None:
        c.sendall(b"bye")
        c.shutdown(socket.SHUT_WR)
        heard.append(c.makefile("rb").read())

    script = 's = connect(); print(read_all(s)); s.sendall(b"still here"); s.close()'
    made = server(end_first)
    assert through(bwrap, made.place, script) == "b'bye'\n"
    until(lambda: heard == [b"still here"])


def test_a_client_that_does_not_read_slows_down_its_own_sender_and_nothing_is_lost(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def send(c: socket.socket) -> None:
        for i in range(24):
            c.sendall(bytes([i]) * MIB)

    script = """
        s = connect(); time.sleep(0.3)
        data = read_all(s)
        print(data == b"".join(bytes([i]) * (1 << 20) for i in range(24)))
    """
    assert through(bwrap, server(send).place, script) == "True\n"


def test_an_upload_that_is_read_slowly_arrives_whole(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def read_slowly(c: socket.socket) -> None:
        time.sleep(0.3)
        c.sendall(b"%d" % len(c.makefile("rb").read()))

    script = 's = connect(); s.sendall(b"x" * (24 << 20)); s.shutdown(socket.SHUT_WR); print(read_all(s))'
    assert through(bwrap, server(read_slowly).place, script) == f"b'{24 * MIB}'\n"


def test_a_server_that_hangs_up_during_an_upload_gets_its_answer_through(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    def refuse(c: socket.socket) -> None:
        c.recv(100)
        c.sendall(b"413")
        c.shutdown(socket.SHUT_RDWR)

    script = """
        s = connect(); s.setblocking(False)
        try:
            while True: s.send(b"x" * 65536)
        except BlockingIOError: pass
        s.setblocking(True)
        print(read_all(s)[:3])
    """
    assert through(bwrap, server(refuse).place, script) == "b'413'\n"


def test_who_hangs_up_inside_is_gone_outside_and_the_door_goes_on(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    ends: list[str] = []

    def flood(c: socket.socket) -> None:
        try:
            while True:
                c.sendall(bytes(65536))
        except OSError as error:
            ends.append(type(error).__name__)

    script = """
        import struct
        for reset in (True, False, True, False):
            s = connect(); s.recv(10)
            if reset: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        print(len(connect().recv(10)))
        time.sleep(0.3)
    """
    made = server(flood)
    assert through(bwrap, made.place, script) == "10\n"
    until(lambda: len(ends) == 5)
    assert set(ends) <= {"BrokenPipeError", "ConnectionResetError"}


def test_where_nobody_listens_outside_a_connection_is_closed_at_once(
    launcher: Launcher, tmp_path: Path, through: Through
) -> None:
    script = "b = time.monotonic(); print(read_all(connect()), time.monotonic() - b < 1)"
    assert through(launcher, tmp_path / "nobody.sock", script) == "b'' True\n"


def test_a_server_that_starts_late_is_found(
    bwrap: Launcher, tmp_path: Path, start: Start, server: Serve
) -> None:
    script = """
        print(read_all(connect()), flush=True)
        sys.stdin.readline()
        s = connect(); s.sendall(b"x"); print(s.recv(1))
    """
    options = ["--door", f"21411={tmp_path / 's0.sock'}"]
    with Session(bwrap, inside_python(script, 21411), options=options, stdin=subprocess.PIPE) as session:
        assert session.process.stdout is not None
        assert session.process.stdout.readline() == b"b''\n"
        server(echo)
        session.wait(data=b"\n")
        assert session.out == b"b'x'\n"


def test_several_doors_lead_to_several_places(bwrap: Launcher, server: Serve, run: Run) -> None:
    one, two = server(lambda c: c.sendall(b"one")), server(lambda c: c.sendall(b"two"))
    options = ["--door", f"21411={one.place}", "--door", f"21412={two.place}"]
    session = run(
        bwrap, *inside_python("print(read_all(connect(21411)), read_all(connect(21412)))", 0), options=options
    )
    assert session.out == b"b'one' b'two'\n"
