"""What every backend does alike; where a boundary is not claimed, that it is reported as missing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from microloop_cli.backends.base import BOUNDARIES
from tests.backends.world import World, processes_saying, wait_for

FIVE_MB = 5_000_000


def claims(world: World) -> dict[str, str]:
    """The boundaries the plan says are enforced."""
    started = world.start(["true"])
    enforced: dict[str, str] = started.state()["plan"]["enforcement"]["enforced"]
    started.process.communicate()
    return enforced


def test_every_boundary_is_either_enforced_or_said_to_be_missing(world: World) -> None:
    started = world.start(["true"])
    enforcement = started.state()["plan"]["enforcement"]
    started.process.communicate()
    assert {*enforcement["enforced"], *enforcement["missing"]} == set(BOUNDARIES)
    assert not {*enforcement["enforced"]} & {*enforcement["missing"]}
    if not world.contained:
        assert {"filesystem", "home", "network", "processes", "privileges"} <= {*enforcement["missing"]}


def test_the_workspace_has_the_same_absolute_path_inside_and_its_files_stay(world: World) -> None:
    (world.workspace / "before.txt").write_text("from the host")
    assert world.sh("pwd; cat before.txt; echo from inside > after.txt").split("\n")[0] == str(
        world.workspace
    )
    assert (world.workspace / "after.txt").read_text() == "from inside\n"
    assert (world.workspace / "after.txt").stat().st_uid == world.workspace.stat().st_uid


def test_the_home_is_private_writable_empty_and_gone_afterwards(contained: World) -> None:
    seen = contained.sh('echo "$HOME"; ls -A "$HOME"; echo x > "$HOME/.agentrc"; cat "$HOME/.agentrc"')
    assert seen == "/home/agent\nx\n"
    assert contained.sh('ls -A "$HOME"') == ""
    assert not Path("/home/agent/.agentrc").exists()


def test_tmp_is_private_writable_and_programs_in_it_can_be_executed(contained: World) -> None:
    name = f"microloop-{uuid.uuid4().hex}"
    script = f"for d in /tmp /var/tmp /dev/shm; do echo here > $d/{name} || exit 1; done; echo $TMPDIR"
    assert contained.sh(script) == "/tmp\n"
    assert not any(Path(d, name).exists() for d in ("/tmp", "/var/tmp", "/dev/shm"))
    assert (
        contained.sh("cp /bin/true /tmp/mine && /tmp/mine && cp /bin/true ~/mine && ~/mine && echo ran")
        == "ran\n"
    )


def test_nothing_of_the_host_but_the_workspace_is_there(contained: World) -> None:
    hidden = [contained.outside, "/var/run/docker.sock", "/run/docker.sock", "/var/lib", "/mnt", "/srv/x"]
    hidden += [contained.top / "run1" / "spec.json", contained.top / "run1" / "channel" / "passwd"]
    hidden += [
        Path.home() / name for name in (".ssh", ".bashrc", ".profile", ".config", ".gitconfig", ".npmrc")
    ]
    script = 'for p in %s; do [ -e $p ] && [ ! -d $p -o -n "$(ls -A $p 2>/dev/null)" ] && echo $p; done; true'
    seen = contained.sh(script % " ".join(map(str, hidden))).split()
    if contained.backend == "docker":  # directories of the image, not of the host
        seen = [path for path in seen if path not in ("/var/lib", "/mnt")]
    assert seen == []


def test_the_bundle_cannot_be_read_or_written_inside(contained: World) -> None:
    assert contained.sh("ls -A .microloop; echo x 2>/dev/null > .microloop/x || echo refused") == "refused\n"
    assert contained.run(["rm", "-rf", ".microloop"]).returncode != 0
    assert (contained.workspace / ".microloop" / "runs" / "secret").read_text() == "the bundle of this run"


def test_secrets_of_etc_cannot_be_read(contained: World) -> None:
    private = [path for path in Path("/etc").rglob("*") if path.is_file() and not path.stat().st_mode & 0o004]
    script = f"for p in {' '.join(map(str, private))}; do cat $p; done 2>/dev/null; true"
    assert contained.sh(script) == ""
    if os.getuid() == 0:
        assert private, "this host has no private file in /etc to try with"


def test_the_accounts_name_the_agent_and_none_of_the_hosts_users(contained: World) -> None:
    assert contained.sh("id -un; cut -d: -f1 /etc/passwd").split() == ["agent", "agent", "root", "nobody"]


def test_the_system_is_read_only(contained: World) -> None:
    places = "/ /usr /etc /opt /bin /dev /run/microloop /proc/sys /home"
    script = f"for d in {places}; do touch $d/microloop-x 2>/dev/null && echo $d; done; true"
    assert contained.sh(script) == ""


def test_the_kernels_settings_cannot_be_changed_even_where_root_runs_it(contained: World) -> None:
    script = (
        "cd /proc/sys; cat kernel/core_pattern 2>/dev/null > /tmp/v; "
        "cat /tmp/v 2>/dev/null > kernel/core_pattern && echo changed; "
        "[ -w /proc/sysrq-trigger ] && echo sysrq; [ -w /proc/sys/vm/drop_caches ] && echo vm; true"
    )
    assert contained.sh(script) == ""


def test_without_network_there_is_only_loopback_and_no_route(contained: World) -> None:
    interfaces = contained.sh("tail -n +3 /proc/net/dev | cut -d: -f1").split()
    assert interfaces == ["lo"]
    assert len(contained.sh("cat /proc/net/route").splitlines()) <= 1
    assert "127.0.0.1" in contained.sh("cat /proc/net/fib_trie")


def test_with_the_hosts_network_the_plan_says_that_it_is_not_contained(contained: World) -> None:
    started = contained.start(["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1"], network="host")
    assert "network" in started.state()["plan"]["enforcement"]["missing"]
    out, _ = started.process.communicate()
    on_the_host = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    assert out.decode().split() == on_the_host


def test_no_capability_is_held_and_none_can_be_gained(contained: World) -> None:
    text = contained.sh("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")
    status = dict(line.split(":\t") for line in text.splitlines())
    assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")), status
    allowed = 1 << 19 if contained.backend == "docker" else 0  # SYS_PTRACE, in the bounding set only
    assert int(status["CapBnd"], 16) in (0, allowed)
    assert status["NoNewPrivs"] == "1"


def test_the_agent_is_not_root(contained: World) -> None:
    assert int(contained.sh("id -u")) != 0


def test_only_processes_of_the_sandbox_are_to_be_seen(contained: World) -> None:
    assert "guard" in contained.sh("cat /proc/1/comm")
    assert max(int(pid) for pid in contained.sh("ls /proc | grep -E '^[0-9]+$'").split()) < 100


def test_stdin_stdout_and_stderr_pass_through_exactly(world: World) -> None:
    data = os.urandom(FIVE_MB)
    done = world.run(["sh", "-c", "tee /dev/stderr"], stdin=data)
    assert done.returncode == 0
    assert done.stdout == data
    assert done.stderr == data


def test_the_end_of_stdin_reaches_the_agent(world: World) -> None:
    assert world.run(["sh", "-c", "cat; echo end"], stdin=b"").stdout == b"end\n"


@pytest.mark.parametrize("code", [0, 42, 125, 255])
def test_exit_codes_are_the_agents_own(world: World, code: int) -> None:
    assert world.run(["sh", "-c", f"exit {code}"]).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT])
def test_death_by_a_signal_is_128_and_its_number(world: World, number: signal.Signals) -> None:
    assert world.run(["sh", "-c", f"kill -{int(number)} $$"]).returncode == 128 + number


def test_kill_leaves_no_process(world: World) -> None:
    mark = uuid.uuid4().hex
    background = "" if world.backend == "fake" else f"setsid sh -c 'sleep 300; echo {mark}' & "
    started = world.start(["sh", "-c", f"{background} sh -c 'sleep 300; echo {mark}'"])
    state = started.state()
    wait_for(lambda: len(processes_saying(mark)) >= (2 if background else 1))
    assert state["host_pid"] is not None or world.backend == "fake"  # which starts it after the hello
    begin = time.monotonic()
    started.ask_for_kill()
    started.process.communicate(timeout=20)
    assert time.monotonic() - begin < 10
    assert started.process.returncode in (137, 125)
    assert processes_saying(mark) == []


def test_kill_minus_9_of_the_launcher_leaves_no_process(world: World) -> None:
    if world.backend == "fake":
        pytest.skip("the fake guard lives in the launcher")
    mark = uuid.uuid4().hex
    started = world.start(["sh", "-c", f"sh -c 'sleep 300; echo {mark}' & sleep 300; echo {mark}"])
    state = started.state()
    wait_for(lambda: processes_saying(mark))
    if world.user is None:
        started.process.send_signal(signal.SIGKILL)
    else:  # runuser stays in between
        os.kill(int(Path(f"/proc/{started.process.pid}/task/{started.process.pid}/children").read_text()), 9)
    started.process.communicate(timeout=20)
    wait_for(lambda: not processes_saying(mark), seconds=10)
    if state["container"]:
        subprocess.run(["docker", "rm", "-f", state["container"]], check=False, capture_output=True)


def test_the_environment_holds_what_was_named_and_no_secret_of_the_host(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-the-host")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/secret")
    text = world.sh("env", env={"NAMED": "by the user"})
    seen = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert seen["NAMED"] == "by the user"
    assert not {"OPENAI_API_KEY", "SSH_AUTH_SOCK", "MICROLOOP_NONCE", "PYTHONPATH"} & set(seen)
    if world.contained:
        assert seen["HOME"] == "/home/agent"
        assert seen["USER"] == "agent"
        assert seen["TMPDIR"] == "/tmp"


def test_values_of_the_environment_are_on_no_command_line(bwrap: World) -> None:
    mark = uuid.uuid4().hex
    started = bwrap.start(["sleep", "30"], env={"API_KEY": mark})
    started.state()
    assert processes_saying(mark) == []
    started.end()


def test_a_closed_stdin_is_an_empty_one(world: World) -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *world._argv(world.spec(["sh", "-c", "cat; echo end"]))]
    done = subprocess.run(command, capture_output=True, env=world.environment(), timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, b"end\n"), done.stderr


def test_an_argument_too_long_for_the_kernel_is_said(bwrap: World) -> None:
    done = bwrap.run(["echo", "x" * 200_000])
    assert done.returncode == 125
    assert b"Argument list too long" in done.stderr
    assert b"in a file" in done.stderr
