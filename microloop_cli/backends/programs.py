"""Find the agent's program and its interpreter on the host, and what to mount so that they run inside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from microloop_cli.backends import installations
from microloop_cli.backends.installations import exists, is_dir, is_file
from microloop_cli.backends.pyenv import chosen_bins
from microloop_cli.errors import CommandNotExecutable, CommandNotFound

# Tools agents call by name: the agent shall see the ones the user sees.
TOOLS = ("python3", "python", "node", "git", "bash")
STANDARD_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_MOST_LINKS = 40


class ProgramNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What to show of the host beside the allow-list; every path is absolute and stays its own.

    mounts: real files and directories, read-only. links: (link, target) to be made again as symlinks.
    path: directories for PATH inside. variables: for version managers that would look in HOME.
    """

    program: str
    mounts: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    path: tuple[str, ...]
    variables: dict[str, str]


def find_program(name: str, path: Sequence[str], cwd: Path) -> Path:
    """The file a shell in `cwd` would run for `name`; raises CommandNotFound or CommandNotExecutable."""
    if "/" in name:
        candidate = Path(os.path.normpath(cwd / name))
        if not exists(candidate):
            raise CommandNotFound(
                f"{name}: there is no such file", hint=f"paths are looked up from {cwd}; check the spelling"
            )
        _check_executable(candidate, name)
        return candidate
    found = _on_path(name, path)
    if found is not None:
        return found
    raise CommandNotFound(
        f"{name}: command not found on PATH",
        hint=f"install it, or give its full path (`command -v {name}` in your shell says where it is)",
    )


def needs_of(
    argv0: str,
    *,
    path: str,
    cwd: Path,
    home: Path,
    workspace: Path,
    roots: Sequence[Path],
    pyenv_version: str | None = None,
) -> ProgramNeeds:
    """What `argv0` and the usual tools need beyond `roots` (shown anyway) and the workspace.

    pyenv_version: PYENV_VERSION of the user. Raises CommandNotFound or CommandNotExecutable.
    """
    entries = [entry for entry in path.split(os.pathsep) if entry.startswith("/")]
    entries = _through_shims(entries, cwd, pyenv_version)
    program = find_program(argv0, entries, cwd)
    search = _Search(entries, home.resolve(), workspace, [*roots, workspace])
    search.visit(program)
    for tool in TOOLS:
        found = _on_path(tool, entries)
        if found is not None:
            search.visit(found)
    return search.result(argv0 if "/" not in argv0 else str(program))


class _Search:
    """Follows symlinks, shebangs and virtual environments until nothing new turns up."""

    def __init__(self, path: list[str], home: Path, workspace: Path, shown: list[Path]) -> None:
        self.path, self.home, self.workspace, self.shown = path, home, workspace, shown
        self.links: dict[Path, str] = {}
        self.mounts: dict[Path, None] = {}
        self.variables: dict[str, str] = {}
        self.seen: set[Path] = set()

    def visit(self, program: Path) -> None:
        if program in self.seen:
            return
        self.seen.add(program)
        real, links = follow(program)
        if real is None:
            return
        self.links.update(links)
        entries = [link for link, _ in links if link.name == program.name or link.parent.name == "bin"]
        for location in dict.fromkeys([*entries, real]):
            self._mount_around(location)
        if not self._is_shown(real):
            self.mounts.setdefault(real)
        self._visit_interpreter(real)

    def _mount_around(self, location: Path) -> None:
        venv = location.parent.parent
        if is_file(venv / "pyvenv.cfg"):
            self._add_tree(venv)
            for python in installations.base_pythons(venv):
                self.visit(python)
        if any(_within(location, root) for root in self.shown):
            return
        for tree in installations.trees_of(location, self.home, self.workspace):
            self._add_tree(tree)

    def _add_tree(self, tree: Path) -> None:
        real = tree.resolve()
        if not self._is_shown(real) and installations.may_mount(real, self.home, self.workspace):
            self.mounts.setdefault(real)
            self.variables.update(installations.variables_of(real))

    def _visit_interpreter(self, real: Path) -> None:
        words = shebang(real)
        if not words:
            return
        interpreter = Path(words[0])
        if interpreter.name == "env":
            name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
            found = _on_path(name, self.path) if name else None
        else:
            found = interpreter if interpreter.is_absolute() else None
        if "python" in " ".join(words):
            self._mount_user_site(real)
        if found is not None:
            self.visit(found)

    def _mount_user_site(self, script: Path) -> None:
        within = any(_within(script, root) for root in self.shown)
        sites = () if within else installations.user_site(script)
        for site in sites:
            self.mounts.setdefault(site)
            self.variables["PYTHONUSERBASE"] = str(script.parent.parent)

    def _is_shown(self, path: Path) -> bool:
        return any(_within(path, shown) for shown in [*self.shown, *self.mounts])

    def result(self, program: str) -> ProgramNeeds:
        mounts = [m for m in self.mounts if not any(m != o and _within(m, o) for o in self.mounts)]
        shown = [*self.shown, *mounts]
        links = {
            link: target
            for link, target in self.links.items()
            if not any(_within(link, root) for root in shown) and not any(_within(m, link) for m in shown)
        }
        return ProgramNeeds(
            program=program,
            mounts=tuple(sorted(mounts)),
            links=tuple(sorted(links.items())),
            path=_path_inside(self.path, shown, {link.parent for link in links}),
            variables=self.variables,
        )


