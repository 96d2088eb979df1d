"""No text, however long or broken, makes a reader of test output fail or take long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.outcomes import (
    dotnet,
    gradle,
    jest,
    maven,
    mocha,
    node_test,
    phpunit,
    vitest,
)
from tests.core.progress.outcomes.printed import Reader

RUNNERS: tuple[Reader, ...] = (jest, vitest, mocha, node_test, maven, gradle, phpunit, dotnet)
ALL_MARKERS = [marker for runner in RUNNERS for marker in runner.MARKERS]
SHAPES = [
    "  \u25cf a \u203a b", " FAIL  a > b", "  1) a", "       b:", "not ok 1 - a", "    # Subtest: a", "\u2716 a (1ms)",
    "\u2716 failing tests:", "test at a.js:1:2", "[ERROR] a.b -- Time elapsed: 1 s <<< FAILURE!", "Results:",
    "Tests run: 1, Failures: 1, Errors: 0, Skipped: 0", "a > b FAILED", "> Task :test", "There was 1 failure:",
    "Tests: 1, Assertions: 1, Failures: 1.", "  Failed a [1 ms]", "  Error Message:", "Error: ", "\u23af\u23af",
    "Test Suites: 1 failed, 1 total", " Tests  1 failed (1)", "  1 failing", "# fail 1", "\u2139 fail 1",
]  # fmt: skip


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for runner in RUNNERS:
        runner.read(text)


@given(
    st.lists(st.sampled_from(ALL_MARKERS + SHAPES) | st.text(max_size=20), max_size=40),
    st.sampled_from(["\n", ""]),
)
@settings(max_examples=60)
def test_what_runners_print_in_any_order_is_read_or_refused(parts: list[str], between: str) -> None:
    text = between.join(parts)
    for runner in RUNNERS:
        found = runner.read(text)
        if found is not None:
            assert found.failed_count >= len(found.failed)
            assert found.complete == (found.complete and found.failed_count == len(found.failed))


HOSTILE = {
    "one long line": "x" * (10 << 20),
    "a marker in a long line": "".join(f"{marker} " * 200 for marker in ALL_MARKERS) * 6,
    "spaces": " " * (4 << 20),
    "many short lines": "\n" * (1 << 17),
    "brackets": ("(" * 4000 + "\n") * 500,
    "digits": ("1" * 4000 + ")\n") * 500,
    "dots": ("a." * 2000 + "\n") * 500,
    "errors": ("Error: " * 500 + "\n") * 500,
    "failures without end": "\n".join(SHAPES) * 600,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_text_takes_no_long_time(what: str) -> None:
    for runner in RUNNERS:
        start = time.perf_counter()
        runner.read(HOSTILE[what])
        took = time.perf_counter() - start
        assert took < 3, f"{runner} took {took:.1f} s"
