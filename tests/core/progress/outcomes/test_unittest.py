"""unittest and those who print as it does; trial, doctest and SymPy's runner, who do not."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes.build import same_failures
from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.real_output import failures, outcome_of, text_of

SYMPY = """\
============================= test process starts ==============================
random seed:        9845133

sympy/core/tests/test_expr.py[94] ..............................f...............
............E...............F...........f.....                            [FAIL]

________________________________________________________________________________
_______________ sympy/core/tests/test_expr.py:test_action_verbs ________________
Traceback (most recent call last):
  File "/testbed/sympy/core/tests/test_expr.py", line 1222, in test_action_verbs
    assert refine(sqrt(x**2)) == sqrt(x**2).refine()
TypeError: unsupported operand
________________________________________________________________________________
 sympy/core/tests/test_expr.py:test_a_name_so_long_that_no_line_fits_beside_it_
  File "/testbed/sympy/core/tests/test_expr.py", line 12, in test_a
    assert 1 == 2
AssertionError

= tests finished: 90 passed, 1 failed, 2 expected to fail, 1 exceptions, in 4.17 seconds =
DO *NOT* COMMIT!
"""


def test_every_failure_is_named_with_its_error_and_message() -> None:
    outcome = outcome_of("unittest_default")
    assert (outcome.runner, outcome.status, outcome.failed_count, outcome.complete) == (
        "unittest",
        "failed",
        8,
        True,
    )
    assert failures(outcome) == {
        "test_bill.BillTest.test_chain": ("RuntimeError", "outer"),
        "test_bill.BillTest.test_error": ("ValueError", "bad bill"),
        "test_bill.BillTest.test_multi": ("AssertionError", "'a\\nb\\n' != 'a\\nc\\n'"),
        "test_bill.BillTest.test_sub (i=0, kind='a')": ("AssertionError", "0 != 1 : sub failed"),
        "test_bill.BillTest.test_sub (i=2, kind='a')": ("AssertionError", "2 != 1 : sub failed"),
        "test_bill.BillTest.test_sum": ("AssertionError", "2 != 3"),
        "test_bill.BillTest.test_unexpected": ("unexpected success", ""),
        "test_bill.Setup.setUpClass": ("OSError", "no database"),
    }


@pytest.mark.parametrize("name", ["unittest_v", "tox_unittest"])
def test_verbose_or_under_tox_the_failing_set_is_the_same(name: str) -> None:
    assert outcome_of(name).failing_set == outcome_of("unittest_default").failing_set


def test_older_and_newer_versions_name_a_test_alike() -> None:
    old = "======\nFAIL: test_a (mod.Case)\n------\nTraceback (most recent call last):\nAssertionError: 1 != 2\n"
    new = old.replace("(mod.Case)", "(mod.Case.test_a)")
    one, other = read_outcome("", old), read_outcome("", new)
    assert one is not None
    assert other is not None
    assert one.failing_set == other.failing_set != ""
    assert not one.complete


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("unittest_passed", "passed"),
        ("unittest_skipped", "all_skipped"),
        ("unittest_none", "none_collected"),
        ("unittest_missing", "crashed"),
        ("unittest_import", "failed"),
        ("nose2_default", "failed"),
        ("django_default", "failed"),
        ("trial_verbose", "failed"),
        ("doctest_plain", "failed"),
    ],
)
def test_a_run_says_what_it_came_to(name: str, status: str) -> None:
    assert outcome_of(name).status == status


def test_a_module_that_cannot_be_imported_is_named_with_the_cause() -> None:
    named = failures(outcome_of("unittest_missing"))
    assert named == {
        "unittest.loader._FailedTest.nope_mod": ("ModuleNotFoundError", "No module named 'nope_mod'")
    }


def test_django_names_tests_as_unittest_does_whatever_its_verbosity() -> None:
    outcome = outcome_of("django_default", "python manage.py test")
    assert failures(outcome) == {
        "app.tests.V.test_b": ("ValueError", "dj"),
        "app.tests.V.test_status": ("AssertionError", "404 != 200"),
    }
    assert outcome_of("django_parallel").failing_set == outcome.failing_set


def test_the_tail_of_an_output_agrees_with_the_whole() -> None:
    tail = "\n".join(text_of("unittest_default").split("\n")[-24:])
    outcome = read_outcome("python -m unittest 2>&1 | tail -24", tail)
    assert outcome is not None
    assert not outcome.complete
    assert same_failures(outcome, outcome_of("unittest_default"))


def test_a_traceback_that_was_cut_gives_no_message_rather_than_a_wrong_one() -> None:
    text = '======\nERROR: test_a (mod.Case)\n------\nTraceback (most recent call last):\n  File "/opt/minic\n...\nbed/x.py\n'
    outcome = read_outcome("", text)
    assert outcome is not None
    assert failures(outcome) == {"mod.Case.test_a": ("", "")}


def test_trial_names_a_test_the_same_in_each_reporter() -> None:
    assert failures(outcome_of("trial_text")) == {
        "test_trial.T.test_a": ("FailTest", "1 != 2"),
        "test_trial.T.test_b": ("ValueError", "no"),
        "test_trial.T.test_d": ("FailTest", "x"),
    }
    assert outcome_of("trial_text").failing_set == outcome_of("trial_verbose").failing_set


def test_a_doctest_example_is_named_with_what_it_gave() -> None:
    assert failures(outcome_of("doctest_plain", "python -m doctest mod.py")) == {
        "mod.f: f()": ("DocTestFailure", "expected 2, got 1"),
        "mod.f: 1/0": ("ZeroDivisionError", "division by zero"),
    }
    assert outcome_of("doctest_v").failing_set == outcome_of("doctest_plain").failing_set


def test_sympys_own_runner_is_read() -> None:
    outcome = read_outcome("bin/test sympy/core", SYMPY)
    assert outcome is not None
    assert (outcome.runner, outcome.status, outcome.passed, outcome.complete) == ("sympy", "failed", 90, True)
    assert failures(outcome) == {
        "sympy/core/tests/test_expr.py:test_action_verbs": ("TypeError", "unsupported operand"),
        "sympy/core/tests/test_expr.py:test_a_name_so_long_that_no_line_fits_beside_it_": (
            "AssertionError",
            "",
        ),
    }
