"""pytest's outputs, as it printed them, and cut in the ways agents cut them."""

from __future__ import annotations

import random

import pytest

from microloop_cli.core.progress.outcomes.build import same_failures
from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.real_output import failures, outcome_of, text_of


def test_every_failure_is_named_with_its_error_and_message() -> None:
    outcome = outcome_of("pytest_default")
    assert (outcome.runner, outcome.status, outcome.passed) == ("pytest", "failed", 2)
    assert (outcome.failed_count, outcome.complete) == (14, True)
    named = failures(outcome)
    assert named["tests/test_cart.py::TestCart::test_total"] == ("AssertionError", "assert 3 == 4")
    assert named["tests/test_cart.py::TestCart::test_price[a.b-c::d]"] == (
        "AssertionError",
        "assert 'a.b' == 'c::d'",
    )
    assert named["tests/test_cart.py::test_chained"] == ("RuntimeError", "outer")
    assert named["tests/test_cart.py::test_setup"] == ("OSError", "fixture is broken")
    assert named["tests/test_cart.py::test_unknown"] == ("", "fixture 'nofixture' not found")
    assert named["tests/test_cart.py::test_deep"] == ("LookupError", "deep inside")


def test_what_varies_by_itself_is_masked() -> None:
    named = failures(outcome_of("pytest_default"))
    assert named["tests/test_cart.py::test_raises"] == ("ValueError", "no stock at <address> after <float>")
    assert (
        named["tests/test_cart.py::test_tmp"][1]
        == "[Errno 2] No such file or directory: '<tmp>/test_tmp0/missing'"
    )


@pytest.mark.parametrize(
    "name",
    [
        "pytest_q", "pytest_v", "pytest_tb_short", "pytest_tb_native", "pytest_colour", "pytest_no_summary",
        "pytest_xdist", "pytest_xdist_v", "pytest_random",
    ],
)  # fmt: skip
def test_the_same_run_with_other_options_has_the_same_failing_set(name: str) -> None:
    assert outcome_of(name).failing_set == outcome_of("pytest_default").failing_set


@pytest.mark.parametrize("name", ["pytest_tb_no", "pytest_tb_line"])
def test_a_run_that_shows_less_of_each_failure_agrees_with_one_that_shows_all(name: str) -> None:
    assert same_failures(outcome_of(name), outcome_of("pytest_default"))
    assert same_failures(outcome_of("pytest_default"), outcome_of(name))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pytest_none", "none_collected"),
        ("pytest_none_q", "none_collected"),
        ("pytest_deselected", "none_collected"),
        ("pytest_missing_file", "none_collected"),
        ("pytest_missing_test", "none_collected"),
        ("pytest_skipped", "all_skipped"),
        ("pytest_passed", "passed"),
        ("pytest_passed_q", "passed"),
    ],
)
def test_a_run_without_failures_says_why_there_are_none(name: str, status: str) -> None:
    outcome = outcome_of(name)
    assert (outcome.status, outcome.failed, outcome.failing_set) == (status, (), "")


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        (
            "pytest_collect_error",
            ("broken/test_a.py", "ModuleNotFoundError", "No module named 'nothing_like_this'"),
        ),
        (
            "pytest_conftest",
            ("/srv/shop/conf/conftest.py", "ModuleNotFoundError", "No module named 'nope_nope'"),
        ),
        ("pytest_internal", ("INTERNALERROR", "RuntimeError", "plugin broke")),
        ("pytest_segv", ("session", "Fatal Python error", "Segmentation fault")),
        ("pytest_usage", ("command line", "usage", "unrecognized arguments: --nonsense")),
    ],
)
def test_what_kept_the_tests_from_running_is_a_crash(name: str, failure: tuple[str, str, str]) -> None:
    outcome = outcome_of(name)
    first = outcome.failed[0]
    assert outcome.status == "crashed"
    assert (first.id, first.error, first.message) == failure


def test_a_syntax_error_is_named_by_its_last_line() -> None:
    named = failures(outcome_of("pytest_collect_error"))
    assert named["broken/test_b.py"] == ("SyntaxError", "invalid syntax")


def test_subtests_are_failures_of_their_own() -> None:
    named = failures(outcome_of("pytest_unittest"))
    assert named["test_bill.py::BillTest::test_sub (i=0, kind='a')"] == (
        "AssertionError",
        "0 != 1 : sub failed",
    )
    assert len(named) == 8


def test_a_doctest_is_named_with_what_it_expected() -> None:
    (failure,) = outcome_of("pytest_doctest").failed
    assert (failure.id, failure.error) == ("mod.py::mod.f", "DocTestFailure")


def test_the_tail_of_an_output_names_what_it_shows_and_says_that_it_is_not_all() -> None:
    tail = "\n".join(text_of("pytest_default").split("\n")[-8:])
    outcome = read_outcome("pytest | tail -8", tail)
    assert outcome is not None
    assert (outcome.status, outcome.failed_count, outcome.complete) == ("failed", 14, False)
    assert 0 < len(outcome.failed) < 14
    assert same_failures(outcome, outcome_of("pytest_default"))


def test_only_the_last_line_is_a_count_without_names() -> None:
    outcome = read_outcome("pytest -q | tail -1", "2 failed, 3 passed, 1 warning in 0.12s\n")
    assert outcome is not None
    assert (outcome.failed_count, outcome.passed, outcome.complete, outcome.failing_set) == (2, 3, False, "")


def test_grep_over_the_run_keeps_the_names() -> None:
    outcome = read_outcome("pytest | grep FAILED", "FAILED a/test_x.py::test_y - ValueError: no\n")
    assert outcome is not None
    assert (outcome.status, outcome.complete) == ("failed", False)
    assert failures(outcome) == {"a/test_x.py::test_y": ("ValueError", "no")}


def test_a_run_that_was_cut_before_its_end_is_no_outcome() -> None:
    head = "\n".join(text_of("pytest_passed").split("\n")[:5])
    assert read_outcome("pytest | head -5", head) is None


def test_a_measurement_that_differs_is_no_other_failure_and_a_small_number_is() -> None:
    def failing_set(value: str) -> str:
        text = f"FAILED t.py::test_x - AssertionError: assert {value} == 1.0\n===== 1 failed in 0.1s =====\n"
        outcome = read_outcome("pytest", "=== short test summary info ===\n" + text)
        assert outcome is not None
        return outcome.failing_set

    assert failing_set("0.010814") == failing_set("0.850669")
    assert failing_set("3") != failing_set("2")


def test_the_order_of_the_failures_does_not_matter() -> None:
    lines = text_of("pytest_tb_no").split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("FAILED"))
    named = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    expected = outcome_of("pytest_tb_no").failing_set
    for seed in range(5):
        random.Random(seed).shuffle(named)
        outcome = read_outcome("", "\n".join([*lines[:start], *named, lines[-2]]))
        assert outcome is not None
        assert outcome.failing_set == expected


def test_two_sessions_in_one_output_are_added_up() -> None:
    outcome = read_outcome("", text_of("pytest_passed") + text_of("pytest_x"))
    assert outcome is not None
    assert (outcome.passed, outcome.failed_count) == (1, 1)


def test_a_printed_line_that_looks_like_a_failure_is_not_taken_for_one() -> None:
    outcome = read_outcome("", text_of("pytest_x").replace("E  ", "FAILED tests/not_me.py::test_x\nE  ", 1))
    assert outcome is not None
    assert [test.id for test in outcome.failed] == ["tests/test_cart.py::TestCart::test_total"]
