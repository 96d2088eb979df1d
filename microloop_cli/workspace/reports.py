"""The test reports a step wrote: found by what its command names and what changed, and read with suspicion.

Everything below the workspace is the sandbox's to arrange: no symbolic link is followed, only regular files
are read, and how many folders, files and bytes are looked at is bounded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from microloop_cli.core.progress.outcomes.looking import only_looks
from microloop_cli.workspace.report_paths import Said, reports_said

REPORTS = 200
REPORT_BYTES = 16 << 20

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

# A file's time is the kernel's coarse clock: up to one tick behind the precise one.
_TICK_NS = 20_000_000
_ENTRIES = 5_000
_FOLDERS = 300
_CANDIDATES = 2_000

_ENDINGS = (".xml", ".trx")
_LOOKS_LIKE = re.compile(
    r"(?i:TEST-.*|.*junit.*|.*xunit.*|report|test-?reports?|test[-_]?results?.*|results|nosetests)\.xml$|.*\.trx$"
)
# Folders of files that tests read: a report there was made by hand.
_KEPT = re.compile(r"(?:^|/)(?:fixtures?|test[-_]?data|data|samples?|examples?|resources|__snapshots__)/")
_IN_FOLDER = re.compile(r"(?:TEST-.*|.*junit.*|.*[tT]est.*)\.xml$|.*\.trx$")
_NOT_MODULES = frozenset(
    ("src", "node_modules", "target", "build", "bin", "obj", "out", "dist", "TestResults", "gradle")
)

# For each builder: folders with reports, relative to a module, and whether their subfolders count as well.
_STANDARD: dict[str, tuple[tuple[str, bool], ...]] = {
    "maven": (("target/surefire-reports", False), ("target/failsafe-reports", False)),
    "gradle": (("build/test-results", True), ("build/outputs/androidTest-results", True)),
    "dotnet": (("TestResults", True),),
    "nextest": (("target/nextest", True),),
}


class _Place(NamedTuple):
    """A workspace: its open root, that root's path, and the folder the step began in."""

    root: int
    workspace: str
    cwd: str

    def inside(self, typed: str) -> str | None:
        """A path as typed, from the workspace's root ("" for that); None when it leads out of it."""
        if "\0" in typed:
            return None
        path = os.path.normpath(os.path.join(self.cwd, typed))  # noqa: PTH118 - lexical: no link is followed
        if path == self.workspace:
            return ""
        return path[len(self.workspace) + 1 :] if path.startswith(self.workspace + "/") else None


def reports_of(
    command: str, cwd: Path, workspace: Path, since_ns: int, changed: Sequence[str]
) -> tuple[tuple[str, bytes], ...]:
    """Path from the workspace and content of each test report a step wrote, sorted by path.

    command: as run. cwd: where it began, absolute. workspace: its resolved root. since_ns: a file older than
    that is left out unless it is among `changed` (0: none is too old). changed: paths from the workspace that
    the step changed. At most 200 files and 16 MiB in all, of which the last file may be only the beginning.
    What is no regular file, lies outside or cannot be read is left out; nothing is raised. No directory is
    listed unless the command builds with something whose report folders are known.
    """
    said = reports_said(command)
    looking = [path for path in changed if path.endswith(_ENDINGS) and _looks_like_report(path)]
    if not looking and not any(said):
        return ()
    if only_looks(command):
        return ()
    try:
        root = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        return _collect(_Place(root, str(workspace), str(cwd)), said, since_ns, looking)
    finally:
        os.close(root)


def _looks_like_report(path: str) -> bool:
    return _LOOKS_LIKE.match(path.rpartition("/")[2]) is not None and not _KEPT.search(path)


