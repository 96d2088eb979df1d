"""Watches on directories through watchdog's inotify bindings, read on demand and without a thread.

Only bindings and constants are used: watchdog 6 (the last for Python 3.10) and 7 differ in all else.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final, NamedTuple

from watchdog.observers import inotify_c
from watchdog.observers.inotify_c import InotifyConstants as Bits

_MASK: Final[int] = (
    Bits.IN_CREATE
    | Bits.IN_DELETE
    | Bits.IN_MODIFY
    | Bits.IN_CLOSE_WRITE
    | Bits.IN_MOVED_FROM
    | Bits.IN_MOVED_TO
    | Bits.IN_ATTRIB
    | Bits.IN_DELETE_SELF
    | Bits.IN_ONLYDIR
    | Bits.IN_DONT_FOLLOW
)
_GONE_OR_CLOSED = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG}
_HEADER = struct.Struct("iIII")  # wd, mask, cookie, length of the name
_READ_BYTES = 128 * 1024


class FileEvent(NamedTuple):
    """Something happened to the entry `name` of a watched directory, or (no name) to the directory itself."""

    wd: int
    mask: int
    name: bytes

    @property
    def lost_events(self) -> bool:
        return bool(self.mask & Bits.IN_Q_OVERFLOW)

    @property
    def watch_ended(self) -> bool:
        return bool(self.mask & Bits.IN_IGNORED)

    @property
    def is_directory(self) -> bool:
        return bool(self.mask & Bits.IN_ISDIR)

    @property
    def moved_away(self) -> bool:
        return bool(self.mask & Bits.IN_MOVED_FROM)

    @property
    def deleted(self) -> bool:
        return bool(self.mask & Bits.IN_DELETE)

    @property
    def appeared(self) -> bool:
        return bool(self.mask & (Bits.IN_CREATE | Bits.IN_MOVED_TO))

    @property
    def attributes_changed(self) -> bool:
        return bool(self.mask & Bits.IN_ATTRIB)


class DirectoryWatches:
    """One watch a directory. OSError when the host has no inotify instance or watch left."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._fd = inotify_c.inotify_init()
        if self._fd < 0:
            raise _last_error()
        os.set_inheritable(self._fd, False)
        os.set_blocking(self._fd, False)
        self._folders: dict[int, str] = {}
        self._known: set[str] = set()

    def fileno(self) -> int:
        return self._fd

    def add(self, folder: str) -> None:
        """Watch a directory. One that is watched already (it was moved) gets its new name."""
        absolute = f"{self._root}/{folder}" if folder else self._root
        wd = inotify_c.inotify_add_watch(self._fd, os.fsencode(absolute), _MASK)
        if wd >= 0:
            self._folders[wd] = folder
            self._known.add(folder)
        elif ctypes.get_errno() not in _GONE_OR_CLOSED:
            raise _last_error()

    def has(self, folder: str) -> bool:
        return folder in self._known

    def forget(self) -> None:
        """Before everything is watched anew: what is not added again is no longer told of."""
        self._folders.clear()
        self._known.clear()

    def read(self) -> list[FileEvent]:
        """Events that wait, as many as one read gives; none when there are none."""
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return []
        events, at = [], 0
        while at < len(data):
            wd, mask, _, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size + length
            events.append(FileEvent(wd, mask, data[at - length : at].rstrip(b"\0")))
        return events

    def folder_of(self, event: FileEvent) -> str | None:
        """The directory an event is about, None when it is no longer watched."""
        if event.watch_ended:
            folder = self._folders.pop(event.wd, None)
            if folder is not None:
                self._known.discard(folder)
            return None
        return self._folders.get(event.wd)

    def close(self) -> None:
        os.close(self._fd)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    reason = {
        errno.ENOSPC: "inotify watch limit reached",
        errno.EMFILE: "inotify instance limit reached",
    }.get(number, os.strerror(number))
    return OSError(number, reason)
