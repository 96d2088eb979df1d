"""go test's outputs, as go 1.19 printed them."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.real_output import failures, outcome_of, text_of

FAILED = {
    "example.com/shop/bad": ("build failed", "undefined: undefinedThing"),
    "example.com/shop/boom.TestBoom": ("panic", "assignment to entry in nil map"),
    "example.com/shop/cart.TestTable/bad": ("Error", "want 9"),
    "example.com/shop/cart.TestTable/worse": ("Error", "want 10"),
    "example.com/shop/cart.TestTotal": ("Error", "Total(1, 2) = 3, want 4"),
}
TESTIFY = (
    "--- FAIL: TestTotal (0.00s)\n"
    "    cart_test.go:10: \n"
    "        \tError Trace:\t/srv/shop/cart_test.go:10\n"
    "        \tError:      \tNot equal: \n"
    "        \t            \texpected: 4\n"
    "        \t            \tactual  : 3\n"
    "        \tTest:       \tTestTotal\n"
    "FAIL\n"
    "FAIL\texample.com/shop/cart\t0.005s\n"
)


def test_every_failure_is_named_by_package_and_test() -> None:
    outcome = outcome_of("go_default", "go test ./...")
    assert (outcome.runner, outcome.status, outcome.complete) == ("go", "failed", True)
    assert failures(outcome) == FAILED


def test_the_json_form_says_the_same() -> None:
    assert failures(outcome_of("go_json")) == FAILED


def test_verbose_output_prints_the_reason_before_the_verdict() -> None:
    outcome = outcome_of("go_v")
    assert failures(outcome) == {name: said for name, said in FAILED.items() if "/cart." in name}
    assert (outcome.passed, outcome.status) == (2, "failed")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("go_passed", "passed"),
        ("go_none", "none_collected"),
        ("go_no_match", "none_collected"),
        ("go_skip", "all_skipped"),
        ("go_build", "crashed"),
        ("go_panic", "failed"),
    ],
)
def test_a_run_says_what_it_came_to(name: str, status: str) -> None:
    assert outcome_of(name).status == status


def test_what_testify_compared_is_part_of_the_message() -> None:
    outcome = read_outcome("go test ./cart", TESTIFY)
    assert outcome is not None
    assert failures(outcome) == {
        "example.com/shop/cart.TestTotal": ("Error", "Not equal: expected: 4 actual  : 3")
    }


def test_a_package_that_failed_without_a_name_is_named_itself() -> None:
    outcome = read_outcome("go test ./... | grep FAIL", "FAIL\texample.com/shop/cart\t0.005s\nFAIL\n")
    assert outcome is not None
    assert (outcome.complete, list(failures(outcome))) == (False, ["example.com/shop/cart"])


def test_half_written_json_is_read_as_far_as_it_goes() -> None:
    text = text_of("go_json")
    whole = failures(outcome_of("go_json"))
    outcome = read_outcome("go test -json ./...", text[: len(text) * 2 // 3] + '\n{"Time":"20')
    assert outcome is not None
    assert set(failures(outcome)) - {"TestTable/bad", "TestTable/worse", "TestTotal"} <= set(whole)


def test_json_nested_without_end_is_no_run() -> None:
    assert read_outcome("go test -json", '{"Action":"pass","x":' + "[" * 200_000 + "\n") is None
