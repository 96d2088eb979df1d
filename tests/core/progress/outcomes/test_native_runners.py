"""CTest, GoogleTest, RSpec, minitest and TAP, as they printed it."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.real_output import failures, outcome_of, text_of


@pytest.mark.parametrize(
    ("name", "runner", "status"),
    [
        ("ctest_passed", "ctest", "passed"),
        ("ctest_none", "ctest", "none_collected"),
        ("gtest_passed", "googletest", "passed"),
        ("gtest_none", "googletest", "none_collected"),
        ("rspec_passed", "rspec", "passed"),
        ("rspec_none", "rspec", "none_collected"),
        ("rspec_skipped", "rspec", "all_skipped"),
        ("rspec_load_error", "rspec", "crashed"),
        ("minitest_passed", "minitest", "passed"),
    ],
)
def test_a_run_says_what_it_came_to(name: str, runner: str, status: str) -> None:
    outcome = outcome_of(name)
    assert (outcome.runner, outcome.status) == (runner, status)


def test_ctest_names_each_test_and_how_it_failed() -> None:
    outcome = outcome_of("ctest_default")
    assert {name: error for name, (error, _) in failures(outcome).items()} == {
        "bad": "Failed", "crashes": "Exception", "slow": "Timeout", "missing": "Not Run",
    }  # fmt: skip
    assert (outcome.passed, outcome.complete) == (1, True)


def test_ctest_shows_the_last_line_a_failed_test_printed() -> None:
    text = text_of("ctest_failure_output").replace("2: bad", "2: bad")
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if "Test #2: bad" in line)
    outcome = read_outcome(
        "ctest", "\n".join([*lines[: at + 1], "cart.c:12: total() was 3", *lines[at + 1 :]])
    )
    assert outcome is not None
    assert failures(outcome)["bad"] == ("Failed", "cart.c:<line>: total() was 3")


def test_googletest_names_each_test_with_its_first_failure() -> None:
    outcome = outcome_of("gtest_default")
    assert failures(outcome) == {
        "Cart.Throws": ("Failure", 'C++ exception with description "no stock" thrown in the test body.'),
        "Cart.Total": ("Failure", "Expected equality of these values: 1 + 1 Which is: 2 3 sum"),
        "Numbers/P.Even/0": ("Failure", "Expected equality of these values: GetParam() % 2 Which is: 1 0"),
    }
    assert outcome_of("gtest_brief").failing_set == outcome.failing_set


def test_a_program_that_dies_within_a_test_crashed_in_it() -> None:
    text = text_of("gtest_default").partition("[  FAILED  ] Cart.Throws")[0]
    outcome = read_outcome("./tests", text + "Segmentation fault\n")
    assert outcome is not None
    assert outcome.status == "crashed"
    assert failures(outcome)["Cart.Throws"][0] == "crash"


def test_rspec_names_each_example_without_its_line() -> None:
    outcome = outcome_of("rspec_default")
    named = failures(outcome)
    assert named["./cart_spec.rb # Cart adds"] == ("ExpectationNotMet", "expected: 3 got: 2")
    assert named["./cart_spec.rb # Cart raises"] == ("ArgumentError", "no stock")
    assert (len(named), outcome.passed, outcome.complete) == (3, 1, True)
    assert outcome_of("rspec_doc").failing_set == outcome.failing_set


def test_rspec_names_the_file_it_could_not_load() -> None:
    assert failures(outcome_of("rspec_load_error")) == {
        "./broken_spec.rb": ("NameError", "uninitialized constant Nope")
    }


def test_minitest_names_each_test() -> None:
    outcome = outcome_of("minitest_default")
    assert failures(outcome) == {
        "CartTest#test_msg": ("Failure", "custom"),
        "CartTest#test_raises": ("ArgumentError", "no stock"),
        "CartTest#test_total": ("Failure", "Expected: 3 Actual: 2"),
    }
    assert outcome_of("minitest_v").failing_set == outcome.failing_set


def test_bats_says_the_same_on_a_terminal_and_in_tap() -> None:
    outcome = outcome_of("bats_tap")
    assert {test.id for test in outcome.failed} == {"adds", "status"}
    assert outcome_of("bats_pretty").failing_set == outcome.failing_set


def test_tap_points_that_are_to_do_or_skipped_do_not_fail() -> None:
    text = "1..4\nok 1 - a\nnot ok 2 - b # TODO later\nok 3 - c # SKIP no\nnot ok 4 - d\n"
    outcome = read_outcome("prove -v", text)
    assert outcome is not None
    assert [test.id for test in outcome.failed] == ["d"]
    assert outcome.passed == 1
