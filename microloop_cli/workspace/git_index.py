"""What git tracks, read off the index: git itself is never asked.

The format is Documentation/gitformat-index.txt of git, versions 2 to 4.
"""

from __future__ import annotations

import os
import stat
import struct

_INDEX_BYTES = 64 * 1024 * 1024
_POINTER_BYTES = 4096
_HEADER = struct.Struct(">4sII")  # "DIRC", version, number of entries
_EXTENSION = struct.Struct(">4sI")
_FLAGS_AT, _NAME_AT = 60, 62
_EXTENDED = 0x4000
_CHECKSUM_BYTES = 20


def tracked_paths(root: str) -> frozenset[str] | None:
    """Paths from `root` of all tracked files and their directories; empty without a repository there.

    None when there is an index that cannot be understood: nothing is known then.
    """
    try:
        index = _index_of(root)
        data = b"" if index is None else read_regular(index, _INDEX_BYTES)
    except FileNotFoundError:
        return frozenset()
    except OSError:
        return None
    if index is None:
        return frozenset()
    try:
        return frozenset(map(os.fsdecode, _paths(data)))
    except (struct.error, ValueError, IndexError):
        return None


def read_regular(name: str, most_bytes: int, folder_fd: int | None = None) -> bytes:
    """A regular file's content, never more than `most_bytes`, through no link; OSError."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder_fd)
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{name} is no file")
        return file.read(most_bytes)


def _index_of(root: str) -> str | None:
    """The index of the repository at `root`; a worktree's `.git` is a file that names its directory."""
    git = f"{root}/.git"
    mode = os.lstat(git).st_mode
    if stat.S_ISDIR(mode):
        return f"{git}/index"
    if not stat.S_ISREG(mode):
        return None
    pointer = read_regular(git, _POINTER_BYTES).decode(errors="surrogateescape").strip()
    if not pointer.startswith("gitdir: "):
        return None
    return os.path.join(root, pointer[8:], "index")  # noqa: PTH118 - bytes that are no UTF-8


def _paths(data: bytes) -> set[bytes]:
    """ValueError, struct.error, IndexError for what is no index with SHA-1 names that stands alone."""
    magic, version, count = _HEADER.unpack_from(data)
    if magic != b"DIRC" or version not in {2, 3, 4}:
        raise ValueError("no index")
    found: set[bytes] = set()
    at, name = _HEADER.size, b""
    for _ in range(count):
        flags = data[at + _FLAGS_AT] << 8
        name_at = at + _NAME_AT + (2 if flags & _EXTENDED else 0)
        if version == 4:
            cut, name_at = _varint(data, name_at)
            kept = name[: len(name) - cut]
        else:
            kept = b""
        end = data.index(b"\0", name_at)
        name = kept + data[name_at:end]
        _add(found, name)
        at = end + 1 if version == 4 else at + (end - at + 8) // 8 * 8
    _check_end(data, at)
    return found


def _add(found: set[bytes], path: bytes) -> None:
    while path and path not in found:
        found.add(path)
        path = path.rpartition(b"/")[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """git's variable width offset: the value and where it ends."""
    byte = data[at]
    value = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        value = (value + 1 << 7) | (byte & 127)
    return value, at + 1


def _check_end(data: bytes, at: int) -> None:
    """Only extensions and a SHA-1 may follow; with `link` most entries are in another file."""
    while len(data) - at > _CHECKSUM_BYTES:
        name, size = _EXTENSION.unpack_from(data, at)
        if name == b"link":
            raise ValueError("a split index")
        at += _EXTENSION.size + size
    if len(data) - at != _CHECKSUM_BYTES:
        raise ValueError("no index")
