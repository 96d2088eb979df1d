"""What one file is: kind, mode, size and hash; opened so that nothing can hang or fool the reader.

Whether a file must be read again is told by (ctime, mtime, size, inode, mode). mtime alone says nothing: any
program sets it. ctime is the file system's own; it is believed only where a later write must change it.
"""

from __future__ import annotations

import errno
import os
import stat
from hashlib import blake2b, sha256
from typing import Literal

import msgspec

SMALL_BYTES = 1024 * 1024
"""Files up to this size are read at once and, when they are text, kept in the snapshot."""
HUGE_BYTES = 64 * 1024 * 1024
"""Larger files are known by size, time, and the hash of their first and last megabyte."""
NEVER_NS = -1
"""Stands for a ctime that proves nothing: the file could be written again and look the same to stat."""
_TICK_NS = 50_000_000
"""Longer than any tick of a file system that tells fractions of a second; the others tick at most 2 s."""
_COARSE_TICK_NS = 2_050_000_000
_CHUNK_BYTES = 1024 * 1024
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_REOPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

Kind = Literal["file", "symlink", "fifo", "socket", "device"]


class FileState(msgspec.Struct, frozen=True, gc=False):
    """One file as it was seen. `digest` is SHA-256 of what `hashed` says; of the target for a symlink.

    An unreadable file has `hashed` "none" and the reason in `error`. Times and `ino` tell whether it must be
    read again, `links` how many names it has; they are no part of what it is.
    """

    kind: Kind
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int
    digest: bytes = b""
    hashed: Literal["whole", "head_tail", "none"] = "none"
    error: str = ""
    links: int = 1


def fingerprint(name: str, folder_fd: int, clock_ns: int = 0) -> tuple[FileState | None, bytes]:
    """The state of an entry of an open directory and, for a small file or a link, its content.

    None when it is gone or a directory. Only regular files are opened. `clock_ns` is what the file system's
    clock showed at some moment before.
    """
    state, content = _fingerprint(name, folder_fd)
    return _dated(state, clock_ns), content


def fingerprint_at(path: str, clock_ns: int = 0, *, read: bool = True) -> tuple[FileState | None, bytes]:
    """The same for an absolute path without links on the way: where a directory became a link, None.

    Without `read` a regular file is known by its size and time only.
    """
    state, content = _fingerprint_at(path, read)
    return _dated(state, clock_ns), content


def _fingerprint(name: str, folder_fd: int) -> tuple[FileState | None, bytes]:
    try:
        found = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return _link(found, os.readlink(name, dir_fd=folder_fd))
        if not stat.S_ISREG(found.st_mode):
            return _special(found), b""
    except (FileNotFoundError, NotADirectoryError):
        return None, b""
    except OSError as error:
        return _unseen(error), b""
    try:
        return _read(os.open(name, _OPEN, dir_fd=folder_fd))
    except FileNotFoundError:
        return None, b""
    except OSError as error:
        return _state("file", found, error=error.strerror or "unreadable"), b""


def _fingerprint_at(path: str, read: bool) -> tuple[FileState | None, bytes]:
    try:
        fd = os.open(path, _LOOK)
    except (FileNotFoundError, NotADirectoryError):
        return None, b""
    except OSError as error:  # a directory on the way that became a link to itself is gone as well
        return (None if error.errno == errno.ELOOP else _unseen(error)), b""
    try:
        if magic_link(fd) != path:
            return None, b""
        found = os.fstat(fd)
        if stat.S_ISLNK(found.st_mode):
            return _link(found, os.readlink("", dir_fd=fd))
        if not stat.S_ISREG(found.st_mode):
            return _special(found), b""
        if not read:
            return _state("file", found, error="not read: too much changed at once"), b""
        try:
            return _read(os.open(f"/proc/self/fd/{fd}", _REOPEN))
        except OSError as error:
            return _state("file", found, error=error.strerror or "unreadable"), b""
    finally:
        os.close(fd)


