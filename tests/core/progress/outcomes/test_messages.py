"""Failure messages: what varies by itself is masked, what an agent's work changes stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.outcomes.build import build_outcome, same_failures
from microloop_cli.core.progress.outcomes.messages import MESSAGE_CHARS, failed_test, masked, split_error
from microloop_cli.core.progress.signals import FAILED_TESTS_KEPT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<Cart object at 0x7f3a99251770>", "<Cart object at 0x7fb95c8c6041>"),
        ("no file /tmp/pytest-of-root/pytest-12/test_a0/x", "no file /tmp/pytest-of-me/pytest-3/test_a0/x"),
        ("no file /tmp/tmpab12cd/x.txt", "no file /tmp/tmpzzzzzz/x.txt"),
        ("dir /tmp/TestTable3346070724/001", "dir /tmp/TestTable1449963284/001"),
        ("timeout after 5012ms", "timeout after 4999ms"),
        ("took 1.25 seconds", "took 0.5 seconds"),
        ("at 2026-11-21T15:55:08.888Z", "at 2026-11-22T05:01:00.001Z"),
        ("stamp 1795276054 is late", "stamp 1795276999 is late"),
        ("process 812 died", "process 9131 died"),
        ("pid=25770", "pid=1"),
        ("connect to localhost:53211 refused", "connect to localhost:40001 refused"),
        ("id 3f0c1a52-1111-4222-8333-abcdefabcdef", "id 00000000-1111-4222-8333-abcdefabcdef"),
        ("digest 9a3f00bc12de", "digest 00ff11ee22dd"),
        ('File "a.py", line 12, in x', 'File "a.py", line 144, in x'),
        ("cart_test.go:10: bad", "cart_test.go:1234: bad"),
        ("assert 0.010814 == 1.0", "assert 0.850669 == 1.0"),
        ("assert 1.2e-05 < x", "assert 3.75e-16 < x"),
        ("seed=31337", "seed=7"),
    ],
)
def test_what_varies_by_itself_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("assert 3 == 4", "assert 2 == 4"),
        ("assert 0.5 == 1.0", "assert 0.25 == 1.0"),
        ("KeyError: 'a'", "KeyError: 'b'"),
        ("404 != 200", "500 != 200"),
        ("3 items left", "2 items left"),
        ("line 1 column 2 (char 1)", "line 1 column 9 (char 8)"),
        ("'2020-01-01' != '2020-01-02'", "'2020-01-01' != '2020-01-03'"),
        ("no file /srv/shop/a.txt", "no file /srv/shop/b.txt"),
    ],
)
def test_what_an_agents_work_changes_stays(one: str, other: str) -> None:
    assert masked(one) != masked(other)


@pytest.mark.parametrize(
    ("text", "error", "rest"),
    [
        ("ValueError: bad", "ValueError", "bad"),
        ("django.http.Http404: nothing", "Http404", "nothing"),
        ("AssertionError", "AssertionError", ""),
        ("AssertionError: ", "AssertionError", ""),
        ("assert 1 == 2", "AssertionError", "assert 1 == 2"),
        ("Failed: DID NOT RAISE", "Failed", "DID NOT RAISE"),
        ("something broke: badly", "", "something broke: badly"),
        ("fixture 'x' not found", "", "fixture 'x' not found"),
        ("", "", ""),
    ],
)
def test_an_errors_type_is_told_from_its_message(text: str, error: str, rest: str) -> None:
    assert split_error(text) == (error, rest)


@given(st.text())
def test_masking_any_text_is_short_and_repeatable(text: str) -> None:
    once = masked(text)
    assert len(once) <= MESSAGE_CHARS
    assert "\n" not in once
    assert masked(text) == once


@given(st.text(alphabet="0123456789abcdef./:- \n'\"()[]Txtmps,", max_size=300))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = masked(text)
    if len(once) < MESSAGE_CHARS:
        assert masked(once) == once


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20), st.randoms())
def test_the_failing_set_does_not_depend_on_the_order(named: list[tuple[str, str]], random: object) -> None:
    tests = [failed_test(name, said) for name, said in named]
    expected = build_outcome("x", tests, passed=1)
    random.shuffle(tests)  # type: ignore[attr-defined]
    assert build_outcome("x", tests, passed=1) == expected


def test_many_failures_are_counted_and_told_apart_though_few_are_kept() -> None:
    tests = [failed_test(f"t.py::test_{i}", "ValueError: x") for i in range(1000)]
    outcome = build_outcome("x", tests)
    assert (len(outcome.failed), outcome.failed_count, outcome.complete) == (FAILED_TESTS_KEPT, 1000, True)
    assert build_outcome("x", tests[:-1]).failing_set != outcome.failing_set


def test_runs_that_name_nothing_are_not_known_to_be_the_same() -> None:
    one = build_outcome("x", failed_count=2)
    assert not same_failures(one, one)
    assert not one.complete


def test_a_new_error_of_the_same_test_is_not_the_same_failure() -> None:
    one = build_outcome("x", [failed_test("t", "ValueError: a")])
    other = build_outcome("x", [failed_test("t", "KeyError: 'a'")])
    assert not same_failures(one, other)
    assert same_failures(one, build_outcome("x", [failed_test("t")]))


def test_another_test_with_the_same_error_is_not_the_same_failure() -> None:
    one = build_outcome("x", [failed_test("t", "ValueError: a")])
    assert not same_failures(one, build_outcome("x", [failed_test("u", "ValueError: a")]))