def _collect(place: _Place, said: Said, since_ns: int, changed: list[str]) -> tuple[tuple[str, bytes], ...]:
    oldest = dict.fromkeys(changed[:_CANDIDATES], 0)
    named = [path for typed in said.files if (path := place.inside(typed))]
    for path in [*named, *_found(place, said)]:
        oldest.setdefault(path, since_ns - _TICK_NS if since_ns > 0 else 0)
    kept: dict[str, bytes] = {}
    left = REPORT_BYTES
    for path in sorted(oldest):
        if len(kept) == REPORTS or left <= 0:
            break
        content = _read(place.root, path, oldest[path], left)
        if content is not None:
            kept[path] = content
            left -= len(content)
    return tuple(kept.items())


def _found(place: _Place, said: Said) -> Iterator[str]:
    """Reports in the folders everybody knows, of the modules where the builders were started."""
    budget = [_FOLDERS]
    seen = 0
    for folder, deep in _report_folders(place, said, budget):
        for path in _list_reports(place.root, folder, deep, budget):
            seen += 1
            if seen > _CANDIDATES:
                return
            yield path


def _report_folders(place: _Place, said: Said, budget: list[int]) -> Iterator[tuple[str, bool]]:
    for typed in said.folders:
        path = place.inside(typed)
        if path:
            yield path, True
    for builder, typed in said.builders:
        base = place.inside(typed)
        if base is None:
            continue
        for module in _modules(place.root, base, budget):
            for folder, deep in _STANDARD[builder]:
                yield (f"{module}/{folder}" if module else folder), deep


def _modules(root: int, base: str, budget: list[int]) -> Iterator[str]:
    """The folder itself and those one and two levels down in which a module may be."""
    yield base
    level = [base]
    for _ in range(2):
        level = [module for folder in level for module in _subfolders(root, folder, budget)]
        yield from level


def _subfolders(root: int, folder: str, budget: list[int]) -> list[str]:
    names = [
        entry.name
        for entry in _entries(root, folder, budget)
        if entry.is_dir(follow_symlinks=False)
        and entry.name not in _NOT_MODULES
        and not entry.name.startswith((".", "_"))
    ]
    return [f"{folder}/{name}" if folder else name for name in sorted(names)]


def _list_reports(root: int, folder: str, deep: bool, budget: list[int]) -> Iterator[str]:
    for entry in _entries(root, folder, budget):
        path = f"{folder}/{entry.name}" if folder else entry.name
        if deep and entry.is_dir(follow_symlinks=False):
            yield from _list_reports(root, path, False, budget)
        elif _IN_FOLDER.match(entry.name) and entry.is_file(follow_symlinks=False):
            yield path


def _entries(root: int, folder: str, budget: list[int]) -> list[os.DirEntry[str]]:
    """What stands in a folder; nothing when it is none, or enough folders were listed."""
    if budget[0] <= 0:
        return []
    fd = _open(root, folder, _DIRECTORY)
    if fd is None:
        return []
    budget[0] -= 1
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(fd) as found:
            for entry in found:
                # Its kind must be known while the folder is open.
                entry.is_dir(follow_symlinks=False)
                entries.append(entry)
                if len(entries) == _ENTRIES:
                    break
    except OSError:
        return []
    finally:
        os.close(fd)
    return entries


def _open(root: int, path: str, flags: int) -> int | None:
    """A descriptor of what is at a path below the root, no link on the way; None when nothing is."""
    *folders, name = path.split("/") if path else ["."]
    folder = os.dup(root)
    try:
        for part in folders:
            below = os.open(part, _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(name, flags, dir_fd=folder)
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)


def _read(root: int, path: str, oldest_ns: int, limit_bytes: int) -> bytes | None:
    """At most `limit_bytes` of a regular file no older than that; None for anything else."""
    if any(part in ("", ".", "..") for part in path.split("/")):
        return None
    fd = _open(root, path, _FILE)
    if fd is None:
        return None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_mtime_ns < oldest_ns:
        os.close(fd)
        return None
    with open(fd, "rb") as file:
        try:
            return file.read(limit_bytes)
        except OSError:
            return None
