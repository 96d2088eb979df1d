"""The same run in every sandbox: what differs is what was enforced, and that stands in the bundle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.running import Finished, commands, microloop, output_of, run, script_agent
from tests.needs import need_bwrap, need_docker_image

EACH = [
    pytest.param("bwrap", id="bwrap"),
    pytest.param("none", id="none"),
    pytest.param("docker", id="docker", marks=pytest.mark.docker),
]


def _run(sandbox: str, folder: Path, script: str, *options: str) -> Finished:
    folder = folder / "workspace"
    folder.mkdir()
    if sandbox == "bwrap":
        need_bwrap()
    agent = script_agent(folder, script)
    image: list[str] = []
    if sandbox == "docker":
        image = ["--image", need_docker_image()]
        if os.getuid() == 0:
            for path in (folder, folder / "agent.sh"):
                os.chown(path, 1000, 1000)
    return run(folder, *image, *options, "--", *agent, sandbox=sandbox)


@pytest.mark.parametrize("sandbox", EACH)
def test_steps_outputs_changes_and_the_exit_code_are_the_same_everywhere(
    sandbox: str, tmp_path: Path
) -> None:
    script = "/bin/echo one\n/bin/sh -c 'echo two > made; exit 4'\nexit 7\n"
    done = _run(sandbox, tmp_path, script)
    assert (done.exit_code, done.stdout) == (7, "one\n"), done.said()
    document = done.inspect()
    assert commands(document) == ["/bin/echo one", "echo two > made; exit 4"]
    assert [step["exit_code"] for step in document["steps"]] == [0, 4]
    assert output_of(done.bundle, 1) == "one\n"
    assert [change["path"] for change in document["changed_files"]] == ["made"]
    verified = microloop(done.workspace, "verify")
    assert verified.exit_code == 0, verified.said()


@pytest.mark.parametrize("sandbox", EACH)
def test_going_in_circles_is_stopped_everywhere(sandbox: str, tmp_path: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do /bin/sh -c 'echo same; exit 1'; done\n"
    done = _run(sandbox, tmp_path, script)
    assert done.exit_code == 120, done.said()
    assert done.inspect()["outcome"] == "no_progress"


@pytest.mark.parametrize("sandbox", EACH)
def test_the_bundle_says_what_was_and_was_not_enforced(sandbox: str, tmp_path: Path) -> None:
    about = _run(sandbox, tmp_path, "exit 0\n").inspect()["sandbox"]
    assert about["backend"] == sandbox
    assert set(about["enforced"]).isdisjoint(about["missing"])
    contained = {"filesystem", "home", "network", "processes", "privileges"}
    if sandbox == "none":
        assert contained <= set(about["missing"])
        assert "intercept" in about["enforced"]
    else:
        assert contained | {"intercept", "capture"} <= set(about["enforced"])
    assert ("memory" in about["enforced"]) == (sandbox == "docker")
