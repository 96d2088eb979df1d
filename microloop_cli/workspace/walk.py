"""Walking a workspace: no link followed, no ignored directory entered, no error raised."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from microloop_cli.workspace.fingerprint import magic_link
from microloop_cli.workspace.ignore import IgnoreRules

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder(NamedTuple):
    """A directory: its path from the root ("" for the root), open while looked at, and its other entries."""

    path: str
    fd: int
    entries: list[os.DirEntry[str]]


def walk(
    root: str,
    rules: IgnoreRules,
    *,
    start: str = "",
    known: Container[str] = (),
    entering: Callable[[str], None] | None = None,
    failed: Callable[[str, OSError], None] | None = None,
) -> Iterator[Folder]:
    """Every directory that counts from `start` down, with its entries that count and are no directories.

    `root` is a resolved absolute path. `entering` is called with a directory's path before it is listed, so a
    watch set there misses nothing. `failed` hears of directories that could not be listed. `known` files are
    not held against the rules again.
    """
    pending = [start]
    while pending:
        path = pending.pop()
        if entering is not None:
            entering(path)
        try:
            fd = open_directory(root, path)
        except OSError as error:
            if failed is not None:
                failed(path, error)
            continue
        try:
            folders, others = _list(path, fd, rules, known)
            yield Folder(path, fd, others)
        except OSError as error:
            if failed is not None:
                failed(path, error)
            continue
        finally:
            os.close(fd)
        pending.extend(folders)


def below(folder: str, name: str) -> str:
    """The path of an entry of a directory, from the root."""
    return f"{folder}/{name}" if folder else name


def open_directory(root: str, path: str) -> int:
    absolute = os.path.join(root, path) if path else root  # noqa: PTH118 - bytes that are no UTF-8, and speed
    fd = os.open(absolute, _DIRECTORY)
    if magic_link(fd) != absolute:
        os.close(fd)
        raise NotADirectoryError(f"{absolute} is reached through a link")
    return fd


def _list(
    path: str, fd: int, rules: IgnoreRules, known: Container[str]
) -> tuple[list[str], list[os.DirEntry[str]]]:
    folders, others = [], []
    prefix = f"{path}/" if path else ""
    with os.scandir(fd) as found:
        for entry in found:
            is_dir = entry.is_dir(follow_symlinks=False)
            name = prefix + entry.name
            if is_dir:
                if not rules.ignores(name, is_dir=True):
                    folders.append(name)
            elif name in known or not rules.ignores(name, is_dir=False):
                others.append(entry)
    return folders, others
