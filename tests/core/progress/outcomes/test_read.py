"""One way from an output to what its test run came to: who is asked, what is no test run, and at what cost."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.normalise import normalise
from microloop_cli.core.progress.outcomes.looking import only_looks
from microloop_cli.core.progress.outcomes.read import read_outcome, runners
from tests.core.progress.outcomes.real_output import SAMPLES, text_of

BY_NAME = {
    "pytest": "pytest", "unittest": "unittest", "django": "unittest", "nose2": "unittest", "tox": "unittest",
    "trial": "trial", "doctest": "doctest", "go": "go", "cargo": "cargo", "ctest": "ctest", "gtest": "googletest",
    "rspec": "rspec", "minitest": "minitest", "bats": "tap",
}  # fmt: skip
NAMES = sorted(path.stem for path in SAMPLES.glob("*.txt"))
MINE = [name for name in NAMES if name.partition("_")[0] in BY_NAME]


@pytest.mark.parametrize("name", MINE)
def test_each_runner_is_told_from_all_others_whatever_started_it(name: str) -> None:
    outcome = read_outcome("./run_test.sh", text_of(name))
    assert outcome is not None
    assert outcome.runner == BY_NAME[name.partition("_")[0]]


@pytest.mark.parametrize("name", MINE)
def test_a_text_whose_durations_were_masked_says_the_same(name: str) -> None:
    normalised = normalise(text_of(name).encode()).decode()
    one, other = read_outcome("make test", text_of(name)), read_outcome("make test", normalised)
    assert one is not None
    assert other is not None
    assert (one.status, one.failed_count, one.complete) == (other.status, other.failed_count, other.complete)
    assert [test.id for test in one.failed] == [test.id for test in other.failed]


@pytest.mark.parametrize("name", NAMES)
def test_looking_at_a_log_is_no_test_run(name: str) -> None:
    text = text_of(name)
    for command in ("cat test.log", "grep -n pytest -r docs/", "cd x && sed -n '1,80p' README.md | head -50"):
        assert read_outcome(command, text) is None
    assert read_outcome("show README", text, kind="view") is None


@pytest.mark.parametrize(
    "command",
    [
        "cat test_x.py",
        "cd /srv && grep -rn 'import pytest; x' . | head -20",
        "git log -p | head",
        "cat <<'EOF' > t.py\nimport os; os.system('pytest')\nEOF",
        "find . -name 'test_*.py' | xargs",
        "/usr/bin/tail -n 50 out.txt",
        "cat out.txt 2>&1 | tail -5 &> x",
        "grep -rn pytest . 2>/dev/null || true",
        "LANG=C ls -la tests/ # pytest",
        "echo pytest > x; ls",
    ],
)
def test_a_command_that_shows_files_only_looks(command: str) -> None:
    assert only_looks(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "pytest",
        "bin/test sympy/core",
        "./test",
        "cat x | python -m pytest",
        "cat <<EOF > t.py\nx\nEOF\npython t.py",
        "find . -name '*.py' -exec python {} +",
        "ls | xargs python -m unittest",
        "git bisect run pytest",
        "env A=b ./run.sh",
        "cd x && (make check)",
        "bash -c 'pytest -q' 2>&1 | tail",
        "cat x; python -c '" + "x" * 9000 + "'",
    ],
)
def test_a_command_that_may_run_tests_does_not_only_look(command: str) -> None:
    assert not only_looks(command)


@given(st.text(alphabet="'\"\\ab;|&<\n$(", max_size=3000))
def test_no_command_makes_it_raise(command: str) -> None:
    only_looks(command)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        "ERROR: could not connect\nFAILED\n",
        "3 passed the exam in 2 days\n",
        "Ran the tests\nOK\n",
        "ok 1\n",
        "error: failed to push some refs\n",
        "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: FAILED\n",
        "  warning: 2 errors in 0.5s of video\n",
        "Error: process completed with exit code 1.\n0 tests\n",
        "1..3\n",
        "PASS\n",
        "examples, failures\n",
    ],
)  # fmt: skip
def test_what_merely_sounds_like_a_test_run_is_none(text: str) -> None:
    assert read_outcome("./tool", text) is None


PIECES = [
    "FAILED a.py::b - E: c", "ERROR a.py", "= FAILURES =", "____ t ____", "E   X: y", "1 failed in 0.1s", "-----",
    "=" * 70, "FAIL: t (m.C)", "-" * 70, "Ran 1 test in 0.1s", "FAILED (failures=1)", "Traceback (most recent call last):",
    "ValueError: x", "--- FAIL: T (0.00s)", "FAIL\tp\t0.1s", "panic: x", '{"Action":"fail","Output":"x"}', "{",
    "test a ... FAILED", "failures:", "    a", "---- a stdout ----", "thread 'a' panicked at x:1:2:",
    "test result: FAILED. 0 passed; 1 failed; 0 ignored;", "error: could not compile `x`", "error[E1]: y",
    "50% tests passed, 1 tests failed out of 2", "The following tests FAILED:", "\t  2 - bad (Failed)",
    "[ RUN      ] A.b", "[  FAILED  ] A.b", "[==========] 1 test from 1 test suite ran. (0 ms total)", "x.cc:1: Failure",
    "2 examples, 1 failure", "Failures:", "  1) a", "rspec ./a.rb:1 # a", "1 runs, 1 assertions, 1 failures, 0 errors, 0 skips",
    "1..2", "not ok 1 a", "***Test Failed*** 1 failures.", 'File "x", line 1, in y', "Failed example:", "Expected:", "Got:",
    "INTERNALERROR> X: y", "ImportError while loading conftest 'x'", "= tests finished: 1 passed, 1 failed, in 1 seconds =",
    "______", " a.py:t ", "[FAIL]", "\x1b[31m", "\x00", "\ud800", "", "    ",
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=30), st.text(max_size=10))
@example(["\ud800"], "")
def test_no_text_makes_a_reader_raise(lines: list[str], command: str) -> None:
    text = "\n".join(lines)
    read_outcome(command, text)
    for runner in runners():
        outcome = runner.read(text)
        if outcome is not None:
            assert outcome.failed == tuple(sorted(outcome.failed))
            assert bool(outcome.failing_set) == bool(outcome.failed)
            assert outcome.failed_count >= len(outcome.failed)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_output_cut_anywhere_is_read_or_not_but_never_raises(name: str, start: int, length: int) -> None:
    read_outcome("make test", text_of(name)[start : start + length])


@pytest.mark.parametrize("piece", ["FAILED a::b - ", "E  ", "= FAILURES =\n", "_ ", "[", "0.1."])
def test_ten_megabytes_in_one_line_take_no_time(piece: str) -> None:
    text = "=== test session starts ===\nRan 1 test in 0.1s\n1..2\n" + piece * (10_000_000 // len(piece))
    began = time.process_time()
    read_outcome("make test", text)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("name", MINE)
def test_the_time_grows_with_the_length_and_not_faster(name: str) -> None:
    text = text_of(name)
    times = max(1, 200_000 // max(1, len(text)))
    began = time.process_time()
    read_outcome("make test", text * times)
    assert time.process_time() - began < 2
