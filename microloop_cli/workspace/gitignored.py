"""What a repository tracks and which directories it leaves out, as that was before the run.

Directories only: what lies in an ignored directory was made by a program, while an ignored file (`.env`,
local settings) is often a person's work, and an agent's change of it counts.
"""

from __future__ import annotations

import os
import re

from microloop_cli.workspace.git_index import read_regular, tracked_paths
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.repository_rules import RepositoryRules
from microloop_cli.workspace.walk import below, open_directory

_NAME = ".gitignore"
_FILE_BYTES = 64 * 1024
_ALL_PATTERNS = 5_000
# A pattern here is a stranger's: two stars make a regular expression slow, more can make it stand still.
_COMMON = re.compile(r"(?:[\w./@+~%,=* -]|\[[A-Za-z0-9]+\]){1,200}")
_STARS = 2


def read_repository(root: str, rules: IgnoreRules, *, gitignored: bool = True) -> RepositoryRules:
    """What the repository at `root` (a resolved path) tracks and its .gitignore files leave out.

    Nothing is left out without `gitignored`, or when the index cannot be read: nobody knows then what is
    tracked all the same. Raises nothing.
    """
    tracked = tracked_paths(root)
    made, left = RepositoryRules(tracked or frozenset()), _ALL_PATTERNS
    if tracked is None or not gitignored:
        return made
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            folders, patterns = _look(root, folder)
        except OSError:
            continue
        if patterns and len(patterns) <= left:
            left -= len(patterns)
            made.learn(folder, patterns)
        if folder and made.excludes(folder):
            continue
        paths = [below(folder, name) for name in folders]
        pending += [
            path for path in paths if not rules.ignores(path, is_dir=True) and not made.excludes(path)
        ]
    return made


def understood(text: str) -> list[str]:
    """The lines of a .gitignore that are patterns of the common kind; the others are left aside."""
    lines = (line.rstrip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith(("#", " ", "\t")) and _is_common(line)]


def _is_common(line: str) -> bool:
    body = line.removeprefix("!").removeprefix("**/").removesuffix("/").removesuffix("/**")
    return body.count("*") <= _STARS and bool(_COMMON.fullmatch(body))


def _look(root: str, folder: str) -> tuple[list[str], list[str]]:
    """The directories in a directory, and the patterns of its .gitignore."""
    fd = open_directory(root, folder)
    try:
        folders, patterns = [], []
        with os.scandir(fd) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.name == _NAME and entry.is_file(follow_symlinks=False):
                    patterns = _patterns(fd)
        return folders, patterns
    finally:
        os.close(fd)


def _patterns(folder_fd: int) -> list[str]:
    """An over-long file is left aside as a whole: half of a list of exceptions would say the opposite."""
    try:
        data = read_regular(_NAME, _FILE_BYTES + 1, folder_fd)
    except OSError:
        return []
    return [] if len(data) > _FILE_BYTES else understood(data.decode("utf-8", "surrogateescape"))
