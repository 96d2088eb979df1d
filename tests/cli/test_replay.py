"""`microloop replay` as a user calls it: an old run in, what would have happened out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.cli.main import main
from tests.cli.recorded import Recording, healthy_run, looping_run
from tests.e2e.running import microloop, run_script

CORPUS = Path(__file__).parent.parent / "data" / "corpus.jsonl"


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert main(["replay", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["replay", *arguments]) == code
    told = capsys.readouterr()
    return told.out + told.err


def test_a_run_under_its_own_policy_has_the_same_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looping_run(tmp_path)
    document = replayed(capsys, "-C", str(tmp_path))
    assert (document["verdicts"], document["difference"]) == ("same", None)
    assert [finding["answer"] for finding in document["findings"]][-1] == "stop"
    assert "the same as recorded, every one" in said(capsys, "2026", "-C", str(tmp_path))


def test_a_verdict_that_is_not_the_recorded_one_is_named_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = looping_run(tmp_path)
    policy = path / "policy.yaml"
    policy.write_text(policy.read_text().replace('"act"', '"record"'))
    document = replayed(capsys, str(path), code=1)
    assert document["verdicts"] == "different"
    assert document["difference"]["recorded"] != document["difference"]["replayed"]
    assert "NOT the same as recorded, from fact" in said(capsys, str(path), code=1)


def test_another_policy_tells_what_would_have_been_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looping_run(tmp_path, "observe", times=12)
    document = replayed(capsys, "--policy", "default", "-C", str(tmp_path))
    assert document["verdicts"] is None
    answers = [finding["answer"] for finding in document["findings"]]
    assert list(dict.fromkeys(answers)) == ["nudge", "refuse", "stop"]
    stop = document["stop"]
    assert stop["outcome"] == "no_progress"
    saved = document["saved"]
    # 13 steps were recorded: all from the stop on would not have run, nor the one that was refused before it.
    assert saved["steps"] == 13 - stop["step"] + 1 + saved["refused_steps"]
    assert saved["seconds"] == pytest.approx(13 + 1 - stop["at_seconds"] + saved["refused_steps"])
    assert saved["cost_usd"] is None
    told = said(capsys, "--policy", "default", "-C", str(tmp_path))
    assert f"would have been stopped at step {stop['step']}" in told
    assert "cost       not known" in told


def test_a_nudge_would_have_been_given_where_the_record_did_not_hold_the_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looping_run(tmp_path, "observe", times=3)
    document = replayed(capsys, "--policy", "default", "-C", str(tmp_path))
    assert [finding["answer"] for finding in document["findings"]] == ["nudge"]


def test_a_time_limit_of_another_policy_stops_when_it_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy_run(tmp_path)
    policy = tmp_path / "short.yaml"
    policy.write_text("schema: 1\nlimits:\n  wall_seconds: 1.5\n")
    document = replayed(capsys, "--policy", str(policy), "-C", str(tmp_path))
    assert (document["stop"]["outcome"], document["stop"]["at_seconds"]) == ("time_limit", 1.5)


def test_a_healthy_run_has_no_findings_and_nothing_to_save(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy_run(tmp_path)
    document = replayed(capsys, "--policy", "strict", "-C", str(tmp_path))
    assert (document["findings"], document["stop"], document["saved"]["steps"]) == ([], None, 0)
    assert "findings  none" in said(capsys, "-C", str(tmp_path))


def test_a_run_of_a_corpus_is_judged_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    document = replayed(capsys, str(CORPUS), "--id", "loop-same-command")
    assert (document["source"], document["run"], document["verdicts"]) == (
        "trajectory",
        "loop-same-command",
        None,
    )
    assert document["stop"]["step"] <= 9
    assert document["saved"]["steps"] >= 1
    assert document["saved"]["seconds"] is None


def test_a_file_with_several_runs_asks_which(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, str(CORPUS), code=2)
    assert "holds several runs; --id names one" in told
    assert "--id loop-same-command, " in told
    assert "holds no run with the id 'x'" in said(capsys, str(CORPUS), "--id", "x", code=2)


def test_a_trajectory_of_another_agent_knows_seconds_and_dollars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages: list[dict[str, Any]] = []
    for n in range(12):
        messages += [
            {"role": "assistant", "content": "again",
             "extra": {"actions": [{"command": "cat missing"}], "cost": 0.5, "timestamp": 10.0 * n}},
            {"role": "tool", "content": "", "extra": {"raw_output": "no such file", "returncode": 1,
                                                      "timestamp": 10.0 * n + 2}},
        ]  # fmt: skip
    path = tmp_path / "run.traj.json"
    path.write_text(json.dumps({"messages": messages}, indent=1))
    document = replayed(capsys, str(path))
    stop, saved = document["stop"]["step"], document["saved"]
    assert saved["steps"] == 12 - stop + 1 + saved["refused_steps"]
    assert saved["seconds"] == pytest.approx(2.0 * saved["steps"])
    assert saved["cost_usd"] == pytest.approx(0.5 * (12 - stop))
    assert "cost       $" in said(capsys, str(path))


def test_a_bundle_that_ends_torn_is_judged_up_to_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = looping_run(tmp_path)
    (path / "manifest.json").unlink()
    ledger = path / "events.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-40])
    assert main(["replay", "-C", str(tmp_path)]) == 0
    assert "the ledger is read up to line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("policy.yaml", "progress:\n  repeat_nudges: 3\n", "policy.yaml:2: progress.repeat_nudges"),
        ("policy.yaml", None, "has no policy.yaml"),
        ("environment.json", '{"agent_profile": "../../etc/passwd"}', "'../../etc/passwd', which is not one"),
        ("environment.json", '{"agent_profile": 3}', "agent_profile is no text"),
    ],
)
def test_a_bundle_that_does_not_tell_how_it_was_judged(
    name: str, content: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = healthy_run(tmp_path) / name
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert told in said(capsys, "-C", str(tmp_path), code=125)


def test_mistakes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there are no runs in" in said(capsys, "-C", str(tmp_path), code=2)
    path = healthy_run(tmp_path)
    assert "--id chooses a run of a file" in said(capsys, str(path), "--id", "x", code=2)
    assert "there is no such file" in said(capsys, "gone.traj", code=2)


def test_what_an_agent_wrote_cannot_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = Recording(tmp_path)
    for _ in range(10):
        recording.ran("cat '\x1b[31mred'", "\x1b]0;title\x07")
    path = recording.ended()
    assert "\x1b" not in said(capsys, str(path))
    (path / "policy.yaml").write_text("progress:\n  answers: record\n")
    assert "\x1b" not in said(capsys, str(path), code=1)


@pytest.mark.parametrize("policy", ["default", "observe"])
def test_a_real_run_is_met_to_the_letter(policy: str, tmp_path: Path, bwrap: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do cat notes.txt; done\n"
    (tmp_path / "notes.txt").write_text("one\n")
    run_script(tmp_path, script, "--policy", policy)
    done = microloop(tmp_path, "replay", "--json")
    assert done.exit_code == 0, done.said()
    document = json.loads(done.stdout)
    assert (document["verdicts"], document["steps"] >= 3, document["unread_steps"]) == ("same", True, 0)
    assert document["findings"]
    other = json.loads(microloop(tmp_path, "replay", "--policy", "default", "--json").stdout)
    assert [finding["answer"] for finding in other["findings"]][:2] == ["nudge", "refuse"]
