"""Model calls of a sandboxed agent: counted, limited, recorded, without a key, and their tool loops seen."""

from __future__ import annotations

import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from microloop_cli.testing.model import ScriptedModel
from microloop_cli.testing.script import ToolUse
from tests.e2e.running import (
    Finished,
    bundles,
    ledger,
    microloop,
    microloop_argv,
    outside_environment,
)
from tests.needs import need

KEY = "sk-live-4d1c8be2f07a9936"
CALL_USD = Decimal("0.003")  # 1000 tokens in and 50 out at the price of gpt-4o
AGENT = Path(__file__).with_name("tiny_agent.py")


def run_agent(
    workspace: Path,
    url: str,
    *options: str,
    sandbox: str = "bwrap",
    arguments: tuple[str, ...] = (),
    key: str = KEY,
    state: Path | None = None,
) -> Finished:
    shutil.copy(AGENT, workspace / "tiny_agent.py")
    agent = ["python3", str(workspace / "tiny_agent.py"), *arguments]
    done = subprocess.run(
        microloop_argv("run", "--sandbox", sandbox, f"--upstream=openai={url}", *options, "--", *agent),
        cwd=workspace, env={**outside_environment(), "OPENAI_API_KEY": key, **({} if state is None else {"XDG_STATE_HOME": str(state)})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=90, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr, workspace)


@pytest.mark.parametrize("sandbox", ["bwrap", "none"])
def test_model_calls_are_counted_in_tokens_and_dollars(workspace: Path, sandbox: str) -> None:
    with ScriptedModel(["echo one", "echo two"]) as model:
        done = run_agent(workspace, f"{model.url}/v1", sandbox=sandbox)
    assert done.exit_code == 0, done.said()
    spent = done.inspect()["model"]
    assert (spent["calls"], Decimal(spent["cost_usd"])) == (3, 3 * CALL_USD)
    assert len(model.asked) == 3
    assert "$0.009" in microloop(workspace, "inspect").stdout
    assert "ended, exit 0, $0.009" in done.stderr


def test_the_agent_has_a_placeholder_and_the_model_gets_the_key(workspace: Path) -> None:
    with ScriptedModel(["env; cat /proc/*/environ | tr '\\0' '\\n'"]) as model:
        done = run_agent(workspace, f"{model.url}/v1")
    assert done.exit_code == 0, done.said()
    assert model.keys == {f"Bearer {KEY}"}
    assert "OPENAI_API_KEY=microloop-openai-" in done.stdout
    holding = [path for path in workspace.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holding == []


@pytest.mark.parametrize("retries", [(), ("--retry",)])
def test_a_cost_limit_ends_the_run_with_122_whether_the_agent_gives_up_or_not(
    workspace: Path, retries: tuple[str, ...]
) -> None:
    with ScriptedModel([f"echo {n}" for n in range(40)]) as model:
        done = run_agent(workspace, f"{model.url}/v1", "--max-cost", "0.02", arguments=retries)
    assert done.exit_code == 122, done.said()
    assert "402" in done.stdout
    assert "microloop" in done.stdout
    spent = Decimal(done.inspect()["model"]["cost_usd"])
    assert Decimal("0.02") <= spent <= Decimal("0.02") + CALL_USD
    assert len(model.asked) == spent / CALL_USD
    warned = [event for event in done.events("limit_warning") if event["limit"] == "cost_usd"]
    assert len(warned) == 1


@pytest.mark.parametrize(("option", "most"), [("--max-model-calls=4", 4), ("--max-tokens=3000", 3)])
def test_calls_and_tokens_are_limits_too(workspace: Path, option: str, most: int) -> None:
    with ScriptedModel([f"echo {n}" for n in range(40)]) as model:
        done = run_agent(workspace, f"{model.url}/v1", option)
    assert done.exit_code == 122, done.said()
    assert len(model.asked) == most


def test_reading_one_file_again_and_again_is_nudged_refused_and_stopped_although_no_process_runs(
    workspace: Path,
) -> None:
    (workspace / "notes.txt").write_text("nothing new here\n")
    read = ToolUse(("Read",), {"path": str(workspace / "notes.txt")})
    with ScriptedModel([read], forever=True) as model:
        done = run_agent(workspace, f"{model.url}/v1")
    assert done.exit_code == 120, done.said()
    answers = [event["answer"] for event in done.events("finding")]
    assert answers[0] == "nudge"
    assert "refuse" in answers
    assert answers[-1] == "stop"
    assert len(done.inspect()["steps"]) <= 6


def test_each_command_is_linked_to_the_models_call_and_the_agents_own_is_not(workspace: Path) -> None:
    with ScriptedModel(["echo one", "echo two | cat"]) as model:
        done = run_agent(workspace, f"{model.url}/v1")
    steps = done.inspect()["steps"]
    assert [step["asked"] for step in steps] == [True, True], done.said()
    assert [Decimal(step["cost_usd"]) for step in steps] == [CALL_USD, CALL_USD]


def test_a_recorded_run_is_served_again_without_a_model_and_without_a_key(
    workspace: Path, tmp_path: Path
) -> None:
    with ScriptedModel(["echo one > new.txt", "cat new.txt; date; pwd"], "All good.") as model:
        first = run_agent(workspace, f"{model.url}/v1", "--record-model")
        asked = len(model.asked)
    assert first.exit_code == 0, first.said()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = run_agent(elsewhere, "http://127.0.0.1:9/v1", "--replay-model", str(first.bundle), key="")
    assert again.exit_code == 0, again.said()
    assert "All good." in again.stdout
    assert (elsewhere / "new.txt").read_text() == "one\n"
    spent = again.inspect()["model"]
    assert (spent["calls"], Decimal(spent["cost_usd"])) == (asked, Decimal(0))
    assert microloop(workspace, "verify").exit_code == 0


def test_a_request_that_was_not_recorded_is_an_error_that_shows_the_difference(
    workspace: Path, tmp_path: Path
) -> None:
    (workspace / "which.txt").write_text("apples\n")
    with ScriptedModel(["cat which.txt"]) as model:
        first = run_agent(workspace, f"{model.url}/v1", "--record-model")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "which.txt").write_text("pears\n")
    again = run_agent(elsewhere, "http://127.0.0.1:9/v1", "--replay-model", str(first.bundle), key="")
    assert again.exit_code == 1, again.said()
    assert "-tool: apples" in again.stdout
    assert "+tool: pears" in again.stdout
    assert again.events("model_refused")[0]["limit"] == "replay"


def test_no_secret_of_the_conversation_is_kept_in_a_recording(workspace: Path) -> None:
    planted = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA2cE4gI6kM8"
    (workspace / "token.txt").write_text(f"token={planted}\n")
    with ScriptedModel(["cat token.txt"]) as model:
        done = run_agent(workspace, f"{model.url}/v1", "--record-model")
    assert done.exit_code == 0, done.said()
    kept = [path for path in done.bundle.rglob("*") if path.is_file()]
    assert any(path.match("model/*.request") for path in kept)
    assert not [
        path for path in kept if planted.encode() in path.read_bytes() or KEY.encode() in path.read_bytes()
    ]


def test_without_a_gateway_there_is_no_way_to_a_model(workspace: Path) -> None:
    need("curl")
    policy = workspace.parent / "closed.yaml"
    policy.write_text("model:\n  gateway: false\n")
    (workspace / "agent.sh").write_text(
        "echo base=$OPENAI_BASE_URL; curl -sS -m 3 http://127.0.0.1:21411/ || echo shut\n"
    )
    done = microloop(workspace, "run", "--policy", str(policy), "--", "sh", str(workspace / "agent.sh"))
    assert "base=\n" in done.stdout, done.said()
    assert "shut" in done.stdout


def test_a_replay_of_the_bundle_gives_the_same_verdicts(workspace: Path) -> None:
    (workspace / "notes.txt").write_text("nothing new here\n")
    read = ToolUse(("Read",), {"path": "notes.txt"})
    with ScriptedModel([read, read, read, "echo on"]) as model:
        run_agent(workspace, f"{model.url}/v1")
    shown = microloop(workspace, "replay", bundles(workspace)[-1].name)
    assert shown.exit_code == 0, shown.said()
    assert "same verdicts" in shown.stdout or "same" in shown.stdout, shown.stdout
    assert any(event["type"] == "tool_verdict" for event in ledger(bundles(workspace)[-1]))


def test_a_client_that_asks_the_proxy_for_the_gateway_comes_to_the_gateway(workspace: Path) -> None:
    need("curl")
    script = "curl -sS --noproxy '' -x $HTTP_PROXY $OPENAI_BASE_URL/models; curl -sS -p --noproxy '' -x $HTTP_PROXY $OPENAI_BASE_URL/models\n"
    (workspace / "agent.sh").write_text(script)
    with ScriptedModel([]) as model:
        done = microloop(
            workspace, "run", f"--upstream=openai={model.url}/v1", "--", "sh", str(workspace / "agent.sh")
        )
    assert done.stdout.count('"object":"list"') == 2, done.said()
    assert done.events("network_asked") == []


def test_an_agent_that_will_find_no_key_is_told_of_before_it_fails(workspace: Path) -> None:
    environment = {name: value for name, value in outside_environment().items() if "KEY" not in name}
    done = subprocess.run(
        microloop_argv("run", "--agent", "claude", "--", "true"), cwd=workspace, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "claude will find no key" in done.stderr
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_a_days_budget_holds_over_all_runs_of_the_day(workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    codes, asked = [], 0
    for place in (workspace, elsewhere, workspace):
        with ScriptedModel(["echo 1", "echo 2"]) as model:
            done = run_agent(place, f"{model.url}/v1", "--max-day-cost", "0.02", state=tmp_path / "state")
        codes.append(done.exit_code)
        asked += len(model.asked)
    assert codes == [0, 0, 122], done.said()
    assert asked * CALL_USD <= Decimal("0.02") + CALL_USD
    assert "budget" in done.inspect()["stop_reason"]


def test_a_price_of_your_own_and_a_model_that_is_free(workspace: Path, tmp_path: Path) -> None:
    policy = tmp_path / "prices.yaml"
    policy.write_text(
        "model:\n  prices:\n    - {model: gpt-4o, input_usd_per_mtok: 100, output_usd_per_mtok: 1000}\n"
    )
    with ScriptedModel(["echo 1"]) as model:
        done = run_agent(workspace, f"{model.url}/v1", "--policy", str(policy))
    assert Decimal(done.inspect()["model"]["cost_usd"]) == 2 * Decimal("0.15"), done.said()
    with ScriptedModel(["echo 1"]) as model:
        done = run_agent(workspace, f"{model.url}/v1", "--free", "gpt-*")
    assert Decimal(done.inspect()["model"]["cost_usd"]) == 0, done.said()


def test_a_key_from_a_command_is_used_and_never_kept(workspace: Path, tmp_path: Path) -> None:
    policy = tmp_path / "keys.yaml"
    (tmp_path / "secret").write_text(f"{KEY}-from-command\n")
    policy.write_text(f"model:\n  keys:\n    openai: 'command:cat {tmp_path / 'secret'}'\n")
    with ScriptedModel(["echo 1"]) as model:
        done = run_agent(workspace, f"{model.url}/v1", "--policy", str(policy), "--record-model", key="")
    assert done.exit_code == 0, done.said()
    assert model.keys == {f"Bearer {KEY}-from-command"}
    assert not [
        path for path in done.bundle.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]


def test_a_key_that_is_not_there_is_said_before_anything_starts(workspace: Path, tmp_path: Path) -> None:
    policy = tmp_path / "keys.yaml"
    policy.write_text(f"model:\n  keys:\n    openai: 'file:{tmp_path / 'nothing'}'\n")
    done = run_agent(workspace, "http://127.0.0.1:9/v1", "--policy", str(policy))
    assert done.exit_code == 125
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (workspace / ".microloop").exists()
