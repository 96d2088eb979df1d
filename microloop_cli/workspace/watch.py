"""The epoch of the workspace as it goes: events drained on demand, a change only where contents differ."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from microloop_cli.core.events import WatchDegraded
from microloop_cli.workspace.fingerprint import (
    SMALL_BYTES,
    FileState,
    clock_of,
    fingerprint_at,
    outward,
    same_stat,
    weight,
)
from microloop_cli.workspace.snapshot import LIST_NAME, Snapshot, epoch_name
from microloop_cli.workspace.walk import below, walk

if TYPE_CHECKING:
    from microloop_cli.workspace.inotify import DirectoryWatches, FileEvent

NAMED_PATHS = 100
"""So many paths of a change are named; `count` says how many there are."""
_READS_A_SETTLE = 64
_MOVES_A_SETTLE = 32
_HASHED_A_SETTLE_BYTES = 512 * 1024 * 1024
"""What changed beyond that is known by size and time: a step's end must not wait for minutes of hashing."""
_LEAST_COST_BYTES = 4 * 1024
"""To open a file costs as much as to read so many bytes."""


class Change(msgspec.Struct, frozen=True):
    """`epoch` names the state now; `paths` (sorted, the first hundred) and `count` say what differs.

    `deltas` has for each of `paths` what its change added to the epoch: epochs and deltas are sums modulo
    2^128, in 32 hex digits. The epoch less the deltas of some paths is that of a workspace in which these
    never changed.
    """

    epoch: str
    paths: tuple[str, ...]
    count: int
    deltas: tuple[str, ...] = ()


