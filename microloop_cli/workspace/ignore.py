"""Which paths of a workspace count: gitignore patterns, and what never does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microloop_cli.workspace.patterns import PatternList
    from microloop_cli.workspace.repository_rules import RepositoryRules


class IgnoreRules:
    """Decides by path from the workspace's root ("src/a.py"); an ignored directory is never looked into.

    `.git` at any depth and `.microloop` at the root never count, whatever the patterns say. `repository` says
    what git tracks, which counts whatever a pattern says that is a mere name (`build/`, `*.log`; `/build/` is
    obeyed), and which directories git leaves out; a pattern with `!` brings one of these back.
    """

    def __init__(self, patterns: Iterable[str] = (), repository: RepositoryRules | None = None) -> None:
        self.patterns = tuple(patterns)
        self.repository = repository
        self._list: PatternList | None = None
        if self.patterns:
            from microloop_cli.workspace.patterns import PatternList

            self._list = PatternList(self.patterns)

    def ignores(self, path: str, *, is_dir: bool) -> bool:
        """Asked about a path whose parent directories are not ignored themselves."""
        if path == ".microloop" or path == ".git" or path.endswith("/.git"):
            return True
        decided = None if self._list is None else self._list.decides(path, is_dir=is_dir)
        if decided is None:
            return is_dir and self.repository is not None and self.repository.excludes(path)
        return decided and not self._counts_all_the_same(path, is_dir)

    def _counts_all_the_same(self, path: str, is_dir: bool) -> bool:
        return (
            self._list is not None
            and self.repository is not None
            and path in self.repository.tracked
            and self._list.decides_by_name(path, is_dir=is_dir)
        )
