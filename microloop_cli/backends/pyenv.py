"""pyenv's shims seen through: the directories of the Pythons they would choose.

A shim is a bash script that starts some thirty programs to find the Python it stands for; inside, each of
them would be an exec of the agent's, and their answer is known before the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from microloop_cli.backends.installations import is_dir

MOST_VERSION_BYTES = 4096


def chosen_bins(shims: Path, cwd: Path, named: str | None) -> tuple[Path, ...]:
    """The `bin` directories behind a `shims` directory, in pyenv's order; empty when it is not pyenv's.

    named: PYENV_VERSION; else the nearest `.python-version` from `cwd` up, else the global one.
    """
    versions = shims.parent / "versions"
    if shims.name != "shims" or not is_dir(versions):
        return ()
    wanted = named.split(":") if named else _from_files(shims.parent, cwd)
    return tuple(found for name in wanted if (found := _bin_of(versions, name)) is not None)


def _from_files(root: Path, cwd: Path) -> list[str]:
    files = [folder / ".python-version" for folder in (cwd, *cwd.parents)]
    for file in (*files, root / "version"):
        names = list(_names(file))
        if names:
            return names
    return []


def _names(file: Path) -> Iterable[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(MOST_VERSION_BYTES)
    except OSError:
        return
    for line in text.splitlines():
        yield from line.partition("#")[0].split()


def _bin_of(versions: Path, name: str) -> Path | None:
    """`3.11` stands for the newest 3.11.x; a name that leaves the directory is none of pyenv's."""
    if "/" in name or name in ("", ".", "..", "system"):
        return None
    exact = versions / name / "bin"
    if is_dir(exact):
        return exact
    near = [path for path in versions.glob(f"{_escaped(name)}.*") if is_dir(path / "bin")]
    return max(near, key=_release) / "bin" if near else None


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _release(path: Path) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in path.name.split("."))
