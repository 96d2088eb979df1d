"""Which paths of a workspace count: gitignore patterns, and what never does."""

from __future__ import annotations

from collections.abc import Iterable

from microloop_cli.errors import UsageError


class IgnoreRules:
    """Decides by path from the workspace's root ("src/a.py"); an ignored directory is never looked into.

    `.git` at any depth and `.microloop` at the root never count, whatever the patterns say.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.patterns = tuple(patterns)
        self._spec = None
        if self.patterns:
            import pathspec

            try:
                self._spec = pathspec.GitIgnoreSpec.from_lines(self.patterns)
            except ValueError as error:
                raise UsageError(
                    f"a pattern of ignored paths is wrong: {error}",
                    hint="patterns are written as in a .gitignore file",
                ) from error

    def ignores(self, path: str, *, is_dir: bool) -> bool:
        if path == ".microloop" or path == ".git" or path.endswith("/.git"):
            return True
        if self._spec is None:
            return False
        return self._spec.match_file(path + "/" if is_dir else path)
