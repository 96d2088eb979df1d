"""What `doctor` rests on: probes that really try, and host settings that are named when they are the cause."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from microloop_cli.backends import probe_script
from microloop_cli.backends.base import BOUNDARIES, Probe
from microloop_cli.backends.hostfacts import kernel_problems, read_host_facts, userns_problems
from microloop_cli.backends.registry import get_backend
from microloop_cli.guard.binary import find_guard
from tests.backends.test_bwrap import FACTS
from tests.needs import need_bwrap, need_docker_image

HELD = f"""
{probe_script.SAID}status:CapPrm:0000000000000000
{probe_script.SAID}status:CapEff:0000000000000000
{probe_script.SAID}status:NoNewPrivs:1
{probe_script.SAID}interface:lo
{probe_script.SAID}memory:{probe_script.MEMORY_MIB << 20}
{probe_script.SAID}cpu:{probe_script.CPUS * 100000}
{probe_script.SAID}pids:{probe_script.PIDS}
{probe_script.SAID}init:guard
"""


def whole(probe: Probe) -> set[str]:
    assert {*probe.enforcement.enforced, *probe.enforcement.missing} == set(BOUNDARIES)
    return set(probe.enforcement.enforced)


def test_bubblewrap_is_really_tried() -> None:
    need_bwrap()
    probe = get_backend("bwrap").probe(find_guard())
    assert probe.usable, probe.problems
    assert whole(probe) == set(BOUNDARIES) - {"memory", "cpu", "pids"}
    assert probe.problems == ()
    assert {"kernel", "guard", "bwrap"} <= set(probe.versions)


@pytest.mark.docker
def test_docker_is_really_tried_with_limits() -> None:
    need_docker_image()
    probe = get_backend("docker").probe(find_guard())
    assert probe.usable, probe.problems
    assert whole(probe) == set(BOUNDARIES)
    assert probe.problems == ()
    assert {"kernel", "guard", "docker", "image"} <= set(probe.versions)


def test_none_intercepts_and_captures_and_contains_nothing() -> None:
    probe = get_backend("none").probe(find_guard())
    assert probe.usable
    assert whole(probe) == {"intercept", "capture"}
    assert not (Path.home() / "written").exists()


def test_a_backend_that_is_not_there_is_a_problem_with_its_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = find_guard()
    monkeypatch.setenv("PATH", str(tmp_path))
    probe = get_backend("bwrap").probe(guard)
    assert not probe.usable
    assert whole(probe) == set()
    assert "apt install bubblewrap" in probe.problems[0].mend


def test_a_daemon_that_is_not_there_is_a_problem_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    probe = get_backend("docker").probe(find_guard())
    assert not probe.usable
    assert "systemctl start docker" in probe.problems[0].mend


def test_a_missing_guard_is_a_problem(tmp_path: Path) -> None:
    need_bwrap()
    probe = get_backend("bwrap").probe(tmp_path / "guard")
    assert not probe.usable
    assert "guard" in probe.problems[0].what


def test_what_held_is_not_reported() -> None:
    found = probe_script.findings(HELD, kept=True, killed=True, home_leaked=False)
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("line", "boundary"),
    [
        ("refused-ran", "intercept"),
        ("hidden:/x", "filesystem"),
        ("writable:/usr", "filesystem"),
        ("home:/root/.ssh", "home"),
        ("home-read-only", "home"),
        ("interface:eth0", "network"),
        ("status:CapEff:0000000000000001", "privileges"),
        ("status:NoNewPrivs:0", "privileges"),
        ("memory:max", "memory"),
        ("pids:max", "pids"),
        ("init:sh", "processes"),
    ],
)
def test_what_did_not_hold_is_reported(line: str, boundary: str) -> None:
    report = f"{HELD}{probe_script.SAID}{line}\n"
    found = probe_script.findings(report, kept=True, killed=True, home_leaked=False)
    assert {name for name, why in found.items() if why is not None} == {boundary}


def test_what_the_host_sees_counts_too() -> None:
    found = probe_script.findings(HELD, kept=False, killed=False, home_leaked=True)
    assert {name for name, why in found.items() if why} == {"filesystem", "home", "processes"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel": "5.4.0-42"}, "newer kernel"),
        ({"yama_scope": 2}, "kernel.yama.ptrace_scope=1"),
        ({"yama_scope": 3}, "reboot"),
    ],
)
def test_kernels_the_guard_cannot_work_on_are_named(change: dict[str, object], words: str) -> None:
    problems = kernel_problems(msgspec.structs.replace(FACTS, **change))
    assert [words in problem.mend for problem in problems] == [True]


def test_root_needs_no_unprivileged_user_namespaces() -> None:
    limited = msgspec.structs.replace(FACTS, apparmor_limits_userns=True, userns_clone=0)
    assert len(userns_problems(limited)) == 2
    assert userns_problems(msgspec.structs.replace(limited, uid=0)) == ()
    assert userns_problems(FACTS) == kernel_problems(FACTS) == ()


def test_facts_are_read_from_proc(tmp_path: Path) -> None:
    for name, value in {
        "kernel/yama/ptrace_scope": "2",
        "kernel/apparmor_restrict_unprivileged_userns": "1",
        "user/max_user_namespaces": "0",
    }.items():
        path = tmp_path / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")
    facts = read_host_facts(tmp_path)
    assert (facts.yama_scope, facts.apparmor_limits_userns, facts.max_user_namespaces) == (2, True, 0)
    assert (facts.userns_clone, facts.has_userns, facts.uid) == (None, False, os.getuid())
