"""What the agent finds in its environment and in /etc/passwd. Pure: the host's variables are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from microloop_cli.backends.base import Door, SandboxRequest

AGENT_USER = "agent"
GUARD_INSIDE = "/run/microloop/guard"
CHANNEL_INSIDE = "/run/microloop/channel.sock"
CHANNEL_NAME = "channel.sock"
SEED_INSIDE = "/run/microloop/home"
SEED_NAME = "home"
NONCE_VARIABLE = "MICROLOOP_NONCE"
_FROM_HOST = ("LANG", "LANGUAGE", "TERM", "COLORTERM", "TZ")


def agent_environment(
    request: SandboxRequest,
    host: Mapping[str, str],
    *,
    path: str | None,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of the guard and so of the agent; what `request.env` names wins.

    path: None leaves PATH to the image. more: variables the found programs need.
    """
    variables = {name: host[name] for name in host if name in _FROM_HOST or name.startswith("LC_")}
    variables |= {"HOME": request.home, "TMPDIR": "/tmp", "USER": AGENT_USER, "LOGNAME": AGENT_USER}
    if path is not None:
        variables["PATH"] = path
    return variables | dict(more or {}) | request.env | {NONCE_VARIABLE: request.nonce}


def account_files(uid: int, gid: int, home: str) -> dict[str, str]:
    """Contents of `passwd` and `group` that name the agent, root and nobody, and nobody else of the host."""
    passwd = [f"{AGENT_USER}:x:{uid}:{gid}:agent:{home}:/bin/sh"]
    group = [f"{AGENT_USER}:x:{gid}:"]
    for name, number in (("root", 0), ("nobody", 65534)):
        if number != uid:
            passwd.append(f"{name}:x:{number}:{number}:{name}:/nonexistent:/usr/sbin/nologin")
        if number != gid:
            group.append(f"{'nogroup' if name == 'nobody' else name}:x:{number}:")
    return {"passwd": "\n".join(passwd) + "\n", "group": "\n".join(group) + "\n"}


def guard_command(argv: tuple[str, ...], doors: tuple[Door, ...] = (), *, seeded: bool = False) -> list[str]:
    """The guard's whole command line inside; the doors' sockets and the seed are at /run/microloop/NAME."""
    options = [word for door in doors for word in ("--door", f"{door.port}={door_inside(door)}")]
    if seeded:
        options += ["--seed", SEED_INSIDE]
    return [GUARD_INSIDE, "--channel", CHANNEL_INSIDE, *options, "--", *argv]


def door_inside(door: Door) -> str:
    return f"/run/microloop/{door.name}"


def supervisor_files(request: SandboxRequest) -> list[tuple[Path, str]]:
    """What the guard needs of the host's, read-only: (host path, path inside)."""
    folder = request.channel_dir
    files = [(request.guard, GUARD_INSIDE), (folder / CHANNEL_NAME, CHANNEL_INSIDE)]
    files += [(folder / door.name, door_inside(door)) for door in request.doors]
    return [*files, (folder / SEED_NAME, SEED_INSIDE)] if request.seeded else files
