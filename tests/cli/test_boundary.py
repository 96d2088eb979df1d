"""Every failure is a message, a hint and an exit code; never a traceback on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from microloop_cli.cli.boundary import guarded
from microloop_cli.errors import CommandNotFound, SandboxError, UsageError
from tests.cli.calling import PROGRAM, environment, microloop
from tests.view.ledgers import Story


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no", hint="do"), 2),
        (SandboxError("no", hint="do"), 125),
        (CommandNotFound("no", hint="do"), 127),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_ours_is_told_with_its_hint_and_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(raising(error)) == code
    assert capsys.readouterr().err == "microloop: no\n  hint: do\n"


def test_what_an_error_quotes_cannot_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(UsageError("bad \x1b[2J\u202e name", hint="one\ntwo \x07")))
    assert capsys.readouterr().err == (
        "microloop: bad \\x1b[2J\\u202e name\n  hint: one\n  hint: two \\x07\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["inspekt"], "no such command: inspekt", "did you mean inspect?"),
        (["xyzzy"], "no such command: xyzzy", "microloop --help lists the commands"),
        (["--versoin"], "no such option: --versoin", "did you mean --version?"),
        (["inspect", "--jsn"], "no such option: --jsn", "did you mean --json?"),
        (["inspect", "--zzzzzz"], "no such option: --zzzzzz", "see microloop inspect --help"),
        (["inspect", "--step"], "requires an argument", "--help"),
        (["inspect", "--step", "two"], "invalid value for", "see microloop inspect --help"),
        (["ls", "extra"], "unexpected extra argument", "see microloop ls --help"),
        (["ls", "-C", "/nonexistent"], "/nonexistent: no such directory", "-C names the workspace"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_the_command_line_is_code_2_and_names_the_nearest(
    arguments: list[str], message: str, hint: str
) -> None:
    done = microloop(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_command_shows_the_help_on_stderr_and_is_code_2() -> None:
    done = microloop()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_a_bug_is_code_125_and_its_traceback_goes_into_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert guarded(raising(ZeroDivisionError("by \x1b[31mzero"))) == 125
    (log,) = (tmp_path / "microloop").glob("crash-*.log")
    told = capsys.readouterr().err
    assert "this is a bug in microloop: ZeroDivisionError: by \\x1b[31mzero" in told
    assert str(log) in told
    assert "Traceback" not in told
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_crash_log_that_cannot_be_written_where_it_should_goes_to_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guarded(raising(RuntimeError("x"))) == 125
    assert len(list(tmp_path.glob("crash-*.log"))) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_control_c_is_code_130_and_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")


def test_control_c_while_starting_leaves_no_traceback() -> None:
    program = (
        "import os, signal, sys; from microloop_cli.cli import main; import microloop_cli.cli.commands as c\n"
    )
    program += "c.run_command_line = lambda arguments: os.kill(os.getpid(), signal.SIGINT) or 0\n"
    program += "main.entry()"
    done = subprocess.run(
        [sys.executable, "-c", program, "ls"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    story = Story()
    for n in range(3000):
        story.step(f"command number {n}")
    story.outputs = {}
    story.finish().write(tmp_path)
    read, write = os.pipe()
    with subprocess.Popen(
        [*PROGRAM, "inspect", "--all", "-C", str(tmp_path)], stdout=write, stderr=subprocess.PIPE, text=True,
        env=environment(),
    ) as process:  # fmt: skip
        os.close(write)
        assert os.read(read, 100).startswith(b"run ")
        os.close(read)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(30) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "> /dev/full"])
@pytest.mark.parametrize("arguments", [["schema"], ["--version"], ["nonsense"]], ids=" ".join)
def test_closed_or_full_streams_are_no_crash_with_a_traceback(arguments: list[str], closing: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closing}', "sh", *PROGRAM, *arguments],
        capture_output=True, text=True, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if closing != "> /dev/full":
        assert done.returncode == (2 if arguments == ["nonsense"] else 0)
    elif arguments != ["nonsense"]:
        assert done.returncode == 125
        assert "No space left on device" in done.stderr
        assert "bug" not in done.stderr


def test_an_error_is_told_although_nobody_reads_stdout() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PROGRAM, "nonsense"], stdout=write, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60,
        check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 2
    assert done.stderr.startswith("microloop: no such command: nonsense\n")
