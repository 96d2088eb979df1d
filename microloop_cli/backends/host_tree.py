"""Which parts of the host's file system may be shown inside, and which of /etc and /opt must be covered."""

from __future__ import annotations

import os
import platform
import stat
import struct
from pathlib import Path

import msgspec

from microloop_cli.backends.base import SandboxRequest
from microloop_cli.errors import SandboxError, UsageError

ROOTS = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap",
)  # fmt: skip
PRIVATE = ("/tmp", "/run", "/var/tmp", "/dev/shm")
# Paths of /proc that speak to the whole kernel, to which the host's root is root behind a mapped uid too.
_KERNEL_WIDE = (
    "acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "scsi", "sys", "sysrq-trigger", "tty",
)  # fmt: skip
_KERNEL_SECRETS = (
    "kallsyms", "kcore", "keys", "key-users", "kmsg", "kpagecount", "kpagecgroup", "kpageflags",
    "latency_stats", "pagetypeinfo", "sched_debug", "slabinfo", "timer_list", "timer_stats", "vmallocinfo",
)  # fmt: skip
_OPT_DEPTH = 2
_ELF_MACHINES = {62: "amd64", 183: "arm64"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """Paths to lay something empty over, so that their content is not readable inside."""

    files: tuple[Path, ...]
    directories: tuple[Path, ...]


def existing_roots() -> list[Path]:
    return [Path(root) for root in ROOTS if os.path.lexists(root)]


def secrets_below_roots() -> Covered:
    """What we may read in /etc, /usr/local/etc and /opt though not everybody may: keys, shadow, sudoers."""
    files: list[Path] = []
    directories: list[Path] = []
    for root, depth in (("/etc", 16), ("/usr/local/etc", 16), ("/opt", _OPT_DEPTH)):
        _collect_private(root, depth, files, directories)
    return Covered(files=tuple(files), directories=tuple(directories))


def kernel_files() -> tuple[list[str], list[str]]:
    """(paths of /proc to show read-only, files of /proc to cover) when the kernel sees us as root."""
    shown = [f"/proc/{name}" for name in _KERNEL_WIDE if os.path.lexists(f"/proc/{name}")]
    covered = [f"/proc/{name}" for name in _KERNEL_SECRETS if os.path.lexists(f"/proc/{name}")]
    return shown, covered


def resolver_target() -> Path | None:
    """What /etc/resolv.conf links to, when that lies outside of what is shown (systemd-resolved, WSL)."""
    link = Path("/etc/resolv.conf")
    if not link.is_symlink():
        return None
    target = Path(os.path.normpath(Path("/etc") / link.readlink()))
    return target if target.is_file() and not any(Path(root) in target.parents for root in ROOTS) else None


def check_places(request: SandboxRequest) -> None:
    """Refuse what could not be kept apart: raises UsageError or SandboxError, says which path and why.

    ValueError for doors onto the host's network: there they would be open to everybody on the host.
    """
    workspace, cwd = request.workspace, request.cwd
    if request.doors and request.network != "none":
        raise ValueError("doors are for sandboxes without a network")
    if not workspace.is_dir():
        raise UsageError(
            f"the workspace {workspace} is not a directory", hint="name a directory with --workspace"
        )
    taken = [
        Path(p) for p in (*PRIVATE, *ROOTS, request.home, "/proc", "/sys", "/dev", "/run/microloop", "/boot")
    ]
    if any(workspace == place or workspace in place.parents for place in taken) or _is_kernel_place(
        workspace
    ):
        raise UsageError(
            f"{workspace} cannot be the workspace: it holds or is a system directory",
            hint="start microloop in the directory of one project",
        )
    if (cwd != workspace and workspace not in cwd.parents) or not cwd.is_dir():
        raise UsageError(
            f"{cwd} is not a directory inside the workspace {workspace}", hint="change into it first"
        )
    if request.runs_dir.is_symlink():
        raise SandboxError(
            f"{request.runs_dir} is a symbolic link",
            hint="remove it: microloop keeps its runs in a real directory",
        )
    if request.channel_dir == workspace or workspace in request.channel_dir.parents:
        raise SandboxError(
            f"{request.channel_dir} lies in the workspace",
            hint="set TMPDIR to a directory outside of the workspace",
        )
    check_writable(workspace)
    check_guard(request.guard)


def check_writable(workspace: Path) -> None:
    if not os.access(workspace, os.W_OK | os.X_OK):
        raise SandboxError(
            f"the workspace {workspace} is not writable for you",
            hint="change its owner or mode, or work in a copy of it",
        )


def check_guard(guard: Path) -> None:
    """Raises SandboxError unless the guard is a program this machine can run."""
    if not guard.is_file() or not os.access(guard, os.X_OK):
        problem = "is missing or not executable"
    elif elf_machine(guard) != _MACHINES.get(platform.machine(), "unknown"):
        problem = "is no program for this machine"
    else:
        return
    raise SandboxError(f"the guard binary {guard} {problem}", hint="reinstall microloop-cli")


def elf_machine(binary: Path) -> str:
    """The machine a program is for, in Docker's words; empty when it is none."""
    with binary.open("rb") as stream:
        head = stream.read(20)
    if len(head) < 20 or not head.startswith(b"\x7fELF"):
        return ""
    return _ELF_MACHINES.get(struct.unpack_from("<H", head, 18)[0], "")


def check_owner_when_root(workspace: Path) -> None:
    """As root without capabilities only root's own files can be written."""
    status = workspace.stat()
    if os.getuid() != 0 or status.st_uid == 0 or status.st_mode & stat.S_IWOTH:
        return
    raise SandboxError(
        f"the workspace {workspace} is user {status.st_uid}'s; root without capabilities cannot write it",
        hint=f"run microloop as that user, use --sandbox docker, or: chown -R 0:0 {workspace}",
    )


def _collect_private(root: str, depth: int, files: list[Path], directories: list[Path]) -> None:
    try:
        entries = list(os.scandir(root))
    except OSError:
        return
    for entry in entries:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            if mode & 0o005 != 0o005:
                if os.access(entry.path, os.X_OK):
                    directories.append(Path(entry.path))
            elif depth > 1:
                _collect_private(entry.path, depth - 1, files, directories)
        elif not stat.S_ISLNK(mode) and not mode & stat.S_IROTH and os.access(entry.path, os.R_OK):
            files.append(Path(entry.path))


def _is_kernel_place(workspace: Path) -> bool:
    return any(Path(place) in workspace.parents for place in ("/proc", "/sys", "/dev", "/run/microloop"))
