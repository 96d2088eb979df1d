"""An exec is reported with the very arguments its program got, however many, long or odd they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from microloop_cli.guard import wire

from .conftest import Need, Run
from .harness import Launcher

ARGV_KEPT_BYTES = 32_768
ARGVS = (
    ["one"],
    ["x", ""],
    ["a", "", "b", ""],
    ["no\nline", "caf\u00e9", "x=1"],
    *(["n", *map(str, range(count))] for count in (58, 59, 60, 61, 62, 63, 64, 65, 500)),
    ["page", "p" * 4096, "q" * 8192],
    ["fits", "f" * (ARGV_KEPT_BYTES - len("fits") - 2)],
    ["over", "o" * (ARGV_KEPT_BYTES - len("over") - 1)],
    ["long", "l" * 100_000],
)
ENVIRONMENTS: tuple[dict[str, str], ...] = ({}, {"A": "1"}, {f"NAME{n}": "value" * 20 for n in range(200)})
SPAWN = """
import os
for argv in {argvs!r}:
    for environment in {environments!r}:
        os.waitpid(os.posix_spawn({program!r}, argv, environment), 0)
"""


def kept(argv: list[str]) -> tuple[str, ...]:
    """What of an argv is reported: the first 32 KiB of it, NULs counted."""
    whole = b"".join(os.fsencode(arg) + b"\0" for arg in argv)
    return tuple(part.decode() for part in whole[:ARGV_KEPT_BYTES].removesuffix(b"\0").split(b"\0"))


@pytest.mark.parametrize("nested", [False, True])
def test_arguments_are_those_the_program_got(launcher: Launcher, run: Run, need: Need, nested: bool) -> None:
    program = need("true")
    script = launcher.writable / "spawn.py"
    script.write_text(SPAWN.format(argvs=ARGVS, environments=ENVIRONMENTS, program=program))
    command = [sys.executable, "-S", str(script)]
    if nested:
        command = ["/bin/sh", "-c", f"{' '.join(command)}; exit $?"]
    session = run(launcher, *command)
    assert session.process.returncode == 0, session.err
    execs = [e for e in session.all(wire.Exec) if Path(e.exe).name == Path(program).resolve().name]
    expected = [argv for argv in ARGVS for _ in ENVIRONMENTS]
    assert [e.argv for e in execs] == [kept(argv) for argv in expected]
    assert [e.argv_bytes for e in execs] == [
        sum(len(os.fsencode(arg)) + 1 for arg in argv) for argv in expected
    ]
    assert [e.argv_truncated for e in execs] == [e.argv_bytes > ARGV_KEPT_BYTES for e in execs]
    assert all(e.verified for e in execs)
    assert {e.lineage for e in execs} == ({"nested"} if nested else {"agent_child"})
