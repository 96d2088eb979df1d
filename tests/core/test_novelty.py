"""Lines shown before bring nothing new; blank ones never do; the memory of them is bounded."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.novelty import LINES_LOOKED_AT, LINES_REMEMBERED, SeenLines


def test_a_line_is_new_once() -> None:
    seen = SeenLines()
    assert seen.gain(b"one line\nand another\n") == (2, 2)
    assert seen.gain(b"and another\nsomething else\n") == (2, 1)
    assert seen.gain(b"one line\nsomething else\n") == (2, 0)


def test_blank_lines_and_the_space_around_others_do_not_count() -> None:
    seen = SeenLines()
    assert seen.gain(b"\n   \n}\n ok\n\t\n  abc  \n") == (3, 3)
    assert seen.gain(b"abc") == (1, 0)
    assert seen.gain(b"") == (0, 0)


def test_a_line_repeated_within_one_output_counts_once() -> None:
    assert SeenLines().gain(b"same line\n" * 50) == (1, 1)


def test_of_a_huge_output_head_and_tail_are_looked_at() -> None:
    seen = SeenLines()
    output = b"".join(b"line %d\n" % n for n in range(100_000))
    lines, new = seen.gain(output)
    assert lines == new <= LINES_LOOKED_AT
    assert seen.gain(b"line 0\nline 99999\n") == (2, 0)
    assert seen.gain(b"line 50000\n") == (1, 1)


def test_what_was_shown_lately_is_remembered_and_memory_stays_below_ten_megabytes() -> None:
    seen = SeenLines()
    tracemalloc.start()
    for step in range(6_000):
        seen.gain(b"".join(b"line %d\n" % n for n in range(step * 50, step * 50 + 50)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    last = 6_000 * 50 - 1
    assert seen.gain(b"line %d\n" % (last - LINES_REMEMBERED + 1_000)) == (1, 0)
    assert seen.gain(b"line 3\n") == (1, 1)


@given(st.binary(max_size=400))
def test_any_bytes_count_and_bring_nothing_the_second_time(text: bytes) -> None:
    seen = SeenLines()
    lines, new = seen.gain(text)
    assert lines == new
    assert seen.gain(text) == (lines, 0)
