"""`microloop gateway` in front of an agent that knows nothing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from microloop_cli.testing.model import ScriptedModel
from tests.e2e.running import microloop_argv, outside_environment

AGENT = """
import json, os, sys, urllib.error, urllib.request
print(os.environ["OPENAI_API_KEY"])
for n in range(int(sys.argv[1])):
    body = json.dumps({"model": "gpt-4o", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]})
    ask = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body.encode(),
                                 {"Content-Type": "application/json", "Authorization": "Bearer x"})
    try:
        print(urllib.request.urlopen(ask).status)
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["error"]["message"])
"""


def gateway(
    url: str, *arguments: str, calls: int = 3, state: Path = Path("/dev/null/none")
) -> subprocess.CompletedProcess[str]:
    environment = {**outside_environment(), "OPENAI_API_KEY": "sk-real-key", "OPENAI_BASE_URL": f"{url}/v1"}
    environment["XDG_STATE_HOME"] = str(state)
    return subprocess.run(
        microloop_argv("gateway", *arguments, "--", sys.executable, "-c", AGENT, str(calls)),
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_agents_calls_are_counted_in_tokens_and_dollars() -> None:
    with ScriptedModel(["ls"]) as model:
        done = gateway(model.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[1:4] == ["200"] * 3
    assert "3 model calls, 3,150 tokens, $0.0090" in done.stderr


def test_the_agent_never_sees_the_real_key() -> None:
    with ScriptedModel(["ls"]) as model:
        done = gateway(model.url)
    assert "sk-real-key" not in done.stdout + done.stderr
    assert done.stdout.startswith("microloop-")


def test_a_limit_that_is_reached_is_told_to_both_sides_and_is_exit_code_122() -> None:
    with ScriptedModel(["ls"]) as model:
        done = gateway(model.url, "--max-model-calls", "2")
    assert done.returncode == 122
    assert "402 microloop: " in done.stdout
    assert "--max-model-calls" in done.stdout
    assert "--max-model-calls" in done.stderr
    assert len(model.asked) == 2


def test_an_agent_that_asks_on_and_on_is_ended() -> None:
    with ScriptedModel(["ls"]) as model:
        done = gateway(model.url, "--max-model-calls", "1", calls=100_000)
    assert done.returncode == 122
    assert len(model.asked) == 1


def test_a_days_budget_is_shared_by_all_runs(tmp_path: Path) -> None:
    with ScriptedModel(["ls"]) as model:
        first = gateway(model.url, "--max-day-cost", "0.007", state=tmp_path, calls=2)
        second = gateway(model.url, "--max-day-cost", "0.007", state=tmp_path, calls=3)
    assert (first.returncode, second.returncode) == (0, 122), second.stderr
    assert "402 microloop: " in second.stdout
    assert "day" in second.stderr
    assert len(model.asked) == 3


def test_what_cannot_be_is_said_with_exit_code_2_or_127() -> None:
    for arguments, words in (
        (["--max-cost", "much"], "no amount of dollars"),
        (["--max-cost", "-1"], "no amount of dollars"),
        (["--upstream", "openai"], "PROVIDER=URL"),
        (["--upstream", "acme=http://x"], "PROVIDER=URL"),
        (["--upstream", "openai=ftp://x"], "no address"),
        (["--json", "--", "true"], "stdout"),
    ):
        done = subprocess.run(
            microloop_argv("gateway", *arguments), capture_output=True, text=True, check=False
        )
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    # A folder of PATH that cannot be entered is what an ordinary user may find there.
    barred = {**outside_environment(), "PATH": f"/proc/1/cwd:{os.environ['PATH']}"}
    missing = subprocess.run(
        microloop_argv("gateway", "--", "no-such-agent"),
        env=barred,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (missing.returncode, "command not found" in missing.stderr) == (127, True)


def test_an_agent_that_cannot_be_executed_is_exit_code_126(tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text("not a program")
    for mode in (0o644, 0o755):
        agent.chmod(mode)
        done = subprocess.run(
            microloop_argv("gateway", "--", str(agent)), capture_output=True, text=True, check=False
        )
        assert (done.returncode, "cannot be executed" in done.stderr) == (126, True)


def test_without_an_agent_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    with ScriptedModel(["ls"]) as model:
        environment = {**outside_environment(), "OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "k"}
        with subprocess.Popen(
            microloop_argv("gateway", "--json"),
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as serving:  # fmt: skip
            assert serving.stderr is not None
            address = serving.stderr.readline().split()[-1]
            client = [sys.executable, "-c", AGENT, "2"]
            given = {**os.environ, "OPENAI_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": "k"}
            subprocess.run(client, env=given, check=True, capture_output=True)
            serving.send_signal(signal.SIGTERM)
            output, _ = serving.communicate(timeout=20)
    document = json.loads(output)
    assert serving.returncode == 0
    assert (document["model_calls"], document["cost_usd"]) == (2, "0.006")
    assert document["calls"][0]["usage"]["input_tokens"] == 1000
