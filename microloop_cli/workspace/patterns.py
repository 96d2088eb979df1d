"""gitignore patterns with a quick no: most names are like none of them, and that must cost nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from microloop_cli.errors import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_REMEMBERED = 20_000
_SPECIAL = frozenset("*?[]\\")


class PatternList:
    """Patterns in order, the last that matches decides. UsageError for one that is none.

    Asked about a path whose parent directories are known not to be ignored, as a walk from the top is.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._names: set[str] = set()
        self._paths: set[str] = set()
        self._starts: tuple[str, ...] = ()
        self._ends: tuple[str, ...] = ()
        self._odd: list[re.Pattern[str]] = []
        self._spec: GitIgnoreSpec | None = None
        self._found: dict[str, tuple[bool | None, int | None]] = {}
        for line in self.patterns:
            self._sort_in(line)

    def decides(self, path: str, *, is_dir: bool) -> bool | None:
        """True: ignored, False: a pattern with `!` says that it counts, None: no pattern is about it."""
        return self._find(path, is_dir)[0] if self._possible(path) else None

    def decides_by_name(self, path: str, *, is_dir: bool) -> bool:
        """Whether the pattern that decides is a mere name (`build/`, `*.log`), not a place (`/build/`)."""
        index = self._find(path, is_dir)[1]
        return index is not None and "/" not in self.patterns[index].removeprefix("!").removesuffix("/")

    def _find(self, path: str, is_dir: bool) -> tuple[bool | None, int | None]:
        """What all patterns say, and which of them; remembered, for a log is written to again and again."""
        asked = path + "/" if is_dir else path
        found = self._found.get(asked)
        if found is None:
            if self._spec is None:
                self._spec = _spec(self.patterns)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            result = self._spec.check_file(asked)
            found = self._found[asked] = (result.include, result.index)
        return found

    def _possible(self, path: str) -> bool:
        name = path[path.rfind("/") + 1 :]
        return (
            name in self._names
            or path in self._paths
            or name.endswith(self._ends)
            or name.startswith(self._starts)
            or any(odd.search(path) or odd.search(path + "/") for odd in self._odd)
        )

    def _sort_in(self, line: str) -> None:
        body = line.removeprefix("!").removesuffix("/")
        plain, anchored = body.removeprefix("/"), body.startswith("/")
        if not plain or "//" in line or line != line.strip() or line.startswith("#"):
            self._keep_odd(line)
            return
        if "/" not in plain and not anchored and not _SPECIAL & set(plain[1:-1]):
            if not _SPECIAL & set(plain):
                self._names.add(plain)
                return
            if plain.startswith("*") and not _SPECIAL & set(plain[1:]):
                self._ends += (plain[1:],)
                return
            if plain.endswith("*") and not _SPECIAL & set(plain[:-1]):
                self._starts += (plain[:-1],)
                return
        if (anchored or "/" in plain) and not _SPECIAL & set(plain):
            self._paths.add(plain)
            return
        self._keep_odd(line)

    def _keep_odd(self, line: str) -> None:
        for pattern in _spec([line]).patterns:
            regex = getattr(pattern, "regex", None)
            if regex is not None:
                self._odd.append(regex)


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except (ValueError, re.error) as error:
        raise UsageError(
            f"a pattern of ignored paths is wrong: {error}",
            hint="patterns are written as in a .gitignore file",
        ) from error
