"""Which guard binary to use: the one the environment names, the shipped one, or one built here."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from microloop_cli.errors import HostError
from microloop_cli.guard import build
from microloop_cli.resources import is_checkout, sandboxes_dir

OVERRIDE = "MICROLOOP_GUARD"


def find_guard(arch: str | None = None) -> Path:
    """The guard for `arch` (this machine's when None), built first when need be.

    Order: the file MICROLOOP_GUARD names; the packaged or checked-out build; a build in the cache. In a
    checkout a build older than its sources is not used. Raises HostError naming what to install.
    """
    named = os.environ.get(OVERRIDE)
    if named:
        return _named(Path(named))
    arch = arch or build.machine()
    if arch not in build.ARCHES:
        raise HostError(f"there is no guard for {arch}", hint=f"use one of: {', '.join(build.ARCHES)}")
    source = sandboxes_dir() / "guard"
    built = source / "build" / build.guard_name(arch)
    if _is_program(built) and not (is_checkout() and _older_than_sources(built, source)):
        return built
    return _cached(source, arch)


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/microloop`, or the same below `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return base / "microloop"


def _named(path: Path) -> Path:
    if not _is_program(path):
        raise HostError(
            f"{OVERRIDE} names {path}, which is no executable file",
            hint=f"unset {OVERRIDE}, or let it name a guard binary",
        )
    return path.resolve()


def _cached(source: Path, arch: str) -> Path:
    if not build.sources(source):
        raise HostError(
            f"this installation has neither a guard for {arch} nor its sources ({source})",
            hint="install it again: pip install --force-reinstall microloop-cli",
        )
    target = cache_dir() / f"guard-{build.sources_digest(source)}-{arch}"
    if not _is_trusted(target):
        build.build_guard(source, arch, target)
    return target


def _older_than_sources(built: Path, source: Path) -> bool:
    newest = max((path.stat().st_mtime_ns for path in build.sources(source)), default=0)
    return built.stat().st_mtime_ns < newest


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_trusted(path: Path) -> bool:
    """A cached guard is used only when nobody but its owner, this user or root, could have written it."""
    try:
        info = path.lstat()
    except OSError:
        return False
    ours = info.st_uid in (os.geteuid(), 0) and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return ours and stat.S_ISREG(info.st_mode) and bool(info.st_mode & stat.S_IXUSR)