class WorkspaceWatch:
    """Knows the state of the workspace, from a snapshot on. Not thread-safe; close it at the end."""

    def __init__(
        self, snapshot: Snapshot, on_degraded: Callable[[WatchDegraded], None] | None = None
    ) -> None:
        """Start watching. `on_degraded` is called once if changes can only be found by scanning."""
        self.degraded: WatchDegraded | None = None
        self._on_degraded = on_degraded
        self._root, self._rules = snapshot.root, snapshot.rules
        self._files = dict(snapshot.files)
        self._inside: dict[str, int] = {}  # folder: how many known files lie below it
        for path in self._files:
            self._count(path, 1)
        self._total = snapshot.total
        self._linked: set[int] = set()
        self._clock_path = snapshot.store / LIST_NAME
        self._clock_ns = 0
        self._free_bytes = 0
        self._touched: set[str] = set()
        self._start_over = False
        self._moves = 0
        self._watches: DirectoryWatches | None = None
        self._poll = select.poll()
        self._start(snapshot.dirs)

    @property
    def epoch(self) -> str:
        """The name of the state last settled on."""
        return epoch_name(self._total)

    def fileno(self) -> int:
        """A descriptor that is readable when there is something to settle; -1 when only scanning is left."""
        return -1 if self._watches is None else self._watches.fileno()

    def settle(self) -> Change | None:
        """Take in all that has happened so far; the change, or None when every content is as it was.

        A process that has exited has all its events in the queue, so nothing it wrote is missed. What was
        mapped for writing and is changed without a write is seen at its closing only; what was written
        through a second name (a hard link) that is gone again, with the next event of the file.
        """
        if self._watches is not None:
            if not self._poll.poll(0):
                return None
            self._drain(self._watches)
        if self._start_over or self._watches is None:
            self._scan_all()
        return self._compare() if self._touched else None

    def close(self) -> None:
        if self._watches is not None:
            self._poll.unregister(self._watches.fileno())
            self._watches.close()
            self._watches = None

    def _start(self, folders: list[str]) -> None:
        from microloop_cli.workspace.inotify import DirectoryWatches

        try:
            self._watches = DirectoryWatches(self._root)
        except OSError as error:
            self._degrade(error)
            return
        self._poll.register(self._watches.fileno(), select.POLLIN)
        for folder in folders:
            self._enter(folder)

    def _enter(self, folder: str) -> None:
        if self._watches is None:
            return
        try:
            self._watches.add(folder)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.ENOMEM}:
                self.close()
                self._degrade(error)

    def _degrade(self, error: OSError) -> None:
        self.degraded = WatchDegraded(
            reason=f"file events cannot be had: {error.strerror}"
            " (fs.inotify.max_user_watches, fs.inotify.max_user_instances)",
            how="all files of the workspace are looked at each time instead",
        )
        if self._on_degraded is not None:
            self._on_degraded(self.degraded)

    def _drain(self, watches: DirectoryWatches) -> None:
        """Bounded, so that a process that never stops writing cannot keep the supervisor here."""
        self._moves = 0
        for _ in range(_READS_A_SETTLE):
            for event in watches.read():
                self._take(watches, event)
            if self._start_over or self._watches is None or not self._poll.poll(0):
                return

    def _take(self, watches: DirectoryWatches, event: FileEvent) -> None:
        if event.lost_events:
            self._start_over = True
            return
        folder = watches.folder_of(event)
        if folder is None or not event.name:
            return
        path = below(folder, os.fsdecode(event.name))
        if self._rules.ignores(path, is_dir=event.is_directory):
            return
        if not event.is_directory:
            self._touched.add(path)
        elif event.moved_away or event.deleted:
            self._left(path)
        elif event.appeared or (event.attributes_changed and not watches.has(path)):
            self._left(path)
            self._appeared(path)

    def _left(self, folder: str) -> None:
        """What is known below a folder may be gone: of one that was made and removed between two settles no
        event of a file comes. Going through all files for each would let an agent hold us up."""
        if not self._inside.get(folder):
            return
        self._moves += 1
        if self._moves > _MOVES_A_SETTLE:
            self._start_over = True
            return
        prefix = folder + "/"
        self._touched.update(path for path in self._files if path.startswith(prefix))

    def _appeared(self, folder: str) -> None:
        for found in walk(self._root, self._rules, start=folder, entering=self._enter):
            self._touched.update(below(found.path, entry.name) for entry in found.entries)

    def _scan_all(self) -> None:
        """Find what differs by looking at every file: after lost events, or where there are none."""
        self._start_over = False
        if self._watches is not None:
            self._watches.forget()
        gone = set(self._files)
        for folder in walk(self._root, self._rules, known=self._files, entering=self._enter):
            for entry in folder.entries:
                path = below(folder.path, entry.name)
                gone.discard(path)
                if not self._unchanged(path, entry):
                    self._touched.add(path)
        self._touched |= gone

    def _unchanged(self, path: str, entry: os.DirEntry[str]) -> bool:
        known = self._files.get(path)
        try:
            return known is not None and same_stat(known, entry.stat(follow_symlinks=False))
        except OSError:
            return False

    def _compare(self) -> Change | None:
        touched, self._touched = self._touched, set()
        self._clock_ns, self._free_bytes = self._clock(), _HASHED_A_SETTLE_BYTES
        deltas = {path: self._update(path) for path in touched}
        for path in self._other_names():
            if path not in touched:
                deltas[path] = self._update(path)
        changed = sorted(path for path, delta in deltas.items() if delta)
        if not changed:
            return None
        named = changed[:NAMED_PATHS]
        return Change(
            self.epoch,
            tuple(outward(path) for path in named),
            len(changed),
            tuple(epoch_name(deltas[path]) for path in named),
        )

    def _clock(self) -> int:
        """The file system's own clock, read off a file of the bundle; 0 proves nothing: there is none."""
        try:
            fd = os.open(self._clock_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            return clock_of(fd)
        except OSError:
            return 0
        finally:
            os.close(fd)

    def _update(self, path: str) -> int:
        """Bring what is known of one path up to date; what that adds to the sum of all weights."""
        known = self._files.get(path)
        state = self._look(path, known)
        if state is None:
            self._files.pop(path, None)
        else:
            self._files[path] = state
        if (known is None) != (state is None):
            self._count(path, 1 if known is None else -1)
        self._linked |= {seen.ino for seen in (known, state) if seen is not None and seen.links > 1}
        delta = (0 if state is None else weight(path, state)) - (0 if known is None else weight(path, known))
        self._total += delta
        return delta

    def _count(self, path: str, more: int) -> None:
        folder = path.rpartition("/")[0]
        while folder:
            left = self._inside.pop(folder, 0) + more
            if left:
                self._inside[folder] = left
            folder = folder.rpartition("/")[0]

    def _look(self, path: str, known: FileState | None) -> FileState | None:
        absolute = f"{self._root}/{path}"
        if known is not None and known.size > SMALL_BYTES:
            try:
                if same_stat(known, os.lstat(absolute)):
                    return known
            except OSError:
                pass  # fingerprint says what it is now
        state, _ = fingerprint_at(absolute, self._clock_ns, read=self._free_bytes > 0)
        if state is not None and state.kind == "file":
            self._free_bytes -= max(_LEAST_COST_BYTES, state.size if state.hashed == "whole" else 0)
        return state

    def _other_names(self) -> list[str]:
        """All names of the files with several: the kernel tells of the one that was written through only."""
        linked, self._linked = self._linked, set()
        return [path for path, state in self._files.items() if state.ino in linked] if linked else []
