"""Which directory a program was installed into: the least that must be mounted so that it still runs."""

from __future__ import annotations

import re
from pathlib import Path

# Directories that hold many installations, or settings and secrets beside them: never mounted whole.
SHARED_NAMES = frozenset(
    {".local", ".config", ".cache", ".cargo", ".ssh", ".aws", ".gnupg", ".kube", ".docker"}
)
PARTS_OF_A_PREFIX = ("bin", "sbin", "lib", "lib64", "libexec", "share", "include")


def is_dir(path: Path) -> bool:
    """As Path.is_dir, and False for what we may not look at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """As Path.is_file, and False for what we may not look at."""
    try:
        return path.is_file()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """As Path.exists, and False for what we may not look at."""
    try:
        return path.exists()
    except OSError:
        return False


def trees_of(location: Path, home: Path, workspace: Path) -> tuple[Path, ...]:
    """The directories to mount for the program at `location`; empty when the file alone will do.

    Never an ancestor of the home or of the workspace's parent, nor a directory many programs share.
    """
    for tree in _whole_trees(location):
        if may_mount(tree, home, workspace):
            return (tree,)
    prefix = location.parent.parent
    if not _has_parts(location) or len(prefix.parts) < 3 or not may_mount(prefix, home, workspace):
        return ()
    return tuple(prefix / part for part in PARTS_OF_A_PREFIX if is_dir(prefix / part))


def may_mount(tree: Path, home: Path, workspace: Path) -> bool:
    """False for what would show more than an installation: homes, their ancestors, shared directories."""
    if tree.name in SHARED_NAMES or tree.parent == Path("/home"):
        return False
    if tree.parent == Path("/") and not _is_marked(tree):
        return False
    return not any(tree == other or tree in other.parents for other in (home, workspace.parent))


def base_pythons(venv: Path) -> tuple[Path, ...]:
    """The interpreters behind a virtual environment: its own link, and what pyvenv.cfg names."""
    found = [venv / "bin" / "python"]
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return tuple(found)
    settings = dict(re.findall(r"^\s*(home|executable)\s*=\s*(\S.*?)\s*$", text, re.MULTILINE))
    if "executable" in settings:
        found.append(Path(settings["executable"]))
    if "home" in settings:
        found.extend(Path(settings["home"]) / name for name in ("python3", "python"))
    return tuple(path for path in found if path.is_absolute())


def user_site(location: Path) -> tuple[Path, ...]:
    """`pip install --user` packages beside ~/.local/bin, for a Python script installed that way."""
    prefix = location.parent.parent
    if prefix.name != ".local" or location.parent.name != "bin":
        return ()
    return tuple(sorted(path for path in (prefix / "lib").glob("python3*") if is_dir(path)))


def variables_of(tree: Path) -> dict[str, str]:
    """What a version manager must be told because HOME is another one inside."""
    if exists(tree / "bin" / "volta-shim"):
        return {"VOLTA_HOME": str(tree)}
    if tree.name == "mise" and is_dir(tree / "installs"):
        return {"MISE_DATA_DIR": str(tree)}
    if tree.name == ".asdf" or (is_dir(tree / "shims") and is_dir(tree / "installs")):
        return {"ASDF_DATA_DIR": str(tree)}
    if exists(tree / "libexec" / "pyenv"):
        return {"PYENV_ROOT": str(tree)}
    return {}


def _whole_trees(location: Path) -> tuple[Path, ...]:
    parent, prefix = location.parent, location.parent.parent
    found: list[Path] = []
    if is_file(prefix / "pyvenv.cfg") or _is_version_manager(location) or _is_marked(prefix):
        found.append(prefix)
    elif (manager := _pyenv_root(location)) is not None:
        found.append(manager)
    if "node_modules" in parent.parts:
        modules = Path(*parent.parts[: parent.parts.index("node_modules") + 1])
        if modules.parent.name == "lib" and exists(modules.parent.parent / "bin" / "node"):
            found.append(modules.parent.parent)
        found.append(modules)
    return tuple(found)


def _is_version_manager(location: Path) -> bool:
    """Shims of pyenv, nodenv, rbenv, asdf, mise and volta run what lies beside them."""
    prefix = location.parent.parent
    if location.parent.name == "shims":
        return is_dir(prefix / "versions") or is_dir(prefix / "installs")
    return location.parent.name == "bin" and exists(prefix / "bin" / "volta-shim")


def _pyenv_root(location: Path) -> Path | None:
    """The root for pyenv itself (`bin/pyenv`, `libexec/pyenv`)."""
    prefix = location.parent.parent
    return prefix if exists(prefix / "libexec" / "pyenv") and is_dir(prefix / "versions") else None


def _is_marked(prefix: Path) -> bool:
    """An installation prefix by its own marks: a Python, a Node, a virtual environment, a Homebrew."""
    if is_file(prefix / "pyvenv.cfg") or is_dir(prefix / "Cellar") or is_dir(prefix / "include" / "node"):
        return True
    lib = prefix / "lib"
    return is_dir(lib / "node_modules") or any(is_dir(path) for path in lib.glob("python[23]*"))


def _has_parts(location: Path) -> bool:
    """A program in a `bin` with libraries beside it (a JDK, a Go, an SDK)."""
    prefix = location.parent.parent
    return location.parent.name in ("bin", "sbin") and any(
        is_dir(prefix / part) for part in ("lib", "lib64", "libexec")
    )
