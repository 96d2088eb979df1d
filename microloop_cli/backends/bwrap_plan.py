"""The bubblewrap command line for one run, as data. Pure: all it knows of the host is in its arguments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from microloop_cli.backends.base import SandboxRequest
from microloop_cli.backends.environment import guard_command, supervisor_files
from microloop_cli.backends.host_tree import Covered
from microloop_cli.backends.programs import ProgramNeeds

# Variables the dynamic loader would act on in bwrap itself, or strip where bwrap is setuid: bwrap sets them.
LOADER_PREFIXES = (
    "LD_",
    "GLIBC_",
    "GCONV_",
    "MALLOC_",
    "LOCPATH",
    "NLSPATH",
    "RES_OPTIONS",
    "HOSTALIASES",
    "TMPDIR",
)


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan needs to know of the host.

    roots: (path, symlink target or None). uid, gid: inside; None of both: no user namespace can be had.
    kernel_shown, kernel_covered: paths of /proc to make read-only and to blank.
    """

    bwrap: str
    roots: tuple[tuple[Path, str | None], ...]
    covered: Covered
    kernel_shown: tuple[str, ...]
    kernel_covered: tuple[str, ...]
    resolver: Path | None
    uid: int | None
    gid: int | None


class _Mount(msgspec.Struct, frozen=True):
    """bwrap operations that make `place`; sorted so that what lies inside comes later."""

    place: Path
    operations: tuple[str, ...]


def bwrap_argv(
    request: SandboxRequest, view: HostView, needs: ProgramNeeds, environment: dict[str, str]
) -> list[str]:
    """The whole command line, from bwrap's path to the agent's last argument."""
    command = guard_command(request.argv, request.doors, seeded=request.seeded)
    argv = [view.bwrap, *_namespaces(request, view)]
    for name in sorted(environment):
        if name.startswith(LOADER_PREFIXES):
            argv += ["--setenv", name, environment[name]]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    places: dict[Path, _Mount] = {}
    for mount in _mounts(request, view, needs):
        places.setdefault(mount.place, mount)
    for mount in sorted(places.values(), key=lambda mount: len(mount.place.parts)):
        argv += mount.operations
    argv += ["--remount-ro", "/run/microloop", "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*argv, "--chdir", str(request.cwd), "--", *command]


def process_environment(environment: dict[str, str]) -> dict[str, str]:
    """What bwrap starts with: all but what `--setenv` carries; others can read command lines, not this."""
    return {name: value for name, value in environment.items() if not name.startswith(LOADER_PREFIXES)}


def _namespaces(request: SandboxRequest, view: HostView) -> list[str]:
    user = [] if view.uid is None else ["--unshare-user", "--uid", str(view.uid), "--gid", str(view.gid)]
    network = ["--unshare-net"] if request.network == "none" else []
    return [
        *user,
        "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        *network,
        "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL",
    ]  # fmt: skip


def _mounts(request: SandboxRequest, view: HostView, needs: ProgramNeeds) -> Iterable[_Mount]:
    for root, target in view.roots:
        yield _Mount(root, ("--symlink", target, str(root)) if target else _read_only(root))
    yield from _private(request)
    yield from _accounts(request)
    for file in view.covered.files:
        yield _blank(file)
    for directory in view.covered.directories:
        yield _Mount(directory, _empty(directory))
    for shown in view.kernel_shown:
        yield _Mount(Path(shown), _read_only(Path(shown)))
    for hidden in view.kernel_covered:
        yield _blank(Path(hidden))
    for mount in needs.mounts:
        yield _Mount(mount, _read_only(mount))
    for link, link_target in needs.links:
        yield _Mount(link, ("--symlink", link_target, str(link)))
    if view.resolver is not None and request.network == "host":
        yield _Mount(view.resolver, _read_only(view.resolver))
    yield _Mount(request.workspace, ("--bind", str(request.workspace), str(request.workspace)))
    yield _Mount(request.runs_dir, (*_empty(request.runs_dir), "--remount-ro", str(request.runs_dir)))


def _private(request: SandboxRequest) -> Iterable[_Mount]:
    yield _Mount(Path("/tmp"), ("--perms", "1777", "--tmpfs", "/tmp"))
    yield _Mount(Path("/var/tmp"), ("--perms", "1777", "--tmpfs", "/var/tmp"))
    yield _Mount(Path("/dev/shm"), ("--perms", "1777", "--tmpfs", "/dev/shm"))
    yield _Mount(Path("/run"), ("--perms", "0755", "--tmpfs", "/run"))
    yield _Mount(Path("/var/run"), ("--symlink", "../run", "/var/run"))
    yield _Mount(Path(request.home), ("--perms", "0700", "--tmpfs", request.home))
    yield _Mount(Path("/run/microloop"), ("--perms", "0555", "--tmpfs", "/run/microloop"))
    for source, target in supervisor_files(request):
        yield _Mount(Path(target), ("--ro-bind", str(source), target))


def _accounts(request: SandboxRequest) -> Iterable[_Mount]:
    for name in ("passwd", "group"):
        yield _Mount(Path("/etc", name), ("--ro-bind", str(request.channel_dir / name), f"/etc/{name}"))


def _read_only(path: Path) -> tuple[str, ...]:
    return ("--ro-bind", str(path), str(path))


def _empty(path: Path) -> tuple[str, ...]:
    return ("--perms", "0555", "--tmpfs", str(path))


def _blank(path: Path) -> _Mount:
    return _Mount(path, ("--ro-bind", "/dev/null", str(path)))
