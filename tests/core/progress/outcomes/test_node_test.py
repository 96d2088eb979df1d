"""What a run of `node --test` came to, read off what it printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import node_test
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_the_spec_reporter_names_each_failure_with_its_file_but_no_line() -> None:
    found = outcome(node_test.read, "node_spec")
    assert (found.status, found.passed, found.complete) == ("failed", 2, True)
    named = failures(found)
    assert named["t/calc.test.js > throws"] == ("TypeError", "cannot read x of undefined")
    assert named["t/calc.test.js > adds two numbers"] == (
        "AssertionError",
        "Expected values to be strictly equal: -1 !== 3",
    )
    assert "t/calc.test.js > todo that fails" not in named
    assert not any(name.endswith("> parent") for name in named)


def test_the_tap_reporter_names_each_failure_with_its_suites() -> None:
    found = outcome(node_test.read, "node_tap")
    assert (found.status, found.passed, found.complete) == ("failed", 2, True)
    named = failures(found)
    file = "/src/demo/t/calc.test.js"
    assert named[f"{file} > calc > add > adds two numbers"][0] == "AssertionError"
    assert named[f"{file} > parent > child one # hash"] == ("RangeError", "out of range: 17")
    assert f"{file} > calc > add" not in named


def test_a_file_that_could_not_be_loaded_says_what_it_died_of() -> None:
    for sample in ("node_spec", "node_tap"):
        named = failures(outcome(node_test.read, sample))
        assert named["/src/demo/t/broken.test.js"] == ("SyntaxError", "Unexpected token ';'")
        assert named["/src/demo/t/nomodule.test.js"] == ("Error", "Cannot find module './nothere'")


def test_colours_and_durations_make_no_difference() -> None:
    assert (
        outcome(node_test.read, "node_colour").failing_set == outcome(node_test.read, "node_spec").failing_set
    )


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("node_passed", "passed"),
        ("node_crashed", "crashed"),
        ("node_skipped", "all_skipped"),
        ("node_none", "none_collected"),
        ("node_plain", "failed"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(node_test.read, sample).status == status
    assert marked(printed(sample), node_test.MARKERS)


def test_the_counts_alone_are_not_complete() -> None:
    found = node_test.read("\u2139 tests 17\n\u2139 pass 2\n\u2139 fail 9\n\u2139 cancelled 2\n")
    assert found is not None
    assert (found.status, found.failed_count, found.complete) == ("failed", 11, False)


def test_tap_of_other_programs_is_not_taken() -> None:
    assert node_test.read("1..2\nok 1 - fine\nnot ok 2 - bad\n# it failed\n") is None


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(node_test.read, "node")
    bears_rubbish(node_test.read, node_test.MARKERS)