def _through_shims(entries: list[str], cwd: Path, pyenv_version: str | None) -> list[str]:
    """PATH with the chosen Pythons before pyenv's shims for them."""
    seen: list[str] = []
    for entry in entries:
        seen += [str(place) for place in chosen_bins(Path(entry), cwd, pyenv_version)]
        seen.append(entry)
    return list(dict.fromkeys(seen))


def follow(path: Path) -> tuple[Path | None, list[tuple[Path, str]]]:
    """The real file behind `path` and every symlink met on the way (also of directories); None: dangling."""
    links: list[tuple[Path, str]] = []
    todo, here = list(path.parts[1:]), Path("/")
    while todo:
        part = todo.pop(0)
        if part == "..":
            here = here.parent
            continue
        step = here / part
        try:
            target = str(step.readlink()) if step.is_symlink() else None
        except OSError:  # not ours to look at
            return None, links
        if target is None:
            here = step
            continue
        links.append((step, target))
        if len(links) > _MOST_LINKS:
            return None, links
        new = Path(target)
        todo = [*new.parts[1 if new.is_absolute() else 0 :], *todo]
        here = Path("/") if new.is_absolute() else here
    return (here if exists(here) else None), links


def shebang(file: Path) -> list[str]:
    """The words of a script's first line after `#!`, as the kernel would split them; empty for a binary."""
    try:
        with file.open("rb") as stream:
            first = stream.read(256).split(b"\n", 1)[0]
    except OSError:
        return []
    return first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []


def _path_inside(entries: Iterable[str], shown: list[Path], linked: set[Path]) -> tuple[str, ...]:
    kept: dict[str, None] = {}
    for entry in entries:
        real = Path(entry).resolve()
        with_files = Path(entry) in linked or any(m.parent == real for m in shown)
        if not is_dir(real) or not (with_files or any(_within(real, root) for root in shown)):
            continue
        reachable = any(_within(Path(entry), root) for root in shown) or Path(entry) in linked
        kept.setdefault(entry if reachable else str(real))
    for entry in STANDARD_PATH:
        kept.setdefault(entry)
    return tuple(kept)


def _on_path(name: str, path: Sequence[str]) -> Path | None:
    for entry in path:
        candidate = Path(entry) / name
        if os.access(candidate, os.X_OK) and is_file(candidate):
            return candidate
    return None


def _check_executable(candidate: Path, name: str) -> None:
    if is_dir(candidate):
        raise CommandNotExecutable(f"{name}: is a directory", hint="name a program, not a directory")
    if not os.access(candidate, os.X_OK):
        raise CommandNotExecutable(
            f"{name}: permission denied", hint=f"make it executable: chmod +x {candidate}"
        )


def _within(path: Path, root: Path) -> bool:
    return path == root or root in path.parents
