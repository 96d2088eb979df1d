"""`microloop inspect` on bundles as they are on disk: whole, crashed, damaged, hostile."""

from __future__ import annotations

import json
import os
import pty
import struct
import subprocess
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

from microloop_cli.cli.main import main
from tests.cli.calling import PROGRAM, environment
from tests.view.ledgers import CHANGES, ENVIRONMENT, Story, loop_story
from tests.view.talks import repair_story, written
from tests.view.test_conversation import REPAIR_AT_80
from tests.view.test_network import LOG_AT_80
from tests.view.test_terminal import LOOP_AT_80

STEPS_WITH_DOLLARS = """\
steps  5
  step      took  result                 cost  command
     1    0.50 s  exit 0    own                git status
     2    0.50 s  exit 1               $0.006  pytest -q
     3    0.60 s  ok                   $0.006  Read calc.py
     4    0.10 s  ok        nudged     $0.008  Read calc.py
     5    0.50 s  exit 1                       pytest -q
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one complete run of a loop, as the current directory of the test."""
    loop_story().write(tmp_path, environment=ENVIRONMENT, changes=CHANGES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_the_latest_run_is_shown_whole(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect"]) == 0
    assert capsys.readouterr() == (LOOP_AT_80, "")


def test_a_run_is_found_by_the_start_of_its_id_from_below_the_workspace(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Story(run_id="20270101-000000-ffffff").finish().write(workspace)
    (workspace / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(workspace / "deep" / "er")
    assert main(["inspect", "2026"]) == 0
    assert capsys.readouterr().out == LOOP_AT_80
    assert main(["inspect"]) == 0
    assert "20270101-000000-ffffff" in capsys.readouterr().out


def test_an_unknown_run_is_a_usage_error(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "1999"]) == 2
    assert "20260102-030405-abc123" in capsys.readouterr().err


def test_a_workspace_without_runs_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "-C", str(tmp_path)]) == 2
    assert "microloop run" in capsys.readouterr().err


def test_json_is_the_summary_and_says_whether_the_bundle_is_complete(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["outcome"], len(document["steps"])) == ("no_progress", 5)
    assert document["bundle"]["complete"] is True
    assert document["bundle"]["damage"] is None


def test_a_step_is_shown_with_its_output(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--step", "3"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("step 3  of run 20260102-030405-abc123\n  command    pytest -q\n")
    assert shown.endswith("stdout  9 bytes\n  1 failed\n")


def test_a_step_as_json_has_the_kept_text(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--step", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kept"] == {"stdout": "1 failed\n"}
    assert document["step"]["verdict"] == "nudged"


@pytest.fixture
def talked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one run that called models and asked for hosts."""
    written(repair_story(), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_a_run_with_model_calls_tells_dollars_in_its_steps_and_in_all(
    talked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect"]) == 0
    shown = capsys.readouterr().out
    assert STEPS_WITH_DOLLARS in shown
    assert "model  4 calls, $0.02+ (--conversation shows each)\n" in shown
    assert "stopped: cost or token limit, exit 122" in shown
    assert "  cost       $0.02 of $0.02  100%\n" in shown


def test_the_conversation_and_the_network_log_are_shown_when_asked_for(
    talked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--conversation"]) == 0
    assert capsys.readouterr() == (REPAIR_AT_80, "")
    assert main(["inspect", "--network"]) == 0
    assert capsys.readouterr() == (LOG_AT_80, "")


def test_conversation_and_network_log_as_json(talked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--conversation", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["calls"]) == 4
    assert main(["inspect", "--network", "--json"]) == 0
    assert [request["host"] for request in json.loads(capsys.readouterr().out)["requests"]] == [
        "pypi.org", *["evil.example"] * 3,
    ]  # fmt: skip


def test_two_things_at_once_cannot_be_shown(talked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--conversation", "--network"]) == 2
    assert "ask for one of them" in capsys.readouterr().err


def test_a_step_tells_the_tool_call_that_asked_for_it(
    talked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--step", "2"]) == 0
    shown = capsys.readouterr().out
    assert "  asked by   the tool Bash, in model call 1 (claude-sonnet-4-5) at 0.50 s\n" in shown
    assert "  cost       $0.006 of that call's $0.012\n" in shown
    assert '  arguments  {"command": "pytest -q"}\n' in shown
    assert main(["inspect", "--step", "1"]) == 0
    assert "  asked by   no tool call: the agent's own business\n" in capsys.readouterr().out


def test_a_tool_call_that_no_process_ran_shows_its_result(
    talked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--step", "3"]) == 0
    shown = capsys.readouterr().out
    assert "  kind       a tool of the agent's; no process ran it\n" in shown
    assert "process tree" not in shown
    assert shown.endswith("stdout  32 bytes\n  def add(a, b):\n      return a - b\n")
    assert main(["inspect", "--step", "4"]) == 0
    shown = capsys.readouterr().out
    assert "  verdict    nudged\n             microloop: you have read this file 3 times" in shown
    assert shown.endswith("stdout  300 bytes, not kept\n")


def test_a_step_that_is_not_there_names_those_that_are(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--step", "6"]) == 2
    assert "the run has steps 1 to 5" in capsys.readouterr().err


def test_a_crashed_run_is_shown_up_to_its_torn_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    story.step("make")
    path = story.write(tmp_path, complete=False)
    with (path / "events.jsonl").open("ab") as ledger:
        ledger.write(b'{"seq":99,"at":1.0,"ty')
    assert main(["inspect", "-C", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "no end recorded" in shown.out
    assert "  make\n" in shown.out
    assert "cut off" in shown.err


def test_a_crashed_run_without_a_torn_line_says_that_no_manifest_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Story().write(tmp_path, complete=False)
    assert main(["inspect", "-C", str(tmp_path)]) == 0
    assert "no manifest" in capsys.readouterr().err


def test_a_line_that_is_no_event_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = loop_story().write(tmp_path)
    lines = (path / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[4] = b"garbage \x1b[31m\n"
    (path / "events.jsonl").write_bytes(b"".join(lines))
    assert main(["inspect", "-C", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert "line 5" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("name", ["environment.json", "workspace/changes.json"])
def test_a_damaged_file_beside_the_ledger_is_named(
    name: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (next((workspace / ".microloop/runs").iterdir()) / name).write_bytes(b'{"enforcement": 3, "changes": 4}')
    assert main(["inspect"]) == 125
    assert name in capsys.readouterr().err


def test_a_bundle_without_a_ledger_is_named(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (next((workspace / ".microloop/runs").iterdir()) / "events.jsonl").unlink()
    assert main(["inspect"]) == 125
    assert "events.jsonl" in capsys.readouterr().err


def test_the_c_locale_is_no_obstacle(tmp_path: Path) -> None:
    story = Story()
    story.step("echo ünïcödé 日本")
    story.finish().write(tmp_path)
    done = subprocess.run(
        [*PROGRAM, "inspect", "-C", str(tmp_path)],
        capture_output=True,
        env=environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii"),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"echo \\xfcn\\xefc" in done.stdout


def on_terminal(workspace: Path, **more: str) -> str:
    """What `inspect` writes to a real terminal of 100 columns."""
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, "inspect", "-C", str(workspace)], stdin=slave, stdout=slave, stderr=slave,
        env=environment(TERM="xterm-256color", **more),
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while chunk := _read(master):
        shown += chunk
    os.close(master)
    assert process.wait(30) == 0
    return shown.decode()


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the terminal's other side is closed
        return b""


def test_colour_is_for_terminals_and_can_be_switched_off(workspace: Path) -> None:
    coloured = on_terminal(workspace)
    assert "\x1b[31m" in coloured
    plain = on_terminal(workspace, NO_COLOR="1")
    assert "\x1b[31m" not in plain
    assert "REFUSED" in plain
