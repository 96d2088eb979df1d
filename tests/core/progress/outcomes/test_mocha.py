"""What a run of mocha came to, read off what it printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import mocha
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_their_suites_error_and_values() -> None:
    found = outcome(mocha.read, "mocha_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 9, 2, True)
    named = failures(found)
    assert named["calc > add > adds two numbers"] == (
        "AssertionError",
        "Expected values to be strictly equal: -1 !== 3",
    )
    assert named["top level: colon"] == ("RangeError", "out of range: 17")
    assert named['hooked > "before all" hook for "a"'] == ("Error", "no database")
    assert named["calc > no message"] == ("Error", "")


@pytest.mark.parametrize("sample", ["mocha_colour", "mocha_dot", "mocha_list"])
def test_reporters_and_colours_make_no_difference(sample: str) -> None:
    assert outcome(mocha.read, sample).failing_set == outcome(mocha.read, "mocha_mixed").failing_set


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("mocha_passed", "passed"),
        ("mocha_crashed", "crashed"),
        ("mocha_nomodule", "crashed"),
        ("mocha_skipped", "all_skipped"),
        ("mocha_none", "none_collected"),
        ("mocha_noname", "none_collected"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(mocha.read, sample).status == status
    assert marked(printed(sample), mocha.MARKERS)


def test_a_crash_names_what_was_thrown_while_loading() -> None:
    assert failures(outcome(mocha.read, "mocha_crashed")) == {
        "(loading)": ("SyntaxError", "Unexpected token ';'")
    }


def test_the_count_alone_is_not_complete() -> None:
    found = mocha.read("  2 passing (58ms)\n  1 pending\n  9 failing\n")
    assert found is not None
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 9, 2, False)


def test_a_list_cut_in_the_middle_is_not_complete() -> None:
    text = printed("mocha_mixed")
    found = mocha.read(text[: text.index("  5) calc\n       custom")])
    assert found is not None
    assert (found.failed_count, len(found.failed), found.complete) == (9, 4, False)


def test_the_tree_above_the_list_is_not_taken_for_failures() -> None:
    found = mocha.read("  1) top level:\n  calc\n    2) throws\n\n  0 passing (2ms)\n  2 failing\n\n")
    assert found is not None
    assert not found.complete


def test_two_tests_of_one_name_are_a_whole_list() -> None:
    entry = "  {}) calc\n       adds:\n     Error: no\n      at Context.<anonymous> (a.js:1:1)\n\n"
    found = mocha.read("  0 passing (2ms)\n  2 failing\n\n" + entry.format(1) + entry.format(2))
    assert found is not None
    assert (len(found.failed), found.complete) == (1, True)


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(mocha.read, "mocha")
    bears_rubbish(mocha.read, mocha.MARKERS)
