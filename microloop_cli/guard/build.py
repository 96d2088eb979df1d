"""Building the guard with whatever C compiler is there; standard library only, for the wheel build."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from microloop_cli.errors import HostError

ARCHES = ("x86_64", "aarch64")
FLAGS = ("-std=gnu11", "-O3", "-g0", "-static", "-s", "-pthread", "-Wall", "-Wextra", "-Werror")
INSTALL_HINT = "install a compiler: apt install musl-tools, or pip install ziglang"
LONGEST_BUILD_SECONDS = 300.0


class Compiler(NamedTuple):
    """One way to compile for {arch}; `native` ones only make binaries for the machine they run on."""

    argv: tuple[str, ...]
    native: bool
    flags: tuple[str, ...] = ()


COMPILERS = (
    Compiler(("musl-gcc",), native=True),
    Compiler(("{arch}-linux-musl-gcc",), native=False),
    Compiler(("cc",), native=True),
    Compiler(("gcc",), native=True),
    Compiler(("clang",), native=True),
    Compiler(("{arch}-linux-gnu-gcc",), native=False),
    Compiler(("{python}", "-m", "ziglang", "cc", "-target", "{arch}-linux-musl"), native=False),
    Compiler(("zig", "cc", "-target", "{arch}-linux-musl"), native=False),
)


def machine() -> str:
    """This machine's architecture as the guard names it. Raises HostError when there is no guard for it."""
    name = platform.machine().lower()
    arch = {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)
    if arch not in ARCHES:
        raise HostError(f"there is no guard for {name} machines", hint=f"use one of: {', '.join(ARCHES)}")
    return arch


def guard_name(arch: str) -> str:
    return f"guard-{arch}"


def sources(directory: Path) -> tuple[Path, ...]:
    """The guard's C files and headers, sorted."""
    return tuple(sorted([*directory.glob("*.[ch]"), *directory.glob("src/**/*.[ch]")]))


def sources_digest(directory: Path) -> str:
    """16 hex digits that name this version of the sources and how they are compiled."""
    digest = hashlib.sha256("\0".join(FLAGS).encode())
    for path in sources(directory):
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def compilers_for(arch: str) -> Iterator[tuple[str, ...]]:
    """Command prefixes of the compilers on this machine that can build for `arch`, best first."""
    from importlib.util import find_spec

    for compiler in COMPILERS:
        if compiler.native and arch != machine():
            continue
        argv = tuple(word.format(arch=arch, python=sys.executable) for word in compiler.argv)
        if "ziglang" in argv:
            if find_spec("ziglang") is not None:
                yield argv
        elif shutil.which(argv[0]):
            yield argv


def build_guard(directory: Path, arch: str, target: Path) -> None:
    """Compile the sources in `directory` into the executable `target`, atomically.

    Raises HostError when no compiler is there, or none of those there can build it.
    """
    failures = []
    for argv in compilers_for(arch):
        said = _compile(argv, directory, target)
        if said is None:
            return
        failures.append(f"{' '.join(argv)}: {said}")
    if not failures:
        raise HostError(f"no guard for {arch} is at hand and no C compiler to build it", hint=INSTALL_HINT)
    raise HostError(f"the guard for {arch} could not be built: {'; '.join(failures)}", hint=INSTALL_HINT)


def _compile(argv: tuple[str, ...], directory: Path, target: Path) -> str | None:
    """None when `target` was made, else the last thing the compiler said."""
    import subprocess

    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    made = Path(name)
    files = [os.fspath(path) for path in sources(directory) if path.suffix == ".c"]
    try:
        done = subprocess.run(
            [*argv, *FLAGS, "-o", name, *files],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            return _last_line(done.stderr)
        made.chmod(0o755)
        made.replace(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        made.unlink(missing_ok=True)
    return None


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "backslashreplace").strip().splitlines()
    errors = [line for line in lines if "error" in line]
    return (errors or lines or ["it said nothing"])[-1]
