"""What a run of PHPUnit or Pest came to, read off what it printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import phpunit
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_errors_and_failures_are_named_and_risky_tests_are_not() -> None:
    found = outcome(phpunit.read, "phpunit_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 8, 3, True)
    named = failures(found)
    assert named["App\\Tests\\CalcTest::testAdds"] == ("", "Failed asserting that -1 is identical to 3.")
    assert named["App\\Tests\\CalcTest::testThrows"] == ("RuntimeException", "bad state 17")
    assert "App\\Tests\\CalcTest::testRisky" not in named


def test_testdox_names_the_same_number_of_failures() -> None:
    found = outcome(phpunit.read, "phpunit_testdox")
    assert (found.failed_count, len(found.failed), found.complete) == (8, 8, True)
    assert failures(found)["App\\Tests\\Calc::Throws"] == ("RuntimeException", "bad state 17")


def test_colours_make_no_difference() -> None:
    assert (
        outcome(phpunit.read, "phpunit_colour").failing_set
        == outcome(phpunit.read, "phpunit_mixed").failing_set
    )


def test_pest_names_its_failures_and_their_exceptions() -> None:
    found = outcome(phpunit.read, "phpunit_pest")
    assert (found.runner, found.failed_count, found.passed, found.complete) == ("pest", 2, 1, True)
    assert failures(found)["Tests\\Feature\\CalcTest > it throws"] == ("RuntimeException", "bad state 17")


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("phpunit_passed", "passed"),
        ("phpunit_crashed", "crashed"),
        ("phpunit_skipped", "all_skipped"),
        ("phpunit_none", "none_collected"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(phpunit.read, sample).status == status
    assert marked(printed(sample), phpunit.MARKERS)


def test_the_last_line_alone_is_not_complete() -> None:
    found = phpunit.read("ERRORS!\nTests: 13, Assertions: 7, Errors: 3, Failures: 5, Skipped: 1.\n")
    assert found is not None
    assert (found.failed_count, found.passed, found.complete) == (8, 4, False)


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(phpunit.read, "phpunit")
    bears_rubbish(phpunit.read, phpunit.MARKERS)
