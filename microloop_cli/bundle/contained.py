"""Files inside one directory: names checked, no symbolic link followed, sizes limited."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from microloop_cli.errors import BundleError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def inside_parts(relative: str) -> tuple[str, ...]:
    """The components of a path that stays inside; BundleError for an absolute one, `..`, `.`, empty parts."""
    parts = tuple(relative.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise BundleError(
            f"the path {relative!r} leaves the bundle",
            hint="the bundle was changed or made by something else; do not trust it",
        )
    return parts


def open_inside(root: Path, relative: str) -> int:
    """A read-only descriptor of a regular file below `root`; BundleError for anything else, OSError."""
    *directories, name = inside_parts(relative)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in directories:
            below = os.open(part, _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        fd = os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BundleError(f"{relative} in {root} is not a regular file")
    return fd


def read_inside(root: Path, relative: str, limit_bytes: int) -> bytes:
    """A whole file below `root`; BundleError when it is missing, unreadable or larger than `limit_bytes`."""
    try:
        with open(open_inside(root, relative), "rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise BundleError(f"cannot read {root / relative}: {error.strerror}") from error
    if len(content) > limit_bytes:
        raise BundleError(f"{root / relative} is larger than {limit_bytes} bytes; it is not read")
    return content


def walk_inside(root: Path) -> Iterator[tuple[str, bool]]:
    """Every entry below `root` that is no directory: its path from `root`, and whether it is a regular file.

    Sorted within each directory; links are not followed. A directory that cannot be listed counts as an
    irregular entry.
    """
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            yield folder, False
            continue
        for entry in entries:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(relative)
            else:
                yield relative, entry.is_file(follow_symlinks=False)
