"""Docker: limits that hold, the terminal, and each way a daemon can fail."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from microloop_cli.backends.docker_image import built_tag
from microloop_cli.backends.docker_plan import container_user, create_arguments
from microloop_cli.errors import SandboxError, UsageError
from tests.backends.daemon_proxy import between, refusal
from tests.backends.sample_request import request_for
from tests.backends.world import IMAGE, World, make_world
from tests.needs import need_docker_image

pytestmark = pytest.mark.docker


def leftovers(world: World) -> list[str]:
    """Containers of this world's runs that still exist."""
    done = subprocess.run(
        ["docker", "ps", "--all", "--no-trunc", "--format", "{{.Mounts}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if world.top.name in line]


def test_no_container_is_left(docker: World) -> None:
    docker.sh("true")
    assert leftovers(docker) == []


def test_memory_is_limited_and_running_out_of_it_is_said(docker: World) -> None:
    hog = "x = b''\nwhile True: x += b'x' * (8 << 20)"
    done = docker.run(["sh", "-c", f'python3 -c "{hog}"; echo survived $?'], memory_mib=96)
    assert done.stdout == b"survived 137\n"
    assert b"remark: the sandbox reached its memory limit" in done.stderr


def test_a_fork_bomb_is_bounded(docker: World) -> None:
    script = "for i in $(seq 200); do sleep 3 & done 2>/dev/null; echo not reached"
    done = docker.run(["sh", "-c", script], pids=40)
    assert done.returncode != 0 or b"not reached" not in done.stdout


def test_cpu_and_pids_limits_arrive(docker: World) -> None:
    script = (
        "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null;"
        "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; true"
    )
    limits = docker.sh(script, pids=77, cpus=0.5).split()
    assert limits[:2] == ["77", "50000"]


def test_the_image_may_have_a_health_check_and_an_entrypoint_that_never_run(docker: World) -> None:
    create = create_arguments(request_for(docker.top, workspace=docker.workspace), IMAGE, "1000:1000", {})
    assert create["healthcheck"] == {"test": ["NONE"]}
    assert create["entrypoint"] == ["/run/microloop/guard"]


def test_a_proxy_of_the_users_docker_settings_does_not_reach_the_agent(
    docker: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docker.top / "config.json").write_text(
        '{"proxies": {"default": {"httpProxy": "http://user:password@proxy:1"}}}'
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(docker.top))
    assert "password" not in docker.sh("env")


def test_a_workspace_of_root_is_refused_with_what_to_do(docker: World) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root to make a directory of root's")
    os.chown(docker.workspace, 0, 0)
    done = docker.run(["true"])
    assert done.returncode == 125
    assert b"must not be root" in done.stderr
    assert b"chown -R 1000:1000" in done.stderr


def test_another_user_may_be_named_but_not_root(tmp_path: Path) -> None:
    assert container_user(request_for(tmp_path, user="1234:1234")) == "1234:1234"
    for user in ("root", "0", "0:0", "00:5"):
        with pytest.raises(UsageError, match="root"):
            container_user(request_for(tmp_path, user=user))


def test_a_named_user_runs_the_agent(docker: World) -> None:
    docker.workspace.chmod(0o777)
    assert docker.sh("id -u; id -g; echo x > made; echo $HOME; touch ~/x", user="1234:1235").split()[:2] == [
        "1234",
        "1235",
    ]
    assert (docker.workspace / "made").stat().st_uid == 1234


def test_an_image_that_does_not_exist_is_said(docker: World) -> None:
    done = docker.run(["true"], image="microloop-no-such-image:1")
    assert done.returncode == 125
    assert b"microloop-no-such-image:1 is not on this machine" in done.stderr
    assert b"docker pull" in done.stderr


def test_a_daemon_that_is_not_running_is_said(docker: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker.top}/no.sock")
    done = docker.run(["true"])
    assert done.returncode == 125
    assert b"daemon is not running" in done.stderr
    assert b"systemctl start docker" in done.stderr


def test_a_daemon_one_may_not_use_is_said(docker: World, ordinary_user: str) -> None:
    from tests.backends.conftest import python_for

    other = make_world("docker", ordinary_user)
    other.python, other.variables["PYTHONPATH"] = python_for(ordinary_user)
    done = other.run(["true"])
    shutil.rmtree(other.top)
    assert done.returncode == 125
    assert b"permission denied" in done.stderr
    assert b"usermod -aG docker" in done.stderr


def test_a_daemon_elsewhere_is_refused(docker: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    done = docker.run(["true"])
    assert done.returncode == 125
    assert b"not on this machine" in done.stderr


def test_a_guard_for_another_machine_than_the_image_is_said(docker: World) -> None:
    done = docker.run(["true"], image=image_for_another_machine())
    subprocess.run(["docker", "rmi", "-f", OTHER_MACHINE], capture_output=True, check=False)
    assert done.returncode == 125
    assert b"is for arm64, the guard for amd64" in done.stderr


OTHER_MACHINE = "microloop-test-other-machine:latest"


def image_for_another_machine() -> str:
    """An empty image that says it is for arm64 (this test runs on amd64)."""
    if os.uname().machine != "x86_64":
        pytest.skip("made for x86-64 hosts")
    layer = b"\0" * 10240  # an empty tar archive
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    config = {"architecture": "arm64", "os": "linux", "config": {}, "rootfs": rootfs}
    manifest = [{"Config": "config.json", "RepoTags": [OTHER_MACHINE], "Layers": ["layer.tar"]}]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in (("layer.tar", layer), ("config.json", config), ("manifest.json", manifest)):
            content = data if isinstance(data, bytes) else json.dumps(data).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    subprocess.run(["docker", "load"], input=archive.getvalue(), capture_output=True, check=True)
    return OTHER_MACHINE


@pytest.fixture
def local_base(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The test image under a name of its own, so that what is built on it is built anew."""
    name = f"microloop-test-base-{uuid.uuid4().hex[:8]}:latest"
    subprocess.run(["docker", "tag", need_docker_image(IMAGE), name], check=True)
    monkeypatch.setenv("MICROLOOP_DOCKER_BASE", name)
    yield name
    for image in (built_tag(name), name):
        subprocess.run(["docker", "rmi", image], capture_output=True, check=False)


@pytest.mark.slow
def test_without_an_image_one_is_built_on_a_complete_base_without_network(
    docker: World, local_base: str
) -> None:
    assert docker.sh("id -un; command -v git", image=None).split() == ["agent", "/usr/bin/git"]
    started = docker.start(["true"], image=None)
    assert built_tag(local_base) in started.state()["plan"]["notes"][0]
    started.process.communicate()


def test_a_base_that_is_not_there_is_an_error_that_names_it(
    docker: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROLOOP_DOCKER_BASE", "localhost:1/no-such-base:1")
    done = docker.run(["true"], image=None)
    assert done.returncode == 125
    assert b"could not be built on localhost:1/no-such-base:1" in done.stderr


def test_the_builtin_image_is_named_by_what_it_is_made_of() -> None:
    assert built_tag("debian:bookworm-slim") == built_tag("debian:bookworm-slim")
    assert built_tag("debian:bookworm-slim") != built_tag("debian:trixie-slim")


@pytest.mark.parametrize(
    ("request_line", "told"),
    [(b"/attach?", "no day for it"), (b"/start", "no day for it"), (b"/start", "broke off")],
)
def test_a_container_that_does_not_start_is_told_and_removed(
    docker: World, monkeypatch: pytest.MonkeyPatch, request_line: bytes, told: str
) -> None:
    answer = b"" if told == "broke off" else refusal(told)
    monkeypatch.setenv("DOCKER_HOST", between(docker.top / "d.sock", request_line, lambda: answer))
    done = docker.run(["touch", "ran"])
    assert done.returncode == 125
    assert b"could not start the container: " in done.stderr
    assert told.encode() in done.stderr
    assert leftovers(docker) == []
    assert not (docker.workspace / "ran").exists()


def test_a_plan_needs_no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from microloop_cli.backends.docker import DockerBackend

    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    plan = DockerBackend().plan(request_for(tmp_path, user="1000:1000", memory_mib=64))
    assert plan.enforcement.enforced["memory"] == "64 MiB, no swap"


def test_an_owner_other_than_root_is_the_agent(tmp_path: Path) -> None:
    request = request_for(tmp_path)
    if os.getuid() == 0:
        with pytest.raises(SandboxError, match="belongs to root"):
            container_user(request)
        os.chown(request.workspace, 1000, 1001)
        assert container_user(request) == "1000:1001"
    else:
        assert container_user(request) == f"{os.getuid()}:{request.workspace.stat().st_gid}"


def test_a_reader_that_never_reads_does_not_outlive_a_kill(docker: World) -> None:
    started = docker.start(["sh", "-c", "head -c 5000000 /dev/zero; sleep 60"])
    started.state()
    time.sleep(0.5)  # nobody reads the pipe: the output is stuck
    started.ask_for_kill()
    assert started.process.wait(timeout=20) in (137, 125)
    started.process.communicate()


def answer_nonsense(listener: socket.socket) -> None:
    client, _ = listener.accept()
    client.recv(1000)
    client.sendall(b"220 hello\r\n")


def test_what_listens_must_be_a_docker_daemon(docker: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(docker.top / "other.sock"))
        listener.listen()
        threading.Thread(target=answer_nonsense, args=(listener,), daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{docker.top}/other.sock")
        assert b"is no Docker daemon" in docker.run(["true"]).stderr
