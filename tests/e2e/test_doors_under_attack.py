"""Hostile agents, upstreams, users and bundles at the two doors: the run goes on or ends in order, and is counted."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from microloop_cli.testing.model import ScriptedModel
from tests.e2e.running import (
    Finished,
    bundles,
    finish,
    microloop,
    microloop_argv,
    outside_environment,
    processes_with,
    wait_until,
)
from tests.e2e.slow_model import SlowModel

AGENT = Path(__file__).with_name("hostile_agent.py")
KEY = "sk-live-77aa0de4c1b95f20"


def start(
    workspace: Path, url: str, does: str, *options: str, arguments: tuple[str, ...] = (), files: int = 1024
) -> subprocess.Popen[str]:
    """The hostile agent in a run of a shell that may open so many files."""
    shutil.copy(AGENT, workspace)
    run = microloop_argv(
        "run", f"--upstream=openai={url}", *options, "--", "python3", AGENT.name, does, *arguments
    )
    return subprocess.Popen(
        ["sh", "-c", 'ulimit -Sn "$0"; exec "$@"', str(files), *run],
        cwd=workspace, env={**outside_environment(), "OPENAI_API_KEY": KEY}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip


def check_bundle(done: Finished, outcome: str) -> None:
    """Each call has one end; the bundle is whole, and its replay gives the same verdicts."""
    assert [event["call"] for event in done.events("model_asked")] == sorted(
        event["call"] for event in done.events("model_answered")
    ), done.said()
    assert done.inspect()["outcome"] == outcome, done.said()
    assert microloop(done.workspace, "verify").exit_code == 0
    assert "the same as recorded" in microloop(done.workspace, "replay").stdout


def test_an_agent_with_thousands_of_connections_harms_nobody_but_itself(workspace: Path) -> None:
    with ScriptedModel([]) as model:
        done = finish(start(workspace, f"{model.url}/v1", "flood"), workspace)
    assert done.stdout.splitlines() == ["21411 900", "21412 900", "asked 200"], done.said()
    assert done.exit_code == 0, done.said()
    check_bundle(done, "ended")


def test_nonsense_at_the_doors_is_no_news_for_the_user(workspace: Path) -> None:
    with ScriptedModel([]) as model:
        done = finish(start(workspace, f"{model.url}/v1", "babble"), workspace)
    assert done.stdout == "asked 200\n", done.said()
    assert len(done.stderr.splitlines()) == 2, done.said()  # how it began, and how it ended
    check_bundle(done, "ended")


def test_calls_of_an_agent_that_has_gone_are_ended_charged_and_told(workspace: Path) -> None:
    with SlowModel() as model:
        done = finish(start(workspace, model.url, "leave"), workspace)
        assert model.asked == 4
    assert done.exit_code == 0, done.said()
    check_bundle(done, "ended")
    answered = done.events("model_answered")
    assert all(Decimal(event["cost_usd"]) > 0 for event in answered), answered
    spent = done.inspect()["model"]
    assert spent["calls"] == 4
    assert Decimal(spent["cost_usd"]) == sum(Decimal(event["cost_usd"]) for event in answered)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"]
)
def test_an_interrupt_in_the_middle_of_an_answer_ends_the_run_in_order(
    workspace: Path, number: signal.Signals, code: int
) -> None:
    with SlowModel() as model:
        process = start(workspace, model.url, "stay")
        wait_until(lambda: model.asked == 1, "the agent asks")
        process.send_signal(number)
        done = finish(process, workspace, timeout=15)
    assert done.exit_code == code, done.said()
    check_bundle(done, "interrupted")


@pytest.mark.parametrize("option", ["--max-time=1s"])
def test_an_upstream_that_never_ends_does_not_outlive_the_time_limit(workspace: Path, option: str) -> None:
    with SlowModel() as model:
        done = finish(start(workspace, model.url, "stay", option), workspace, timeout=15)
    assert done.exit_code == 124, done.said()
    check_bundle(done, "time_limit")


def test_a_killed_microloop_leaves_nothing_running_and_a_bundle_that_can_be_read(workspace: Path) -> None:
    with SlowModel() as model:
        mark = f"stay-{workspace.parent.name}"
        process = start(workspace, model.url, "stay", arguments=(mark,))
        wait_until(lambda: model.asked == 1, "the agent asks")
        process.kill()
        process.communicate()
        wait_until(lambda: processes_with(mark) == [], "the sandbox dies with its supervisor")
    assert "crashed" in microloop(workspace, "ls").stdout
    shown = microloop(workspace, "inspect")
    assert shown.exit_code == 0, shown.said()
    assert "microloop was killed" in shown.stdout


def test_no_spelling_of_the_hosts_loopback_is_reached_through_the_proxy(workspace: Path) -> None:
    asked: list[str] = []

    class Secret(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = HTTPServer(("127.0.0.1", 0), Secret)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    port = str(server.server_address[1])
    process = start(
        workspace, "http://127.0.0.1:9", "reach", "--allow", "*", "--allow", f"*:{port}", arguments=(port,)
    )
    done = finish(process, workspace)
    server.shutdown()
    server.server_close()
    answers = [line.split()[-1] for line in done.stdout.splitlines()]
    assert len(answers) == 32, done.said()
    assert set(answers) <= {"400", "403", "502"}, done.said()
    assert asked == []


BAD = [
    ("--upstream", "openai=http://[::1", "no address of a model server"),
    ("--upstream", "openai=http://me:hunter2@host", "no address of a model server"),
    ("--upstream", "openai=http://host:99999", "no address of a model server"),
    ("--upstream", "openai=http://host/\r\nX-A: b", "no address of a model server"),
    ("--replay-model", "../..", "--replay-model: cannot read the ledger"),
    ("--replay-model", "nope", "--replay-model: "),
    ("--max-cost", "nan", "--max-cost"),
    ("--allow", "http://host", "network.allow"),
]


@pytest.mark.parametrize(("option", "value", "said"), BAD)
def test_a_value_that_is_none_is_told_before_anything_is_started(
    workspace: Path, option: str, value: str, said: str
) -> None:
    done = microloop(workspace, "run", option, value, "--", "touch", "ran")
    assert done.exit_code == 2, done.said()
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert bundles(workspace) == []
    assert not (workspace / "ran").exists()


def test_limits_that_nobody_could_hold_are_refused(workspace: Path, tmp_path: Path) -> None:
    policy = tmp_path / "closed.yaml"
    policy.write_text("model: {gateway: false}\n")
    closed = ("run", "--policy", str(policy), "--max-cost", "1")
    assert microloop(workspace, *closed, "--", "true").exit_code == 0  # no network: nothing can be spent
    open_to_all = microloop(workspace, *closed, "--network", "host", "--", "true")
    assert open_to_all.exit_code == 2, open_to_all.said()
    assert "cannot be limited" in open_to_all.stderr


@pytest.fixture
def recorded(workspace: Path) -> Path:
    """A copy of a bundle with one recorded call, for a test to spoil."""
    with ScriptedModel([]) as model:
        done = finish(start(workspace, f"{model.url}/v1", "once", "--record-model"), workspace)
    assert done.exit_code == 0, done.said()
    return Path(shutil.copytree(done.bundle, workspace.parent / "given"))


def test_a_bundle_of_a_stranger_is_served_or_refused_and_never_followed(
    workspace: Path, recorded: Path
) -> None:
    request, answer, about = (recorded / f"model/0001.{end}" for end in ("request", "answer", "json"))
    secret = workspace.parent / "secret"
    secret.write_text("not yours")

    def replayed() -> Finished:
        options = ("--replay-model", str(recorded))
        return finish(start(workspace, "http://127.0.0.1:9", "once", *options), workspace)

    (recorded / "manifest.json").unlink()  # a run that crashed has recorded calls, too
    assert replayed().stdout == "asked 200\n"
    about.write_text(about.read_text().replace("application/json", "text/x\\r\\nX-Evil: 1"))
    odd = replayed()
    assert (odd.stdout, len(odd.stderr.splitlines())) == ("asked 200\n", 2), odd.said()
    request.unlink()
    request.symlink_to(secret)
    refused = replayed()
    assert (refused.exit_code, refused.stdout) == (2, ""), refused.said()
    request.unlink()
    with answer.open("r+b") as file:
        file.truncate(2**31)  # nothing on the disk
    request.write_bytes(b"{}")
    huge = replayed()
    assert (huge.exit_code, "larger than" in huge.stderr) == (2, True), huge.said()
