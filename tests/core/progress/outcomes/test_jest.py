"""What a run of jest came to, read off what it printed."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.outcomes import jest
from tests.core.progress.outcomes.printed import bears_cuts, bears_rubbish, failures, marked, outcome, printed


def test_failing_tests_are_named_with_their_file_and_their_suites() -> None:
    found = outcome(jest.read, "jest_verbose")
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 11, 1, True)
    named = failures(found)
    assert named["src/calc.test.js \u203a calc \u203a throws"] == ("TypeError", "cannot read x of undefined")
    adds = named["src/calc.test.js \u203a calc \u203a add \u203a adds two numbers"]
    assert adds == ("", "expect(received).toBe(expected) // Object.is equality Expected: 3 Received: -1")


def test_a_new_value_is_a_new_message() -> None:
    before = jest.read(printed("jest_verbose"))
    after = jest.read(printed("jest_verbose").replace("Received: -1", "Received: 2"))
    assert before is not None
    assert after is not None
    assert before.failing_set != after.failing_set


def test_colours_durations_and_code_frames_make_no_difference() -> None:
    coloured = outcome(jest.read, "jest_colour")
    assert coloured.failing_set == outcome(jest.read, "jest_verbose").failing_set


def test_the_order_of_files_makes_no_difference() -> None:
    text = printed("jest_mixed")
    head, rest = text.split("FAIL src/hook.test.js", 1)
    hook, rest = rest.split("FAIL src/nomodule.test.js", 1)
    nomodule, rest = rest.split("FAIL src/broken.test.js", 1)
    turned = (
        f"FAIL src/nomodule.test.js{nomodule}FAIL src/hook.test.js{hook}{head}FAIL src/broken.test.js{rest}"
    )
    found = jest.read(turned)
    assert found is not None
    assert found.failing_set == outcome(jest.read, "jest_mixed").failing_set


def test_suites_that_could_not_run_count_as_failures_among_others() -> None:
    found = outcome(jest.read, "jest_mixed")
    assert (found.status, found.failed_count, found.passed) == ("failed", 17, 2)
    assert failures(found)["src/broken.test.js"][0] == "SyntaxError"
    assert "Cannot find module" in failures(found)["src/nomodule.test.js"][1]


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ("jest_passed", "passed"),
        ("jest_crashed", "crashed"),
        ("jest_skipped", "all_skipped"),
        ("jest_none", "none_collected"),
    ],
)
def test_how_a_run_ended(sample: str, status: str) -> None:
    assert outcome(jest.read, sample).status == status
    assert marked(printed(sample), jest.MARKERS)


def test_the_last_lines_alone_say_how_many_failed_but_not_which() -> None:
    tail = "\n".join(printed("jest_mixed").splitlines()[-5:])
    found = jest.read(tail)
    assert found is not None
    assert (found.status, found.failed_count, found.failed, found.complete) == ("failed", 13, (), False)


def test_the_first_lines_alone_name_failures_but_are_not_complete() -> None:
    head = "\n".join(printed("jest_mixed").splitlines()[:60])
    found = jest.read(head)
    assert found is not None
    assert found.failed
    assert not found.complete


def test_crosses_name_the_failures_when_nothing_else_was_kept() -> None:
    kept = "\n".join(
        line for line in printed("jest_verbose").splitlines() if "\u2715" in line or "Tests:" in line
    )
    found = jest.read(kept)
    assert found is not None
    assert (found.failed_count, found.complete) == (11, True)
    assert "throws a string" in failures(found)


def test_console_talk_and_bullet_lists_are_no_failures() -> None:
    assert jest.read("  \u25cf nginx.service - a web server\n     Active: active (running)\n") is None
    text = printed("jest_passed").replace(
        "Test Suites", "  \u25cf Console\n\n    console.log\n      hi\n\nTest Suites", 1
    )
    found = jest.read(text)
    assert found is not None
    assert (found.status, found.failed) == ("passed", ())


def test_a_summary_of_all_failures_does_not_count_them_twice() -> None:
    text = printed("jest_verbose")
    body, summary = text.split("Test Suites:", 1)
    found = jest.read(f"{body}Summary of all failing tests\n{body}Test Suites:{summary}")
    assert found is not None
    assert found.failing_set == outcome(jest.read, "jest_verbose").failing_set
    assert found.failed_count == 11


def test_cut_and_mangled_output_is_borne() -> None:
    bears_cuts(jest.read, "jest")
    bears_rubbish(jest.read, jest.MARKERS)
