"""The status line fits, whatever the last command holds."""

from __future__ import annotations

import pytest

from microloop_cli.view.cells import cut, width_of
from microloop_cli.view.figures import clock, exit_status, plural, seconds, signal_name, size
from microloop_cli.view.status import line


def test_the_line_tells_steps_time_findings_and_the_last_command() -> None:
    assert line(12, 63.4, "pytest -q", 2, 80) == "microloop  12 steps  1:03  2 findings  pytest -q"
    assert line(1, 0.2, "", 0, 80) == "microloop  1 step  0:00"


def test_the_line_tells_the_dollars_once_there_are_some() -> None:
    assert (
        line(12, 63.4, "pytest -q", 2, 80, "$0.42")
        == "microloop  12 steps  1:03  $0.42  2 findings  pytest -q"
    )
    assert line(12, 63.4, "pytest -q", 0, 40, "$0.42+") == "microloop  12 steps  1:03  $0.42+"


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60, 200])
@pytest.mark.parametrize(
    "command",
    ["x" * 10_000_000, "a\nb\r\nc\td", "\x1b[31mred\x1b[0m", "日本語" * 100, "é" * 300, "\u202eabc"],
    ids=["10 MB", "many lines", "escapes", "wide", "accents", "bidi"],
)
def test_the_line_is_one_harmless_line_that_fits(width: int, command: str) -> None:
    text = line(3, 100.0, command, 1, width)
    assert width_of(text) <= width
    assert "\n" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_cutting_counts_terminal_cells() -> None:
    assert cut("日本語", 6) == "日本語"
    assert cut("日本語", 5) == "日本…"
    assert cut("e\u0301" * 3, 3) == "e\u0301" * 3
    assert cut("abc", 0) == ""


def test_figures_read_well() -> None:
    assert [seconds(value) for value in (None, 0.0042, 0.123, 12.34, 65, 3725)] == [
        "-",
        "4 ms",
        "0.12 s",
        "12.3 s",
        "1:05",
        "1:02:05",
    ]
    assert [size(value) for value in (17, 4096, 12 << 20, 3 << 30, 5 << 40)] == [
        "17 B", "4.0 KiB", "12 MiB", "3.0 GiB", "5.0 TiB",
    ]  # fmt: skip
    assert [plural(1, "step"), plural(2, "process")] == ["1 step", "2 processes"]
    assert [exit_status(0, None), exit_status(None, 9), exit_status(None, None)] == ["exit 0", "SIGKILL", "-"]
    assert [signal_name(number) for number in (1, 15, 31, 64, -1)] == [
        "SIGHUP", "SIGTERM", "SIGSYS", "signal 64", "signal -1",
    ]  # fmt: skip
    assert clock(-1) == "0:00"
