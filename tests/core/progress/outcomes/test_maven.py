"""What Maven's test runs came to, read off what Surefire printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import maven
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_their_class_exception_and_message() -> None:
    found = outcome(maven.read, "maven_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 9, 2, True)
    named = failures(found)
    assert named["com.example.CalcTest.adds"] == ("AssertionFailedError", "expected: <3> but was: <-1>")
    assert named["com.example.CalcTest.throwsIt"] == ("IllegalStateException", "bad state 17")
    assert named["com.example.CalcTest.params(int)[2]"][1] == "expected: <0> but was: <2>"
    assert named["com.example.HookTest"] == ("RuntimeException", "no database")


def test_old_surefire_names_the_same_things_another_way() -> None:
    found = outcome(maven.read, "maven_old")
    assert (found.failed_count, found.passed, found.complete) == (2, 1, True)
    assert failures(found)["com.example.CalcTest.adds"] == ("AssertionError", "expected:<3> but was:<-1>")


def test_colours_and_durations_make_no_difference() -> None:
    assert outcome(maven.read, "maven_colour").failing_set == outcome(maven.read, "maven_mixed").failing_set


def test_the_end_of_the_output_alone_still_names_all() -> None:
    text = printed("maven_mixed")
    found = maven.read(text[text.index("[INFO] Results:") :])
    assert found is not None
    assert (found.status, found.failed_count, found.complete) == ("failed", 9, True)
    assert failures(found)["CalcTest.adds"] == ("", "expected: <3> but was: <-1>")
    assert "CalcTest.params" in failures(found)


def test_the_modules_of_a_build_are_added_up() -> None:
    one = printed("maven_passed")
    found = maven.read(one + printed("maven_old") + one)
    assert found is not None
    assert (found.failed_count, found.passed) == (2, 3)


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("maven_passed", "passed"),
        ("maven_crashed", "crashed"),
        ("maven_skipped", "all_skipped"),
        ("maven_none", "none_collected"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(maven.read, sample).status == status
    assert marked(printed(sample), maven.MARKERS)


def test_a_compile_error_is_named_without_its_line() -> None:
    before = outcome(maven.read, "maven_crashed")
    after = maven.read(printed("maven_crashed").replace("[1,24]", "[7,3]"))
    assert [test.message for test in before.failed] == ["illegal start of expression"]
    assert after is not None
    assert after.failing_set == before.failing_set


def test_a_build_without_tests_is_no_test_run() -> None:
    assert maven.read("[INFO] BUILD SUCCESS\n[INFO] Total time:  1.2 s\n") is None


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(maven.read, "maven")
    bears_rubbish(maven.read, maven.MARKERS)
