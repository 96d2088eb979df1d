"""What each backend enforces and what it does not, in words for the bundle and for `doctor`. Pure."""

from __future__ import annotations

from microloop_cli.backends.base import BOUNDARIES, Boundary, Enforcement, SandboxRequest

_GUARD: dict[Boundary, str] = {
    "intercept": "seccomp notification; each command is judged at its exec stop",
    "capture": "output of steps is relayed by the guard; terminals are left alone",
}


def of_bwrap(request: SandboxRequest, *, user_namespace: bool) -> Enforcement:
    """Mounts, namespaces and no capabilities; bubblewrap sets no resource limits."""
    privileges = "no capabilities, no_new_privs" + (", own user namespace" if user_namespace else "")
    enforced = _GUARD | {
        "filesystem": "read-only allow-list of system directories; only the workspace is kept",
        "home": f"fresh private {request.home}; the host's homes are not there",
        "processes": "own PID, IPC and UTS namespaces; all die with the guard",
        "privileges": privileges,
    }
    missing: dict[Boundary, str] = {
        "memory": "bubblewrap sets no limits; use --sandbox docker for a memory limit",
        "cpu": "bubblewrap sets no limits; use --sandbox docker for a CPU limit",
        "pids": "bubblewrap sets no limits; use --sandbox docker for a process limit",
    }
    return _with_network(request, enforced, missing, "own network namespace with loopback only")


def of_docker(request: SandboxRequest, user: str) -> Enforcement:
    """As bwrap, and cgroup limits for what the request names."""
    enforced = _GUARD | {
        "filesystem": "read-only image; only the workspace is kept",
        "home": f"fresh private {request.home}; the host's homes are not there",
        "processes": "own PID, IPC and UTS namespaces; all die with the guard",
        "privileges": f"user {user}, no effective capabilities, no_new_privs, Docker's seccomp profile",
    }
    missing: dict[Boundary, str] = {}
    limits: dict[Boundary, tuple[object, str]] = {
        "memory": (request.memory_mib, f"{request.memory_mib} MiB, no swap"),
        "cpu": (request.cpus, f"{request.cpus} CPUs"),
        "pids": (request.pids, f"{request.pids} processes and threads"),
    }
    for boundary, (value, text) in limits.items():
        if value is None:
            missing[boundary] = "no limit was asked for"
        else:
            enforced[boundary] = text
    return _with_network(request, enforced, missing, "no network but loopback")


def of_none() -> Enforcement:
    """Commands are seen and can be refused; nothing is contained."""
    return Enforcement(
        enforced={name: f"{text}; root could interfere with the guard" for name, text in _GUARD.items()},
        missing={b: "nothing is contained: --sandbox none" for b in BOUNDARIES if b not in _GUARD},
    )


def _ways_out(request: SandboxRequest) -> str:
    names = [f"{door.name.removesuffix('.sock')} door" for door in request.doors]
    return f"; ways out: microloop's {' and '.join(names)}" if names else ""


def nothing(reason: str) -> Enforcement:
    """For a backend that cannot be used at all."""
    return Enforcement(enforced={}, missing=dict.fromkeys(BOUNDARIES, reason))


def confirmed_by(claims: Enforcement, seen: dict[Boundary, str | None]) -> Enforcement:
    """`claims` cut down to what a probe saw: a tried boundary maps to None (held) or why it did not hold."""
    failed = {name: why for name, why in seen.items() if why is not None}
    return Enforcement(
        enforced={name: text for name, text in claims.enforced.items() if name not in failed},
        missing=claims.missing | {str(name): why for name, why in failed.items()},
    )


def _with_network(
    request: SandboxRequest, enforced: dict[Boundary, str], missing: dict[Boundary, str], how: str
) -> Enforcement:
    if request.network == "none":
        enforced = enforced | {"network": how + _ways_out(request)}
    else:
        missing = missing | {"network": "the host's network, its loopback and abstract sockets are shared"}
    return Enforcement(
        enforced={str(name): text for name, text in enforced.items()},
        missing={str(name): text for name, text in missing.items()},
    )
