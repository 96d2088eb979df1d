"""Where a command runs, and the one name each path has from there. Pure: no path is ever looked at."""

from __future__ import annotations

import re

import msgspec

# Where harnesses put the code; a path below it is named from there, as the agent at home there names it.
_ROOT = re.compile(r"/(?:testbed|workspace/[\w.-]+__[\w.-]+|workspace|repo|[\w.-]+__[\w.-]+)(?=/|$)")
_HERE = re.compile(r"(?:\$\{PWD\}|\$\(pwd\)|`pwd`)(?=/|$)")
_FILE_NAME = re.compile(r"[\w./@+~*?{}\[\]-]*(?:/|\.[A-Za-z]\w{0,9}$)[\w./@+~*?{}\[\]-]*")


class Place(msgspec.Struct, frozen=True):
    """The directory a command runs in: "" is where the agent is at home, `a/b` below it, `/x` anywhere.

    root: the absolute path of the agent's home, when it is known.
    """

    cwd: str = ""
    root: str = ""

    def path(self, word: str) -> str:
        """The one name of a path: `./a/`, `a`, `b/../a` and, within `a`, `.` are all `a`."""
        if word.startswith(("$", "`")):
            word = _HERE.sub(".", word, count=1)
            if word[0] != ".":
                return word
        if word[:1] in ("/", "~"):
            return _tidy(self._below_root(word))
        return _tidy(f"{self.cwd}/{word}" if self.cwd else word)

    def cd(self, word: str) -> Place:
        path = self.path(word)
        return Place("" if path == "." else path, self.root)

    def argument(self, word: str) -> str:
        """A word that may be a path, as an unknown program has it: without `./` or the root's name."""
        if word.startswith("./"):
            return word[2:] or "."
        if word.startswith("/"):
            inner = self._below_root(word)
            if self.cwd and inner.startswith(self.cwd + "/"):
                return inner[len(self.cwd) + 1 :]
            return inner
        return word

    def _below_root(self, word: str) -> str:
        if self.root and word.startswith(self.root) and word[len(self.root) :][:1] in ("", "/"):
            return word[len(self.root) + 1 :] or "."
        match = _ROOT.match(word)
        return word[match.end() + 1 :] or "." if match else word

    def suffix(self) -> str:
        """What says where a program ran whose arguments do not tell."""
        return f" (in {self.cwd})" if self.cwd else ""


def _tidy(path: str) -> str:
    if "./" not in path and "//" not in path and path[-1:] not in ("/", "."):
        return path
    kept: list[str] = []
    for piece in path.split("/"):
        if piece in ("", "."):
            continue
        if piece == ".." and kept and kept[-1] != "..":
            kept.pop()
        else:
            kept.append(piece)
    start = "/" if path.startswith("/") else ""
    return start + "/".join(kept) or "."


def looks_like_path(word: str) -> bool:
    """Names a file as far as its looks go: has a slash or an ending, and no blank or URL in it."""
    return len(word) < 256 and "://" not in word and _FILE_NAME.fullmatch(word) is not None
