"""What a run of vitest came to, read off what it printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import vitest
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_file_suites_and_error() -> None:
    found = outcome(vitest.read, "vitest_verbose")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 11, 1, True)
    named = failures(found)
    assert named["src/calc.test.js > calc > throws"] == ("TypeError", "cannot read x of undefined")
    assert named["src/calc.test.js > calc > add > adds two numbers"] == (
        "AssertionError",
        "expected -1 to be 3 // Object.is equality",
    )


def test_colours_and_reporters_make_no_difference() -> None:
    assert (
        outcome(vitest.read, "vitest_colour").failing_set
        == outcome(vitest.read, "vitest_verbose").failing_set
    )


def test_files_that_could_not_be_loaded_are_failures_beside_the_tests() -> None:
    found = outcome(vitest.read, "vitest_mixed")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 16, 2, True)
    assert failures(found)["src/nomodule.test.js"] == ("Error", "Cannot find module './not-there'")


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("vitest_passed", "passed"),
        ("vitest_crashed", "crashed"),
        ("vitest_skipped", "all_skipped"),
        ("vitest_none", "none_collected"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(vitest.read, sample).status == status
    assert marked(printed(sample), vitest.MARKERS)


def test_the_last_lines_alone_are_not_complete() -> None:
    found = vitest.read("\n".join(printed("vitest_mixed").splitlines()[-6:]))
    assert found is not None
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 11, 2, False)


def test_failures_that_share_an_error_are_all_named() -> None:
    text = printed("vitest_verbose").replace(
        " FAIL  src/calc.test.js > calc > throws\n",
        " FAIL  src/calc.test.js > calc > throws\n FAIL  src/calc.test.js > calc > throws as well\n",
    )
    found = vitest.read(text)
    assert found is not None
    assert failures(found)["src/calc.test.js > calc > throws as well"][0] == "TypeError"


def test_an_error_outside_of_all_tests_fails_the_run() -> None:
    text = (
        " RUN  v4.1.12 /src/demo\n\n \u2713 src/ok.test.js (1 test) 2ms\n\n"
        "\u23af\u23af\u23af Unhandled Errors \u23af\u23af\u23af\n\nVitest caught 1 unhandled error during the test run.\n"
        "\u23af\u23af\u23af Unhandled Rejection \u23af\u23af\u23af\nError: late\n \u276f src/ok.test.js:3:1\n\n"
        " Test Files  1 passed (1)\n      Tests  1 passed (1)\n     Errors  1 error\n"
    )
    found = vitest.read(text)
    assert found is not None
    assert found.status == "failed"
    assert failures(found) == {"(unhandled error)": ("Error", "late")}


def test_what_jest_prints_in_colour_is_left_to_jest() -> None:
    assert vitest.read(printed("jest_colour")) is None
    assert vitest.read(" FAIL  src/calc.test.js\n") is None


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(vitest.read, "vitest")
    bears_rubbish(vitest.read, vitest.MARKERS)
