"""`microloop ls`, `verify` and `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from microloop_cli.cli.main import main
from microloop_cli.view.runview import run_view
from microloop_cli.view.summary import summary
from tests.view.ledgers import ENVIRONMENT, Story, loop_story
from tests.view.talks import Talk, repair_story, written


def three_runs(workspace: Path) -> None:
    """One complete run with a summary, one that crashed, one that is damaged."""
    loop = loop_story()
    loop.write(workspace, summary=summary(run_view(loop.entries), ENVIRONMENT, None))
    crashed = Story(("\x1b[31magent", "x" * 300), run_id="20260103-000000-aaaaaa")
    crashed.step("make")
    crashed.write(workspace, complete=False)
    damaged = Story(run_id="20260104-000000-bbbbbb").finish().write(workspace)
    (damaged / "events.jsonl").unlink()


def test_ls_shows_runs_oldest_first_and_marks_those_that_crashed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    three_runs(tmp_path)
    assert main(["ls", "-C", str(tmp_path)]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["run", "outcome", "exit", "steps", "took", "command"]
    assert rows[0] == "20260102-030405-abc123  no_progress   120       5    2.50 s  agent --fix"
    assert rows[1].startswith(
        "20260103-000000-aaaaaa  crashed         -       1    0.50 s  '\\x1b[31magent' x"
    )
    assert rows[2].startswith("20260104-000000-bbbbbb  damaged         -       -         -  (cannot read")
    assert all(len(row) <= 100 for row in rows)


def test_ls_on_a_wide_terminal_says_when_a_run_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    three_runs(tmp_path)
    assert main(["ls", "-C", str(tmp_path)]) == 0
    assert "20260102-030405-abc123  2026-01-02 03:04  no_progress" in capsys.readouterr().out


def test_ls_has_a_column_for_dollars_when_a_run_cost_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    three_runs(tmp_path)
    talk = repair_story()
    talk.run_id = "20260105-000000-cccccc"
    written(talk, tmp_path, summary=summary(run_view(talk.entries), None, None))
    crashed = Talk(run_id="20260106-000000-dddddd")
    crashed.turn(cost_usd="1.5")
    crashed.write(tmp_path, complete=False)
    assert main(["ls", "-C", str(tmp_path)]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["run", "outcome", "exit", "steps", "cost", "command"]
    assert [row.split()[4] for row in rows] == ["-", "-", "-", "$0.02+", "$1.50"]
    assert all(len(row) <= 80 for row in rows)
    assert main(["ls", "--json", "-C", str(tmp_path)]) == 0
    priced = json.loads(capsys.readouterr().out)[3]
    assert (priced["cost_usd"], priced["unpriced_calls"]) == ("0.02", 1)


def test_ls_as_json_has_the_same_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    three_runs(tmp_path)
    assert main(["ls", "--json", "-C", str(tmp_path)]) == 0
    loop, crashed, damaged = json.loads(capsys.readouterr().out)
    assert (loop["outcome"], loop["exit_code"], loop["steps"]) == ("no_progress", 120, 5)
    assert (crashed["outcome"], crashed["exit_code"], crashed["steps"]) == ("crashed", None, 1)
    assert (damaged["outcome"], damaged["problem"] != "") == ("damaged", True)


def test_ls_where_there_are_no_runs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "-C", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", f"no runs in {tmp_path}\n")


def test_a_summary_that_is_no_summary_is_a_damaged_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop_story().write(tmp_path, summary={"outcome": 3})
    assert main(["ls", "-C", str(tmp_path)]) == 0
    assert "damaged" in capsys.readouterr().out


def test_verify_says_ok_with_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = loop_story()
    story.write(tmp_path)
    assert main(["verify", "-C", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"ok: 20260102-030405-abc123: {len(story.entries)} events, 7 files")


def test_verify_names_the_line_that_was_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = loop_story().write(tmp_path)
    ledger = path / "events.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"exit_code":1', b'"exit_code":0', 1))
    assert main(["verify", "-C", str(tmp_path)]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert "events.jsonl line 7 (seq 7)" in first
    assert main(["verify", "--json", "-C", str(tmp_path)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["problems"][0]["where"] == "events.jsonl line 7 (seq 7)"


def test_verify_of_a_crashed_run_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Story().write(tmp_path, complete=False)
    assert main(["verify", "2026", "-C", str(tmp_path)]) == 1
    assert "manifest.json is missing" in capsys.readouterr().out


def test_a_file_name_in_a_bundle_cannot_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = loop_story().write(tmp_path)
    (path / "\x1b[31mextra").write_text("")
    assert main(["verify", "-C", str(tmp_path)]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_the_schema_fits_the_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = loop_story().write(tmp_path)
    assert main(["schema"]) == 0
    validator = jsonschema.Draft202012Validator(json.loads(capsys.readouterr().out))
    for line in (path / "events.jsonl").read_text().splitlines():
        validator.validate(json.loads(line))
