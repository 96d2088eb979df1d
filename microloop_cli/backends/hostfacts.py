"""What this host's kernel and its settings say about sandboxes: read from /proc, nothing is run."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import msgspec

from microloop_cli.backends.base import Problem

# Fd replacement at exec notifications (SECCOMP_IOCTL_NOTIF_ADDFD): the newest thing the guard needs.
OLDEST_KERNEL = (5, 9)

APPARMOR_MEND = (
    "allow bwrap alone: printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\n"
    "profile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n'"
    " | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap;"
    " or lift the limit for all programs: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
)


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that decide whether a sandbox can start; a setting this kernel does not have is None."""

    kernel: str
    machine: str
    uid: int
    yama_scope: int | None
    apparmor_limits_userns: bool
    userns_clone: int | None
    max_user_namespaces: int | None
    has_userns: bool
    in_container: bool


def read_host_facts(proc: Path = Path("/proc")) -> HostFacts:
    """The facts of the running host; `proc` may be another tree in tests."""
    sys = proc / "sys"
    return HostFacts(
        kernel=platform.release(),
        machine=platform.machine(),
        uid=os.getuid(),
        yama_scope=_number(sys / "kernel/yama/ptrace_scope"),
        apparmor_limits_userns=_number(sys / "kernel/apparmor_restrict_unprivileged_userns") == 1,
        userns_clone=_number(sys / "kernel/unprivileged_userns_clone"),
        max_user_namespaces=_number(sys / "user/max_user_namespaces"),
        has_userns=(proc / "self/ns/user").exists(),
        in_container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
    )


def userns_impossible(facts: HostFacts) -> bool:
    """True when no process of this host, root included, can make a user namespace."""
    return not facts.has_userns or facts.max_user_namespaces == 0


def kernel_problems(facts: HostFacts) -> tuple[Problem, ...]:
    """What stands in the guard's way whatever the backend is."""
    found = []
    if _version(facts.kernel) < OLDEST_KERNEL:
        found.append(
            Problem(
                what=f"the kernel is {facts.kernel}",
                why="intercepting commands and capturing their output needs Linux 5.9 or newer",
                mend="boot a newer kernel",
            )
        )
    if facts.yama_scope in (2, 3):
        found.append(_yama_problem(facts.yama_scope))
    return tuple(found)


def userns_problems(facts: HostFacts) -> tuple[Problem, ...]:
    """Why an unprivileged user cannot make the user namespace bwrap needs, as far as settings tell."""
    if facts.uid == 0 and not userns_impossible(facts):
        return ()
    found = []
    if facts.apparmor_limits_userns:
        found.append(
            Problem(
                what="kernel.apparmor_restrict_unprivileged_userns is 1",
                why="AppArmor refuses user namespaces to programs without a profile (Ubuntu 23.10 and later)",
                mend=APPARMOR_MEND,
            )
        )
    if facts.userns_clone == 0:
        found.append(
            Problem(
                what="kernel.unprivileged_userns_clone is 0",
                why="this kernel gives user namespaces to root only",
                mend="sudo sysctl -w kernel.unprivileged_userns_clone=1",
            )
        )
    if facts.max_user_namespaces == 0:
        found.append(
            Problem(
                what="user.max_user_namespaces is 0",
                why="this kernel allows no user namespace at all",
                mend="sudo sysctl -w user.max_user_namespaces=15000",
            )
        )
    return tuple(found)


def _yama_problem(scope: int) -> Problem:
    fixed = scope == 3
    return Problem(
        what=f"kernel.yama.ptrace_scope is {scope}",
        why="the guard looks at each command by ptrace, which Yama allows to privileged processes only"
        if scope == 2
        else "Yama forbids ptrace altogether, and the guard looks at each command by it",
        mend="set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and reboot (3 cannot be lowered while running)"
        if fixed
        else "sudo sysctl -w kernel.yama.ptrace_scope=1",
    )


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _version(release: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else (0, 0)