def magic_link(fd: int) -> str:
    """Where the kernel says an open file or directory is now."""
    return os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - the exact text, not a path


def weight(path: str, state: FileState) -> int:
    """What a file adds to the epoch: 128 bits over path, kind, execute bit and content."""
    about = f"{state.kind} {state.mode >> 6 & 1 if state.kind == 'file' else 0} "
    if state.kind == "file" and state.hashed == "none":
        about += f"{state.size} {state.mtime_ns} "
    what = os.fsencode(path) + b"\0" + about.encode() + state.digest
    return int.from_bytes(blake2b(what, digest_size=16).digest(), "little")


def clock_of(fd: int) -> int:
    """What the clock of an open file's file system shows, in nanoseconds, by changing the file's ctime."""
    found = os.fstat(fd)
    os.fchmod(fd, stat.S_IMODE(found.st_mode))
    return os.fstat(fd).st_ctime_ns


def _dated(state: FileState | None, clock_ns: int) -> FileState | None:
    """Its ctime is kept only when a write from now on must give another one."""
    if state is None:
        return None
    tick_ns = _TICK_NS if state.ctime_ns % 1_000_000_000 else _COARSE_TICK_NS
    if state.ctime_ns < clock_ns - tick_ns:
        return state
    return msgspec.structs.replace(state, ctime_ns=NEVER_NS)


def same_stat(known: FileState, found: os.stat_result) -> bool:
    """Whether a file is sure to be as it was: nothing the file system tells about it has changed."""
    return (
        known.ctime_ns == found.st_ctime_ns
        and known.mtime_ns == found.st_mtime_ns
        and known.size == found.st_size
        and known.ino == found.st_ino
        and known.mode == stat.S_IMODE(found.st_mode)
    )


def outward(path: str) -> str:
    """A path as text for people and JSON: bytes that are no UTF-8 as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_text(content: bytes) -> bool:
    return b"\0" not in content[:8192]


def is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(fd: int) -> tuple[FileState | None, bytes]:
    """Hash an open file, which is closed."""
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return _special(found), b""
        if found.st_size > HUGE_BYTES:
            return _state("file", found, _head_and_tail(fd, found), "head_tail"), b""
        content = os.read(fd, SMALL_BYTES + 1)
        if len(content) <= SMALL_BYTES:
            return _state("file", found, sha256(content).digest(), "whole"), content
        digest = sha256(content)
        for _ in range(HUGE_BYTES // _CHUNK_BYTES):  # a file that grows as it is read must come to an end
            chunk = os.read(fd, _CHUNK_BYTES)
            if not chunk:
                break
            digest.update(chunk)
        return _state("file", found, digest.digest(), "whole"), b""
    finally:
        os.close(fd)


def _head_and_tail(fd: int, found: os.stat_result) -> bytes:
    digest = sha256(f"{found.st_size} {found.st_mtime_ns} ".encode())
    digest.update(os.pread(fd, _CHUNK_BYTES, 0))
    digest.update(os.pread(fd, _CHUNK_BYTES, found.st_size - _CHUNK_BYTES))
    return digest.digest()


def _special(found: os.stat_result) -> FileState | None:
    if stat.S_ISDIR(found.st_mode):
        return None
    if stat.S_ISFIFO(found.st_mode):
        return _state("fifo", found)
    return _state("socket" if stat.S_ISSOCK(found.st_mode) else "device", found)


def _link(found: os.stat_result, target: str) -> tuple[FileState, bytes]:
    content = os.fsencode(target)
    return _state("symlink", found, sha256(content).digest(), "whole"), content


def _unseen(error: OSError) -> FileState:
    return FileState("file", 0, 0, 0, 0, 0, error=error.strerror or "unreadable")


def _state(
    kind: Kind,
    found: os.stat_result,
    digest: bytes = b"",
    hashed: Literal["whole", "head_tail", "none"] = "none",
    error: str = "",
) -> FileState:
    return FileState(
        kind,
        stat.S_IMODE(found.st_mode),
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        digest,
        hashed,
        error,
        found.st_nlink,
    )
