"""A stream normalised in chunks gives what the whole gives; lines stand alone; no input makes it raise or grow."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.normalise import LONGEST_MASKED_LINE_BYTES, Normaliser, normalise

PIECES = st.sampled_from(
    [b"12", b"0.5s", b":", b" ", b"  ", b"pid ", b"\n", b"\r", b"\r\n", b"\x1b[0m", b"\x1b", b"[", b"K", b"a1b2c3d4", b"0x",
     b"7f00deadbeef", b"/tmp/tmp", b"Nov 21 ", b"13:02", b":16", b"2026-11-21", b"T", b"\xff\x00", b"localhost:", b"8080",
     b"real ", b"0.0.0.0:80", b"127.0.0.1:", b"core.", b"e-", b"5m", b"About a minute", b"--:--:-- ", b"seed="]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map(b"".join)


def in_chunks(text: bytes, cuts: list[int]) -> bytes:
    normaliser = Normaliser()
    ends = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    parts = [normaliser.feed(text[start:end]) for start, end in pairwise(ends)]
    return b"".join(parts) + normaliser.finish()


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=8))
@settings(max_examples=300)
def test_any_chunking_gives_what_one_call_gives(text: bytes, cuts: list[int]) -> None:
    assert in_chunks(text, cuts) == normalise(text)


@given(TEXTS, TEXTS)
@settings(max_examples=300)
def test_what_a_line_becomes_depends_on_that_line_alone(first: bytes, second: bytes) -> None:
    assert normalise(first + b"\n" + second) == normalise(first + b"\n") + normalise(second)


@given(TEXTS)
@settings(max_examples=300)
def test_normalising_twice_changes_nothing_with_control_bytes_either(text: bytes) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_a_long_text_is_cut_into_blocks_without_a_seam() -> None:
    lines = [b"%d 12:00:%02d pid %d took 0.%ds\n" % (n, n % 60, n, n) for n in range(20_000)]
    assert normalise(b"".join(lines)) == b"".join(normalise(line) for line in lines)


@pytest.mark.parametrize("size", [1 << 16, LONGEST_MASKED_LINE_BYTES - 8, LONGEST_MASKED_LINE_BYTES])
def test_long_lines_are_masked_up_to_a_limit(size: int) -> None:
    line = (b"in 0.5s " * (size // 8 + 1))[:size]
    assert b"0.5s" not in normalise(b"a\n" + line + b"\nb\n")[:64]


@pytest.mark.parametrize("end", [b"", b"\n", b"\nin 0.5s\n"])
def test_longer_lines_pass_as_they_are_however_they_arrive(end: bytes) -> None:
    line = b"in 0.5s " * (LONGEST_MASKED_LINE_BYTES // 8 + 1)
    expected = line + end.replace(b"0.5s", b"<time>")
    assert normalise(line + end) == expected
    assert in_chunks(line + end, [7, 100_000, len(line) - 1, len(line), len(line) + 1]) == expected
    assert normalise(expected) == expected


def test_a_line_keeps_its_last_state_when_it_was_overwritten() -> None:
    assert normalise(b"10%\r 50%\r100%\ndone\r\n") == b"100%\ndone\n"
    assert normalise(b"10%\r\x1b[K20%\r") == b"20%"
    assert normalise(b"10%\r20%\r") != normalise(b"10%\r30%\r")


HOSTILE = [b"0", b"9 ", b"a", b"f0", b"\x1b", b"\x1b[", b"\x1b]", b"\r", b"\n", b"[", b"[0", b"((", b" ", b"  1", b"1.", b"1,",
           b"0:00", b"-00", b"/tmp/", b"/tmp/a-", b"Nov 1 ", b"pid ", b"0x", b"@a1", b"00000000-0000-", b"<time> ", b"--:--:-- ",
           b"\x00", b"\xff", b"12m ", b"1d 1h ", b"seed=1 ", b"a.", b"1e"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_lines_neither_hang_nor_change_when_normalised_again(piece: bytes) -> None:
    text = (piece * LONGEST_MASKED_LINE_BYTES)[:LONGEST_MASKED_LINE_BYTES]
    once = normalise(text)
    assert normalise(once) == once


@pytest.mark.parametrize("piece", [b"0", b"a", b"\x1b", b"\r", b"[", b"in 0.5s "])
def test_a_line_of_ten_megabytes_needs_no_more_memory_than_the_longest_masked_one(piece: bytes) -> None:
    chunk = (piece * 65_536)[:65_536]
    normaliser = Normaliser()
    tracemalloc.start()
    total = sum(len(normaliser.feed(chunk)) for _ in range(160)) + len(normaliser.finish())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 160 * 65_536
    assert peak < 8 * LONGEST_MASKED_LINE_BYTES
