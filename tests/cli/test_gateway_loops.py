"""`microloop gateway` sees an agent go in circles by its tool calls, and takes its policy as a run does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.looping_upstream import AGENT, LoopingUpstream
from tests.e2e.running import microloop_argv, outside_environment

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + AGENT

# Four subagents side by side: each reads the same file, twice.
SUBAGENTS = """
import json, os, urllib.request
talks = [[{"role": "user", "content": "go"}] for _ in range(4)]
for turn in range(3):
    for messages in talks:
        body = json.dumps({"model": "gpt-4o", "max_tokens": 100, "messages": messages}).encode()
        ask = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body,
                                     {"Content-Type": "application/json"})
        said = json.load(urllib.request.urlopen(ask))["choices"][0]["message"]
        call = said["tool_calls"][0]["id"]
        messages += [said, {"role": "tool", "tool_call_id": call, "content": "def f(): ..."}]
"""


def environment(upstream: LoopingUpstream, **more: str) -> dict[str, str]:
    address = {"OPENAI_BASE_URL": f"{upstream.url}/v1", "OPENAI_API_KEY": "sk-real-key"}
    return {**outside_environment(), **address, **more}


def gateway(
    upstream: LoopingUpstream,
    *options: str,
    agent: str = AGENT,
    asks_on: int = 0,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        microloop_argv("gateway", *options, "--", sys.executable, "-c", agent, str(asks_on)),
        env=environment(upstream, **(env or {})), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def policy(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(f"schema: 1\n{text}")
    return str(path)


def test_an_agent_in_circles_is_nudged_refused_and_stopped_with_120() -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream)
    assert done.returncode == 120, done.stderr
    assert len(upstream.bodies) == 6
    told = upstream.results
    assert told[:2] == ["def f(): ..."] * 2
    assert told[2].startswith("def f(): ...\nmicroloop: `Read a.py` has given the same result 3 times")
    assert [text.startswith("microloop: refused: ") for text in told[3:5]] == [True, True]
    assert "402 false microloop: this run was stopped" in done.stdout
    assert "has given the same result 6 times" in done.stdout
    lines = done.stderr.splitlines()
    assert "microloop: step 3 nudged: repeat of 1, 2" in lines
    assert "microloop: step 4 refused: repeat of 1, 2, 3" in lines
    assert any(line.startswith("microloop: stopping: `Read a.py` has given") for line in lines)
    assert lines[-1].endswith("6 tool calls, 4 findings; no_progress, exit 120")


def test_the_call_that_would_be_one_too_many_is_not_paid_for() -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream, asks_on=3)
    assert (done.returncode, len(upstream.bodies)) == (120, 6)
    assert done.stdout.count("402 false microloop: this run was stopped") == 4
    assert "6 model calls, 6,300 tokens, $0.0180;" in done.stderr


def test_subagents_that_read_the_same_file_are_left_alone() -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream, agent=SUBAGENTS)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].endswith("12 model calls, 12,600 tokens, $0.0360; 12 tool calls")
    assert upstream.results == ["def f(): ..."] * 2


def test_an_agent_that_will_not_end_is_ended_kindly_then_hard(tmp_path: Path) -> None:
    given = policy(tmp_path, "limits: {grace_seconds: 0.2}\n")
    with LoopingUpstream() as upstream:
        done = gateway(upstream, "--policy", given, agent=STUBBORN, asks_on=100_000)
    assert (done.returncode, len(upstream.bodies)) == (120, 6)


def test_what_is_only_observed_is_told_and_never_stopped(tmp_path: Path) -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream, "--policy", "observe", "--max-model-calls", "9")
    assert (done.returncode, len(upstream.bodies)) == (122, 9)
    assert set(upstream.results) == {"def f(): ..."}
    assert "microloop: step 3 noted: repeat of 1, 2" in done.stderr


def test_a_policy_sets_ladders_and_limits_and_an_option_wins(tmp_path: Path) -> None:
    ladder = policy(tmp_path, "progress: {repeat: {nudge: 2, refuse: null, stop: 3}}\n")
    with LoopingUpstream() as upstream:
        assert gateway(upstream, "--policy", ladder).returncode == 120
        assert len(upstream.bodies) == 3
    limit = policy(tmp_path, "limits: {model_calls: 2, steps: 4}\n")
    with LoopingUpstream() as upstream:
        assert gateway(upstream, "--policy", limit).returncode == 122
        assert len(upstream.bodies) == 2
    with LoopingUpstream() as upstream:
        assert gateway(upstream, "--policy", limit, "--max-model-calls", "30").returncode == 121
        assert len(upstream.bodies) == 5


def test_a_limit_of_time_ends_an_agent_that_says_nothing(tmp_path: Path) -> None:
    given = policy(tmp_path, "limits: {wall_seconds: 0.5, grace_seconds: 0.2}\n")
    with LoopingUpstream() as upstream:
        done = gateway(upstream, "--policy", given, agent="import time; time.sleep(60)")
    assert done.returncode == 124, done.stderr


def test_keys_prices_and_upstreams_are_those_of_the_policy(tmp_path: Path) -> None:
    agent = (
        "import os; print(os.environ.get('MY_KEY'), os.environ['OPENAI_API_KEY'][:16], flush=True)\n" + AGENT
    )
    with LoopingUpstream() as upstream:
        given = policy(
            tmp_path,
            f"model:\n  upstreams: {{openai: {upstream.url}/v1}}\n  keys: {{openai: env:MY_KEY}}\n"
            "  prices: [{model: gpt-4o, input_usd_per_mtok: 1000, output_usd_per_mtok: 0}]\n",
        )
        named = {"MY_KEY": "sk-from-elsewhere", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
        done = gateway(upstream, "--policy", given, agent=agent, env=named)
    assert done.returncode == 120, done.stderr
    assert upstream.keys == {"Bearer sk-from-elsewhere"}
    assert done.stdout.splitlines()[0] == "None microloop-openai"
    assert "6 model calls, 6,300 tokens, $6.00" in done.stderr


def test_a_policy_without_a_way_to_models_is_no_policy_for_a_gateway() -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream, "--policy", "offline")
    assert (done.returncode, "model.gateway" in done.stderr) == (2, True)


def test_the_json_of_a_gateway_that_serves_has_findings_and_tool_calls() -> None:
    with LoopingUpstream() as upstream:
        serving = subprocess.Popen(
            microloop_argv("gateway", "--json"),
            env=environment(upstream), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with serving:
            assert serving.stderr is not None
            address = serving.stderr.readline().split()[-1]
            given = {**os.environ, "OPENAI_BASE_URL": f"{address}/v1"}
            agent = subprocess.run(
                [sys.executable, "-c", AGENT, "0"], env=given, check=False, capture_output=True
            )
            serving.send_signal(signal.SIGTERM)
            output, _ = serving.communicate(timeout=20)
    document = json.loads(output)
    assert (agent.returncode, serving.returncode) == (7, 120)
    assert (document["outcome"], document["exit_code"], document["limit_reached"]) == (
        "no_progress",
        120,
        False,
    )
    assert [each["answer"] for each in document["findings"]] == ["nudge", "refuse", "refuse", "stop"]
    answers = ["pass", "pass", "append", "replace", "replace", "pass"]
    assert [each["answer"] for each in document["tool_calls"]] == answers
    first = document["tool_calls"][0]
    assert (first["tool"], first["command"], first["step"], first["conversation"]) == (
        "Read",
        "Read a.py",
        1,
        1,
    )
    assert (document["model_calls"], len(document["calls"])) == (6, 6)


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_agent_with_a_profile_comes_to_the_gateway_by_itself(tmp_path: Path) -> None:
    codex = program(tmp_path, "codex", 'printf "%s\\n" "$@"')
    with LoopingUpstream() as upstream:
        done = subprocess.run(
            microloop_argv("gateway", "--port", "0", "--", codex, "exec", "go"),
            env=environment(upstream), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'model_provider="microloop"' in done.stdout.splitlines()
    assert 'base_url="http://127.0.0.1:' in done.stdout
    assert "does the agent take its model's address from its environment?" in done.stderr


def test_a_file_that_an_agent_needs_in_home_is_named_and_not_made(tmp_path: Path) -> None:
    pi = program(tmp_path, "pi", "true")
    home = tmp_path / "home"
    home.mkdir()
    for times in (1, 0):
        with LoopingUpstream() as upstream:
            done = subprocess.run(
                microloop_argv("gateway", "--", pi),
                env=environment(upstream, HOME=str(home)),
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        assert done.stderr.count("pi may need ~/.pi/agent/models.json") == times
        assert not (home / ".pi").exists() or not times
        (home / ".pi" / "agent").mkdir(parents=True, exist_ok=True)
        (home / ".pi" / "agent" / "models.json").write_text("{}")


def test_a_proxy_of_the_user_is_not_asked_for_the_gateway() -> None:
    with LoopingUpstream() as upstream:
        done = gateway(upstream, env=dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9"))
    assert done.returncode == 120, done.stdout + done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_agent_as_in_a_run(number: signal.Signals, code: int) -> None:
    waits = "print('here', flush=True); import time; time.sleep(60)"
    with LoopingUpstream() as upstream:
        running = subprocess.Popen(
            microloop_argv("gateway", "-q", "--", sys.executable, "-c", waits),
            env=environment(upstream), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with running:
            assert running.stdout is not None
            assert running.stdout.readline() == "here\n"
            running.send_signal(number)
            _, said = running.communicate(timeout=20)
    assert (running.returncode, said) == (code, "")


def test_who_asks_twice_need_not_wait(tmp_path: Path) -> None:
    given = policy(tmp_path, "limits: {grace_seconds: 60}\n")
    stays = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('heard', flush=True))\n"
    stays += "print('here', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    with LoopingUpstream() as upstream:
        running = subprocess.Popen(
            microloop_argv("gateway", "--policy", given, "--", sys.executable, "-c", stays),
            env=environment(upstream), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with running:
            assert running.stdout is not None
            for word in ("here\n", "heard\n"):
                assert running.stdout.readline() == word
                running.send_signal(signal.SIGINT)
            running.communicate(timeout=20)
    assert running.returncode == 130
