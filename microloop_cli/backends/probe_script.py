"""What a probe runs inside a sandbox, and how its report is read. Pure text in, findings out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from microloop_cli.backends.base import Boundary

SAID = "microloop-probe:"
CAPTURED = "microloop-probe-captured"
REFUSED = "microloop-probe-refused"
# What a probe asks for, to see whether it arrives.
MEMORY_MIB = 256
CPUS = 1
PIDS = 256
DONE = f"{SAID}done"

_SCRIPT = """
say() {{ echo "{said}$1"; }}
/bin/sh -c 'echo {captured}'
/bin/sh -c ': > ran-refused' {refused}
[ -e ran-refused ] && say refused-ran
: > kept || say workspace-read-only
for path in {hidden}; do [ -e "$path" ] && say "hidden:$path"; done
for path in {homes}; do [ -e "$path" ] && say "home:$path"; done
if [ "$HOME" = {home} ]; then : > {home}/written || say home-read-only; fi
for path in / /usr /etc; do [ -w "$path" ] && say "writable:$path"; done
while read -r key value rest; do
  case $key in CapEff:|CapPrm:|NoNewPrivs:|Uid:) say "status:$key$value";; esac
done < /proc/self/status
while read -r name rest; do case $name in *:*) say "interface:${{name%%:*}}";; esac; done < /proc/net/dev
limit() {{
  for file in "/sys/fs/cgroup/$2" "/sys/fs/cgroup/$3"; do
    if [ -r "$file" ]; then read -r value rest < "$file"; say "$1:$value"; return; fi
  done
}}
limit memory memory.max memory/memory.limit_in_bytes
limit cpu cpu.max cpu/cpu.cfs_quota_us
limit pids pids.max pids/pids.max
read -r init < /proc/1/comm; say "init:$init"
say done
exec sleep 60
"""


def script(hidden: Iterable[Path], homes: Iterable[Path], home: str) -> str:
    """For `sh -c` in the workspace. hidden: must not be there; homes: files of the host's home, likewise.

    home: the private home, written to if it is HOME inside.
    """
    return _SCRIPT.format(
        said=SAID,
        captured=CAPTURED,
        home=shlex.quote(home),
        refused=REFUSED,
        hidden=" ".join(shlex.quote(str(path)) for path in hidden) or "''",
        homes=" ".join(shlex.quote(str(path)) for path in homes) or "''",
    )


def findings(report: str, *, kept: bool, killed: bool, home_leaked: bool) -> dict[Boundary, str | None]:
    """Each boundary the script tried: None when it held, else what was seen instead.

    kept: the file written in the workspace is on the host. killed: nothing was left after the kill.
    """
    said = [line.removeprefix(SAID) for line in report.splitlines() if line.startswith(SAID)]
    values = {word.partition(":")[0]: word.partition(":")[2] for word in said}
    status = dict(word.removeprefix("status:").split(":", 1) for word in said if word.startswith("status:"))
    init = values.get("init", "")
    interfaces = {word.removeprefix("interface:") for word in said if word.startswith("interface:")}
    return {
        "intercept": "a refused command ran" if "refused-ran" in said else None,
        "filesystem": _first(
            (f"{values.get('hidden')} of the host is visible", "hidden" in values),
            (f"{values.get('writable')} is writable", "writable" in values),
            ("the workspace could not be written", not kept),
        ),
        "home": _first(
            (f"{values.get('home')} of the host is visible", "home" in values),
            ("the private home is not writable", "home-read-only" in said),
            ("what was written to the private home is on the host", home_leaked),
        ),
        "network": f"there are interfaces: {', '.join(sorted(interfaces))}" if interfaces != {"lo"} else None,
        "processes": _first(
            (
                f"process 1 is {init or 'nobody'}, not the guard",
                not init.startswith("guard"),
            ),
            ("processes were left after a kill", not killed),
        ),
        "privileges": _privileges(status),
        "memory": _limit(values.get("memory"), MEMORY_MIB << 20),
        "cpu": _limit(values.get("cpu"), CPUS * 100_000),
        "pids": _limit(values.get("pids"), PIDS),
    }


def _limit(seen: str | None, asked: int) -> str | None:
    return None if seen == str(asked) else f"the limit inside is {seen or 'not to be seen'}, not {asked}"


def _privileges(status: dict[str, str]) -> str | None:
    held = [name for name in ("CapEff", "CapPrm") if int(status.get(name, "1"), 16) != 0]
    return _first(
        (f"capabilities are held: {', '.join(held)}", bool(held)),
        ("no_new_privs is not set", status.get("NoNewPrivs") != "1"),
    )


def _first(*cases: tuple[str, bool]) -> str | None:
    return next((text for text, failed in cases if failed), None)
