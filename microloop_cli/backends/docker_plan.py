"""The create call of one run's container, as data. Pure but for the owner of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from microloop_cli.backends.base import SandboxRequest
from microloop_cli.backends.environment import (
    account_files,
    agent_environment,
    guard_command,
    supervisor_files,
)
from microloop_cli.errors import SandboxError, UsageError

RUN_LABEL = "microloop.run"
_MIB = 1024 * 1024
_ACCOUNT_FILES = ("passwd", "group")


def container_user(request: SandboxRequest) -> str:
    """`uid:gid` of the workspace's owner, or what the request names; never root (SandboxError)."""
    if request.user is not None:
        name = request.user.partition(":")[0]
        if name == "root" or (name.isdigit() and int(name) == 0):
            raise UsageError(
                "--user names root, and the agent must not be root", hint="name another user, as uid:gid"
            )
        return request.user
    status = request.workspace.stat()
    if status.st_uid == 0:
        raise SandboxError(
            f"the workspace {request.workspace} belongs to root, and the agent must not be root",
            hint=f"give it to an ordinary user (chown -R 1000:1000 {request.workspace}), name one that may "
            "write there (--user UID:GID), or use --sandbox bwrap",
        )
    return f"{status.st_uid}:{status.st_gid}"


def account_texts(request: SandboxRequest, user: str) -> dict[str, str]:
    """Files to write beside the channel: path to content; none for a user only the image can resolve."""
    numbers = _numbers(user)
    if numbers is None:
        return {}
    texts = account_files(*numbers, request.home)
    return {str(request.channel_dir / name): texts[name] for name in _ACCOUNT_FILES}


def create_arguments(
    request: SandboxRequest, image: str, user: str, host: Mapping[str, str]
) -> dict[str, object]:
    """Keyword arguments of docker-py's `APIClient.create_container`."""
    command = guard_command(request.argv, request.doors, seeded=request.seeded)
    return {
        "image": image,
        "entrypoint": command[:1],
        "command": command[1:],
        "environment": agent_environment(request, host, path=None),
        "user": user,
        "working_dir": str(request.cwd),
        "tty": request.interactive,
        "stdin_open": True,
        "labels": {RUN_LABEL: request.channel_dir.name},
        # A health check of the image would run programs the guard does not see.
        "healthcheck": {"test": ["NONE"]},
        # The user's Docker settings may hold a proxy with a password.
        "use_config_proxy": False,
        "host_config": _host_config(request, user),
    }


def _host_config(request: SandboxRequest, user: str) -> dict[str, object]:
    config: dict[str, object] = {
        "NetworkMode": request.network,
        "ReadonlyRootfs": True,
        "Mounts": _mounts(request, user),
        "Tmpfs": _private(request, user),
        "CapDrop": ["ALL"],
        # In the bounding set only: it makes Docker's seccomp profile allow pidfd_getfd, which capture needs.
        "CapAdd": ["SYS_PTRACE"],
        "SecurityOpt": ["no-new-privileges"],
        "IpcMode": "private",
        "LogConfig": {"Type": "none"},
        "Init": False,
        "AutoRemove": False,
    }
    if request.memory_mib is not None:
        config |= {"Memory": request.memory_mib * _MIB, "MemorySwap": request.memory_mib * _MIB}
    if request.cpus is not None:
        config["NanoCpus"] = int(request.cpus * 1_000_000_000)
    if request.pids is not None:
        config["PidsLimit"] = request.pids
    return config


def _mounts(request: SandboxRequest, user: str) -> list[dict[str, object]]:
    binds = [(request.workspace, str(request.workspace), False)]
    binds += [(source, target, True) for source, target in supervisor_files(request)]
    if _numbers(user) is not None:
        binds += [(request.channel_dir / name, f"/etc/{name}", True) for name in _ACCOUNT_FILES]
    return [_bind(source, target, read_only=read_only) for source, target, read_only in binds]


def _bind(source: Path, target: str, *, read_only: bool) -> dict[str, object]:
    return {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": read_only}


def _private(request: SandboxRequest, user: str) -> dict[str, str]:
    numbers = _numbers(user)
    home = "mode=1777" if numbers is None else f"mode=0700,uid={numbers[0]},gid={numbers[1]}"
    return {
        "/tmp": "rw,exec,nosuid,nodev,mode=1777",
        "/var/tmp": "rw,exec,nosuid,nodev,mode=1777",
        "/run": "rw,exec,nosuid,nodev,mode=0755",
        request.home: f"rw,exec,nosuid,nodev,{home}",
        str(request.runs_dir): "ro,nosuid,nodev,noexec,mode=0555,size=4k",
    }


def _numbers(user: str) -> tuple[int, int] | None:
    uid, _, gid = user.partition(":")
    if not uid.isdigit() or not (gid or uid).isdigit():
        return None
    return int(uid), int(gid or uid)
