"""cargo test's outputs, as cargo 1.95 printed them, and nextest's format."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.real_output import failures, outcome_of, text_of

NEXTEST = """\
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.05s
────────────
 Nextest run ID 3f0c1a52-1111-4222-8333-abcdefabcdef with nextest profile: default
    Starting 3 tests across 2 binaries
        PASS [   0.003s] (1/3) shop tests::ok
        FAIL [   0.004s] (2/3) shop tests::adds
  stdout ───

    running 1 test
    test tests::adds ... FAILED

    failures:

    failures:
        tests::adds

  stderr ───

    thread 'tests::adds' (26744) panicked at src/lib.rs:12:17:
    assertion `left == right` failed
      left: 2
     right: 3

     SIGSEGV [   0.004s] (3/3) shop::outside outside
────────────
     Summary [   0.007s] 3 tests run: 1 passed, 2 failed, 0 skipped
        FAIL [   0.004s] (2/3) shop tests::adds
     SIGSEGV [   0.004s] (3/3) shop::outside outside
error: test run failed
"""
OLD_PANIC = """\
running 1 test
test tests::adds ... FAILED

failures:

---- tests::adds stdout ----
thread 'tests::adds' panicked at 'no stock at 0x5589112388a8', src/lib.rs:12:17
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    tests::adds

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""


def test_every_failure_is_named_with_its_panic() -> None:
    outcome = outcome_of("cargo_no_fail_fast", "cargo test --no-fail-fast")
    assert (outcome.runner, outcome.status, outcome.passed, outcome.complete) == ("cargo", "failed", 1, True)
    assert failures(outcome) == {
        "outside": ("panic", 'assertion `left == right` failed, left "a", right "b"'),
        "src/lib.rs - add": ("panic", "assertion `left == right` failed, left 2, right 3"),
        "tests::adds": ("panic", "assertion `left == right` failed: sum of 2, left 2, right 3"),
        "tests::measured": ("panic", "took <float> at <address>"),
        "tests::plain": ("panic", "assertion failed: add(1, 1) == 3"),
        "tests::result": ("Error", '"no good"'),
        "tests::should": ("panic", "test did not panic as expected"),
        "tests::unwraps": ("panic", "called `Option::unwrap()` on a `None` value"),
    }


def test_a_quiet_run_has_the_same_failing_set() -> None:
    assert outcome_of("cargo_q").failing_set == outcome_of("cargo_default").failing_set


@pytest.mark.parametrize(("name", "status"), [("cargo_passed", "passed"), ("cargo_none", "none_collected")])
def test_a_run_says_what_it_came_to(name: str, status: str) -> None:
    assert outcome_of(name).status == status


def test_code_that_does_not_compile_is_a_crash_of_a_test_run_and_no_test_run_of_a_build() -> None:
    outcome = outcome_of("cargo_compile", "cargo test")
    assert outcome.status == "crashed"
    assert [test.error for test in outcome.failed] == ["E0308", "E0425"]
    assert read_outcome("cargo build", text_of("cargo_compile")) is None


def test_the_older_form_of_a_panic_is_read() -> None:
    outcome = read_outcome("cargo test", OLD_PANIC)
    assert outcome is not None
    assert failures(outcome) == {"tests::adds": ("panic", "no stock at <address>")}


def test_nextest_is_read() -> None:
    outcome = read_outcome("cargo nextest run", NEXTEST)
    assert outcome is not None
    assert (outcome.failed_count, outcome.passed, outcome.complete) == (2, 1, True)
    assert failures(outcome) == {
        "tests::adds": ("panic", "assertion `left == right` failed, left 2, right 3"),
        "outside": ("SIGSEGV", ""),
    }
