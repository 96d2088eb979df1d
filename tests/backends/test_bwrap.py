"""bubblewrap: what the plan says, awkward places for a workspace, and hosts that forbid namespaces."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from microloop_cli.backends.bwrap_failure import explained
from microloop_cli.backends.bwrap_plan import HostView, bwrap_argv, process_environment
from microloop_cli.backends.host_tree import Covered
from microloop_cli.backends.hostfacts import HostFacts
from microloop_cli.backends.programs import ProgramNeeds
from tests.backends.sample_request import request_for
from tests.backends.world import World, make_world
from tests.needs import need, need_bwrap

FACTS = HostFacts(
    kernel="6.8.0", machine="x86_64", uid=1000, yama_scope=1, apparmor_limits_userns=False, userns_clone=None,
    max_user_namespaces=15000, has_userns=True, in_container=False,
)  # fmt: skip
VIEW = HostView(
    bwrap="/usr/bin/bwrap",
    roots=((Path("/usr"), None), (Path("/bin"), "usr/bin"), (Path("/etc"), None)),
    covered=Covered(files=(Path("/etc/shadow"),), directories=(Path("/etc/ssl/private"),)),
    kernel_shown=("/proc/sys",),
    kernel_covered=("/proc/kallsyms",),
    resolver=Path("/run/systemd/resolve/stub-resolv.conf"),
    uid=1000,
    gid=1000,
)
NEEDS = ProgramNeeds(
    program="agent",
    mounts=(Path("/home/x/.pyenv"),),
    links=((Path("/home/x/bin/agent"), "../.pyenv/shims/agent"),),
    path=("/usr/bin",),
    variables={},
)


def argv(tmp_path: Path, workspace: str = "/home/x/.pyenv/project", network: str = "none") -> list[str]:
    request = request_for(tmp_path, workspace=Path(workspace), network=network)
    return bwrap_argv(request, VIEW, NEEDS, {"LD_PRELOAD": "/x.so", "API_KEY": "secret", "TMPDIR": "/tmp"})


def places(command: list[str]) -> list[str]:
    """Destinations of all mounts, in order."""
    ends = {"--ro-bind": 2, "--bind": 2, "--tmpfs": 1, "--symlink": 2}
    return [command[i + ends[word]] for i, word in enumerate(command) if word in ends]


def test_what_lies_inside_is_mounted_after_what_it_lies_in(tmp_path: Path) -> None:
    order = places(argv(tmp_path))
    for place in order:
        assert all(
            order.index(str(p)) < order.index(place) for p in Path(place).parents if str(p) in order
        ), place


def test_the_root_is_made_read_only_last(tmp_path: Path) -> None:
    command = argv(tmp_path)
    assert command[: command.index("--chdir")][-2:] == ["--remount-ro", "/"]


def test_no_place_is_made_twice(tmp_path: Path) -> None:
    again = msgspec.structs.replace(NEEDS, links=(*NEEDS.links, (Path("/var/run"), "/run")))
    order = places(bwrap_argv(request_for(tmp_path), VIEW, again, {}))
    assert len(order) == len(set(order))


def test_every_namespace_is_new_and_no_capability_is_left(tmp_path: Path) -> None:
    command = argv(tmp_path)
    assert {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"} <= set(
        command
    )
    assert command[command.index("--cap-drop") + 1] == "ALL"
    assert "--new-session" not in command
    assert "--unshare-net" not in argv(tmp_path, network="host")


def test_the_resolver_behind_a_link_is_there_with_the_hosts_network_only(tmp_path: Path) -> None:
    assert str(VIEW.resolver) in places(argv(tmp_path, network="host"))
    assert str(VIEW.resolver) not in places(argv(tmp_path))


def test_loader_variables_do_not_reach_bwrap_itself_and_secrets_no_command_line(tmp_path: Path) -> None:
    command = argv(tmp_path)
    assert command[command.index("LD_PRELOAD") - 1] == "--setenv"
    assert "secret" not in " ".join(command)
    assert process_environment({"LD_PRELOAD": "/x.so", "TMPDIR": "/tmp", "API_KEY": "secret"}) == {
        "API_KEY": "secret"
    }


@pytest.mark.parametrize(
    "where", ["/root/microloop-ws", "/home/agent/ws", "/var/tmp/ws", "/opt/microloop-ws", "/srv/ws"]
)
def test_the_workspace_may_lie_anywhere_and_its_neighbours_stay_hidden(where: str) -> None:
    need_bwrap()
    if os.getuid() != 0:
        pytest.skip("needs root to make directories outside of the home")
    world, place = make_world("bwrap"), Path(where)
    made = [parent for parent in (place, *place.parents) if not parent.exists()]
    try:
        shutil.copytree(world.workspace, place)
        neighbour = place.parent / "microloop-neighbour"
        neighbour.write_text("not to be seen")
        more: dict[str, Any] = {"workspace": where, "cwd": where, "runs_dir": f"{where}/.microloop"}
        seen = world.run(
            ["sh", "-c", f"pwd; echo x > made; ls -A {place.parent} ~ .microloop; cat {neighbour}"], **more
        )
        assert seen.stdout.decode().split("\n")[0] == where, seen.stderr
        assert (place / "made").read_text() == "x\n"
        shown_anyway = where.startswith("/opt")  # a neighbour in a system directory is on the allow-list
        assert (b"not to be seen" in seen.stdout) == shown_anyway
    finally:
        neighbour.unlink(missing_ok=True)
        shutil.rmtree(made[-1] if made else place)
        shutil.rmtree(world.top)


@pytest.mark.parametrize(
    "where", ["/", "/tmp", "/home", "/usr", "/etc", "/proc/self", "/dev", "/run", "/var"]
)
def test_a_system_directory_cannot_be_the_workspace(bwrap: World, where: str) -> None:
    done = bwrap.run(["true"], workspace=where, cwd=where, runs_dir=f"{where}/.microloop")
    assert done.returncode == 2
    assert b"cannot be the workspace" in done.stderr


def test_a_missing_workspace_is_said(bwrap: World) -> None:
    where = str(bwrap.top / "nowhere")
    done = bwrap.run(["true"], workspace=where, cwd=where, runs_dir=f"{where}/.microloop")
    assert done.returncode == 2
    assert b"is not a directory" in done.stderr


def test_a_workspace_that_cannot_be_written_is_said(bwrap: World) -> None:
    if os.getuid() == 0:
        os.chown(bwrap.workspace, 1234, 1234)
    else:
        bwrap.workspace.chmod(0o555)
    done = bwrap.run(["true"])
    assert done.returncode == 125
    assert b"SandboxError" in done.stderr
    assert b"writ" in done.stderr


def test_a_bundle_directory_that_is_a_link_is_refused(bwrap: World) -> None:
    shutil.rmtree(bwrap.workspace / ".microloop")
    (bwrap.workspace / ".microloop").symlink_to("/etc")
    done = bwrap.run(["true"])
    assert done.returncode == 125
    assert b"symbolic link" in done.stderr


def test_a_missing_agent_is_127_and_one_that_cannot_be_executed_126(bwrap: World) -> None:
    assert bwrap.run(["no-such-agent"]).returncode == 127
    (bwrap.workspace / "tool").write_text("text")
    assert bwrap.run(["./tool"]).returncode == 126


def test_without_bubblewrap_the_error_says_how_to_install_it(
    bwrap: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(bwrap.top))
    done = bwrap.run(["/bin/true"])
    assert done.returncode == 125
    assert b"apt install bubblewrap" in done.stderr


def in_a_namespace_without_user_namespaces(
    world: World, user: list[str]
) -> subprocess.CompletedProcess[bytes]:
    """Run the launcher where the kernel gives out no further user namespace; only this test is affected."""
    inner = " ".join(
        [*world.python, str(Path(__file__).with_name("launcher.py")), str(world.spec(["id", "-u"]))]
    )
    script = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {inner}"
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        env=world.environment(),
        cwd=world.workspace,
        timeout=30,
        check=False,
    )


def test_as_root_without_user_namespaces_it_runs_as_root_without_capabilities(bwrap: World) -> None:
    need("unshare")
    done = in_a_namespace_without_user_namespaces(bwrap, [])
    assert (done.returncode, done.stdout) == (0, b"0\n"), done.stderr


def test_a_refused_namespace_is_an_error_with_bwraps_own_words(
    bwrap: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = bwrap.top / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    done = bwrap.run(["true"])
    assert done.returncode == 125
    assert b"bubblewrap could not start the sandbox: setting up uid map: Permission denied" in done.stderr


def test_a_guard_that_cannot_be_executed_is_an_error(bwrap: World) -> None:
    (bwrap.top / "guard").write_bytes(b"\x7fELF nonsense")
    done = bwrap.run(["true"])
    assert done.returncode == 125
    assert b"reinstall microloop-cli" in done.stderr


@pytest.mark.parametrize(
    ("change", "mended_by"),
    [
        (
            {"apparmor_limits_userns": True},
            ("apparmor_parser", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ),
        ({"userns_clone": 0}, ("kernel.unprivileged_userns_clone=1",)),
        ({"max_user_namespaces": 0}, ("user.max_user_namespaces=",)),
        ({"in_container": True}, ("--privileged", "seccomp=unconfined")),
        ({}, ("microloop doctor",)),
    ],
)
def test_the_likely_cause_is_named_with_what_mends_it(
    change: dict[str, object], mended_by: tuple[str, ...]
) -> None:
    error = explained("setting up uid map: Permission denied", msgspec.structs.replace(FACTS, **change))
    assert all(words in error.hint for words in mended_by), error.hint


def test_an_old_bubblewrap_is_said_to_be_old() -> None:
    assert "too old" in explained("Unknown option --perms", FACTS).hint
