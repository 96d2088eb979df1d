"""What Gradle's test runs came to, read off its plain console."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import gradle
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_their_class_and_exception() -> None:
    found = outcome(gradle.read, "gradle_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 4, 7, True)
    assert failures(found)["CalcTest > adds()"] == ("AssertionFailedError", "")


def test_a_full_exception_format_gives_the_message() -> None:
    found = outcome(gradle.read, "gradle_full")
    assert (found.failed_count, found.passed, found.complete) == (2, 1, True)
    assert failures(found) == {
        "com.example.CalcTest > adds": ("AssertionFailedError", "expected: <3> but was: <-1>"),
        "com.example.CalcTest > throwsIt": ("IllegalStateException", "bad state 17"),
    }


@pytest.mark.parametrize(
    ("sample", "status"),
    [("gradle_passed", "passed"), ("gradle_crashed", "crashed"), ("gradle_none", "none_collected")],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(gradle.read, sample).status == status
    assert marked(printed(sample), gradle.MARKERS)


def test_a_line_number_of_the_failure_makes_no_difference() -> None:
    moved = gradle.read(printed("gradle_mixed").replace("CalcTest.java:7", "CalcTest.java:99"))
    assert moved is not None
    assert moved.failing_set == outcome(gradle.read, "gradle_mixed").failing_set


def test_the_count_without_the_names_is_not_complete() -> None:
    found = gradle.read("12 tests completed, 4 failed, 1 skipped\n")
    assert found is not None
    assert (found.failed_count, found.passed, found.complete) == (4, 7, False)


def test_projects_are_added_up() -> None:
    found = gradle.read("3 tests completed, 1 failed\n\n5 tests completed, 2 failed, 1 skipped\n")
    assert found is not None
    assert (found.failed_count, found.passed) == (3, 4)


def test_a_build_that_ran_no_tests_is_no_test_run() -> None:
    assert gradle.read("> Task :compileTestJava\n> Task :testClasses\n\nBUILD SUCCESSFUL in 1s\n") is None


def test_tests_that_were_up_to_date_passed_and_those_without_source_are_none() -> None:
    passed = gradle.read("> Task :test UP-TO-DATE\n\nBUILD SUCCESSFUL in 1s\n")
    none = gradle.read("> Task :test NO-SOURCE\n\nBUILD SUCCESSFUL in 1s\n")
    assert passed is not None
    assert passed.status == "passed"
    assert none is not None
    assert none.status == "none_collected"


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(gradle.read, "gradle")
    bears_rubbish(gradle.read, gradle.MARKERS)
