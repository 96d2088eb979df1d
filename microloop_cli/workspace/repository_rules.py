"""What a repository says about paths: which it tracks, and which directories it leaves out."""

from __future__ import annotations

from microloop_cli.workspace.patterns import PatternList

_NOBODYS_NAME = "microloop-asks-about-any-directory"


class RepositoryRules:
    """The patterns by the directory they were found in; `tracked` files and directories always count."""

    def __init__(self, tracked: frozenset[str]) -> None:
        self.tracked = tracked
        self._lists: dict[str, PatternList] = {}
        self._whole: set[str] = set()

    def excludes(self, folder: str) -> bool:
        """Whether a directory is left out; its parents are not."""
        if folder in self.tracked:
            return False
        if folder in self._whole:
            return True
        above = folder
        while above:
            above = above.rpartition("/")[0]
            found = self._lists.get(above)
            decided = None if found is None else found.decides(folder[len(above) :].lstrip("/"), is_dir=True)
            if decided is not None:
                return decided
        return False

    def learn(self, folder: str, patterns: list[str]) -> None:
        """A directory that leaves out all it holds is left out; at the root that would say nothing."""
        found = PatternList(patterns)
        leaves_out_all = bool(found.decides(_NOBODYS_NAME, is_dir=True))
        if folder or not leaves_out_all:
            self._lists[folder] = found
        if folder and leaves_out_all:
            self._whole.add(folder)
