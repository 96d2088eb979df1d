"""Docker and the terminal: Docker tells a terminal's size late, so the agent must wait for it."""

from __future__ import annotations

import os
import pty
import subprocess
import termios
import time

import pytest

from tests.backends.daemon_proxy import between, refusal
from tests.backends.test_terminal import ALL_TTYS, on_a_terminal
from tests.backends.world import World

pytestmark = pytest.mark.docker

RESIZE = b"/resize?"
SLOW_SECONDS = 1.0


def test_an_agent_never_sees_a_terminal_without_a_size_however_late_docker_tells_it(
    docker: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", between(docker.top / "slow.sock", RESIZE, slowly))
    output, code = on_a_terminal(docker, ALL_TTYS + "stty size; exit 3")
    assert b"33 101\r" in output
    assert code == 3


def test_a_daemon_that_refuses_a_size_is_asked_again(docker: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bytes | None] = [refusal("too busy"), refusal("too busy"), None]
    monkeypatch.setenv("DOCKER_HOST", between(docker.top / "busy.sock", RESIZE, lambda: answers.pop(0)))
    output, code = on_a_terminal(docker, "stty size; exit 3")
    assert b"33 101\r" in output
    assert code == 3
    assert answers == []


def test_an_agent_is_not_started_where_no_size_can_be_told(
    docker: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", between(docker.top / "busy.sock", RESIZE, lambda: refusal("too busy")))
    output, code = on_a_terminal(docker, "touch ran")
    assert b"could not set the terminal's size: too busy" in output
    assert code == 125
    assert not (docker.workspace / "ran").exists()


def test_the_terminal_is_given_back_as_it_was(docker: World) -> None:
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    spec = docker.spec(["sh", "-c", "test -t 0 && exit 5"], interactive=True)
    done = subprocess.run(
        docker._argv(spec),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=docker.environment(),
        check=False,
    )
    assert done.returncode == 5
    assert termios.tcgetattr(follower) == before
    os.close(leader)
    os.close(follower)


def slowly() -> None:
    time.sleep(SLOW_SECONDS)
