"""`microloop eval` as a user calls it: corpora and bundles in, figures and names out."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.cli.main import main
from tests.cli.calling import PROGRAM, microloop
from tests.cli.recorded import healthy_run, looping_run

CORPUS = Path(__file__).parent.parent / "data" / "corpus.jsonl"


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["eval", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["eval", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_every_loop_of_the_corpus_is_found_and_no_healthy_run_is_disturbed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    score = evaluated(capsys, str(CORPUS))
    assert (score["precision"], score["recall"], score["false_alarm_rate"]) == (1.0, 1.0, 0.0)
    assert (score["runs"], score["loops"], score["healthy"], score["unlabelled"]) == (16, 8, 6, 2)
    assert score["wild_rate"] == 0.5
    assert [alarm["id"] for alarm in score["wild_alarms"]] == ["unlabelled-looping"]


def test_the_document_has_the_figures_a_program_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    score = evaluated(capsys, str(CORPUS))
    wanted = {
        "precision", "recall", "false_alarm_rate", "median_delay_steps", "wild_rate", "per_kind",
        "steps_per_second",
    }  # fmt: skip
    assert wanted <= set(score)
    assert score["steps_per_second"] > 0
    kind = score["per_kind"]["loop_same_command"]
    assert (kind["runs"], kind["hits"], kind["recall"]) == (2, 2, 1.0)
    assert isinstance(kind["median_delay_steps"], (int, float))
    assert score["per_kind"]["healthy_repair"]["false_alarm_rate"] == 0.0


def test_harder_answers_come_later(capsys: pytest.CaptureFixture[str]) -> None:
    delays = [
        evaluated(capsys, str(CORPUS), "--answer", answer)["per_kind"]["loop_tests_edited"][
            "median_delay_steps"
        ]
        for answer in ("nudge", "refuse", "stop")
    ]
    assert delays == sorted(set(delays))


def test_a_policy_that_only_records_never_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated(capsys, str(CORPUS), "--policy", "observe")["recall"] == 1.0
    refused = evaluated(capsys, str(CORPUS), "--policy", "observe", "--answer", "refuse")
    assert (refused["recall"], refused["precision"]) == (0.0, None)
    assert [miss["id"] for miss in refused["misses"]][:2] == ["loop-same-command", "loop-same-command-later"]


def test_corpora_add_up_and_may_be_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "more.jsonl.gz"
    packed.write_bytes(gzip.compress(CORPUS.read_bytes()))
    assert evaluated(capsys, str(CORPUS), str(packed))["runs"] == 32


def test_bundles_are_runs_without_a_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop = looping_run(tmp_path, "observe", run_id="20260102-030405-aaaaaa")
    healthy_run(tmp_path, run_id="20260103-030405-bbbbbb")
    score = evaluated(capsys, str(tmp_path))
    assert (score["runs"], score["unlabelled"], score["wild_rate"]) == (2, 2, 0.5)
    assert [alarm["id"] for alarm in score["wild_alarms"]] == [loop.name]
    assert evaluated(capsys, str(loop))["wild_rate"] == 1.0
    assert evaluated(capsys, "20260103", "-C", str(tmp_path))["wild_rate"] == 0.0


def test_people_get_a_table_and_the_names_of_what_was_missed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["eval", str(CORPUS), "--answer", "stop", "--policy", "observe"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "16 runs, 177 steps  policy observe, a signal is: stopped"
    assert any(line.split() == ["recall", "0.000", "0", "of", "8", "loops"] for line in lines)
    assert "loops that were missed  8" in lines
    assert any(line.startswith("  loop-poll  from step 7 of 12") for line in lines)
    assert all(len(line) <= 100 for line in lines)
    assert told.err == ""


def test_what_is_no_corpus_is_told_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(CORPUS.read_bytes() + b'{"id": "x", "steps": [{"step": 1}]}\n')
    assert f"{bad}:17: steps[0].action: it is missing" in failed(capsys, str(bad))
    bad.write_bytes(b"\x1b[31mnot json\n")
    said = failed(capsys, str(bad))
    assert f"{bad}:1: it is not JSON" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is nothing to judge"),
        (["nowhere.jsonl"], "there is no such file"),
        ([str(CORPUS), "--policy", "nobody"], "there is no policy named 'nobody'"),
        ([str(CORPUS), "--answer", "shout"], "'shout' is not one of"),
        ([str(CORPUS.parent)], "holds no bundles"),
    ],
)
def test_a_mistake_is_exit_2_and_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in failed(capsys, *arguments)


def test_what_a_corpus_says_cannot_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [{"step": n, "action": "ls \x1b[31m", "observation": "\x1b]0;x\x07"} for n in range(1, 6)]
    runs = [{"id": "\x1b[2J", "kind": "\x1b[1m", "steps": steps, "label": label, "onset_step": 5}
            for label in ("healthy", "loop", None)]  # fmt: skip
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    assert main(["eval", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_nothing_is_counted_on_stderr_where_nobody_looks() -> None:
    done = microloop("eval", str(CORPUS))
    assert (done.returncode, done.stderr) == (0, "")


def test_on_a_terminal_runs_are_counted_and_the_line_is_gone_at_the_end() -> None:
    near, far = pty.openpty()
    try:
        done = subprocess.run(
            [*PROGRAM, "eval", str(CORPUS)], stdout=subprocess.PIPE, stderr=far, timeout=60, check=False
        )
        shown = os.read(near, 65536)
    finally:
        os.close(near)
        os.close(far)
    assert done.returncode == 0
    assert b"1 run, 9 steps judged" in shown
    assert shown.endswith(b"\r\033[K")
