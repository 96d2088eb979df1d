"""What `dotnet test` came to, read off its console."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import dotnet
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_their_values_and_exceptions() -> None:
    found = outcome(dotnet.read, "dotnet_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 3, 2, True)
    named = failures(found)
    assert named["Demo.Tests.CalcTests.Adds"][1].startswith(
        "Assert.Equal() Failure: Values differ Expected: 3"
    )
    assert named["Demo.Tests.CalcTests.Throws"] == ("InvalidOperationException", "bad state 17")
    assert "Demo.Tests.CalcTests.Params(n: 1)" in named


def test_mstest_says_what_was_thrown_below_a_line_of_its_own() -> None:
    found = outcome(dotnet.read, "dotnet_mstest")
    assert (found.failed_count, found.passed, found.complete) == (2, 1, True)
    assert failures(found)["Throws"] == ("InvalidOperationException", "bad state 17")


def test_the_terminal_logger_says_the_same() -> None:
    found = outcome(dotnet.read, "dotnet_terminal")
    assert (found.failed_count, found.passed, found.complete) == (1, 1, True)
    assert list(failures(found)) == ["Demo.Tests.CalcTests.Adds"]


@pytest.mark.parametrize(
    ("sample", "status"),
    [("dotnet_passed", "passed"), ("dotnet_crashed", "crashed"), ("dotnet_none", "none_collected")],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(dotnet.read, sample).status == status
    assert marked(printed(sample), dotnet.MARKERS)


def test_assemblies_are_added_up() -> None:
    line = "Failed!  - Failed:     1, Passed:     4, Skipped:     0, Total:     5, Duration: 9 ms - {}.dll (net8.0)\n"
    found = dotnet.read(line.format("A") + line.format("B"))
    assert found is not None
    assert (found.failed_count, found.passed, found.complete) == (2, 8, False)


def test_other_talk_of_passing_is_no_test_run() -> None:
    assert dotnet.read("Test Passed!\nall is well\n") is None
    assert dotnet.read("  Failed to start the service\n") is None


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(dotnet.read, "dotnet")
    bears_rubbish(dotnet.read, dotnet.MARKERS)
