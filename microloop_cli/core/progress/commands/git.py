"""git: which calls tell, which write, and which look at another state of the code. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place, looks_like_path
from microloop_cli.core.progress.commands.searches import git_ls_files, grep
from microloop_cli.core.progress.commands.unquote import joined

_VALUED = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace"})
_TELLING = frozenset(
    {
        "status", "diff", "log", "show", "blame", "rev-parse", "ls-files", "ls-tree", "cat-file",
        "describe", "shortlog", "reflog", "for-each-ref", "name-rev", "merge-base", "rev-list",
        "check-ignore", "var", "version", "whatchanged", "help", "count-objects", "ls-remote",
        "diff-tree", "diff-index", "diff-files", "annotate", "show-ref", "range-diff", "fetch", "push",
        "--version", "symbolic-ref",
    }
)  # fmt: skip
_TELLING_BARE = frozenset(
    {
        "branch", "tag", "remote", "config", "stash list", "stash show", "worktree list", "notes",
    }
)  # fmt: skip
_REVISION = re.compile(
    r"(?:HEAD|ORIG_HEAD|FETCH_HEAD|origin/.+|upstream/.+|main|master|v?\d+(?:\.\d+)+|[0-9a-f]{7,40})(?:[~^@].*)?|-"
)
_BACK = frozenset({"HEAD", "-", "."})
_LOOKS = frozenset(
    {
        "--no-pager", "--no-color", "--color", "--color=never", "--color=always", "-p", "--paginate",
    }
)  # fmt: skip


def git(words: Sequence[str], place: Place) -> Part:
    """A git call; `-C DIR` runs it there."""
    at = 1
    while at < len(words) and words[at][:1] == "-" and len(words[at]) > 1:
        if words[at] == "-C" and at + 1 < len(words):
            place = place.cd(words[at + 1])
        at += 2 if words[at] in _VALUED else 1
    name, rest = (words[at], list(words[at + 1 :])) if at < len(words) else ("", [])
    rest = [word for word in rest if word not in _LOOKS or word == "-p"]
    operands = [word for word in rest if word[:1] != "-"]
    if name == "ls-files" and operands and len(operands) == len(rest):
        return git_ls_files(operands, place)
    if name == "grep":
        return grep(["grep", "-r", *rest], place)
    paths = tuple([place.path(word) for word in operands if looks_like_path(word)])
    action = joined(["git", name, *[place.argument(word) for word in rest]]) + place.suffix()
    if _tells(name, rest, operands):
        return Part(action, "list" if name == "ls-files" else "vcs", "no", paths)
    if name == "apply":  # as `patch` is
        return Part(action, "edit", "yes", paths)
    return Part(action, "vcs", "yes", paths, elsewhere=_elsewhere(name, rest, operands))


def _tells(name: str, rest: Sequence[str], operands: Sequence[str]) -> bool:
    if name in _TELLING or not name:
        return True
    if name == "apply":
        return bool({"--check", "--stat", "--numstat", "--summary"} & set(rest))
    if name in ("branch", "tag", "remote", "config", "notes"):
        return not operands or bool({"--list", "-l", "--get", "--contains", "show", "get-url"} & set(rest))
    return bool(operands) and f"{name} {operands[0]}" in _TELLING_BARE


def _elsewhere(name: str, rest: Sequence[str], operands: Sequence[str]) -> bool:
    first = operands[0] if operands else ""
    if name == "stash":
        return first in ("", "push", "save", "create")
    if name == "worktree":
        return first in ("", "add")
    if name == "bisect":
        return True
    if name == "switch":
        return bool({"--detach", "-d"} & set(rest))
    if name == "checkout" and not {"-b", "-B", "--orphan"} & set(rest):
        return bool(first) and first not in _BACK and rest[0] != "--" and _is_revision(first, rest, operands)
    return False


def _is_revision(first: str, rest: Sequence[str], operands: Sequence[str]) -> bool:
    """`checkout X` names a revision when X looks like one, or when `--` says that the paths come after it."""
    if _REVISION.fullmatch(first):
        return True
    return (
        "--" in rest and rest.index(first) < rest.index("--") and len(operands) > 0
    ) or not looks_like_path(first)
