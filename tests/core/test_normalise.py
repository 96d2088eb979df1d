"""Two outputs that mean the same compare equal; progress does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.normalise import Kept, normalise, output_digest


def whole(text: bytes) -> Kept:
    return Kept(text, b"", len(text))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"1 failed in 0.02s", b"1 failed in 13.7s"),
        (b"Ran 3 tests in 0.001s", b"Ran 3 tests in 1.204s"),
        (b"should add (12 ms)", b"should add (3 ms)"),
        (b"in 61.23s (0:01:01)", b"in 75.00s (0:01:15)"),
        (b"real\t0m1.234s", b"real\t1m0.002s"),
        (b"BUILD FAILED in 3m 2s", b"BUILD FAILED in 59s"),
        (b"ok  \tpkg/x\t0.003s", b"ok  \tpkg/x\t1.100s"),
        (b"Time:        1.234 s, estimated 2 s", b"Time:        0.9 s, estimated 1 s"),
        (b"# duration_ms 12.3", b"# duration_ms 4"),
        (b'<testcase time="0.003">', b'<testcase time="12.1">'),
        (b"0.00user 0.01system 0:00.01elapsed", b"0.10user 0.31system 0:01.91elapsed"),
        ("3 µs".encode(), "812 µs".encode()),
        (b"2026-11-21T13:02:16.123Z start", b"2027-01-01T00:00:00Z start"),
        (b"[2026-11-21 13:02:16,123] x", b"[2026-11-22 01:59:00,001] x"),
        (b"Sat Nov 21 13:02:16 UTC 2026", b"Sun Dec  6 01:02:03 UTC 2026"),
        (b"-rw-r--r-- 1 u u 5 Nov 21 13:02 a", b"-rw-r--r-- 1 u u 5 Nov 21 14:59 a"),
        (b"13:02:16 INFO", b"09:59:01 INFO"),
        (b"pid 1234 died, [pid=77], PID: 9", b"pid 2 died, [pid=78], PID: 10"),
        (b"==4242==ERROR: AddressSanitizer", b"==77==ERROR: AddressSanitizer"),
        (b"<Foo object at 0x7f00deadbeef>", b"<Foo object at 0x55d1c0ffee00>"),
        (b"commit 1a2b3c4d5e6f70819", b"commit 9f8e7d6c5b4a30211"),
        (b"id 550e8400-e29b-41d4-a716-446655440000", b"id 123e4567-e89b-12d3-a456-426614174000"),
        (b"open /tmp/tmpab12cd_f/x", b"open /tmp/tmpzz9_8yx1/x"),
        (b"/tmp/tmp.XyZ1234567 gone", b"/tmp/tmp.aaaaBBBB00 gone"),
        (b"/tmp/pytest-of-root/pytest-12/test_x0", b"/tmp/pytest-of-root/pytest-13/test_x0"),
        (
            b"http://localhost:43211/a 127.0.0.1:80 [::1]:99",
            b"http://localhost:5000/a 127.0.0.1:8080 [::1]:10",
        ),
        (b"\x1b[1;31mFAILED\x1b[0m \x1b]8;;http://x\x07a", b"FAILED a"),
        (b"a\r\nb\r\r\n", b"a\nb\n"),
    ],
)
def test_what_changes_by_itself_does_not_count(first: bytes, second: bytes) -> None:
    assert normalise(first) == normalise(second)
    assert output_digest(whole(first), None) == output_digest(whole(second), None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"3 passed, 2 failed", b"4 passed, 1 failed"),
        (b"progress 50%", b"progress 51%"),
        (b"step 3/10", b"step 4/10"),
        (b"total 1024", b"total 2048"),
        (b"calc.py:12:30: error", b"calc.py:13:30: error"),
        (b"  12:34  error  no-undef", b"  12:35  error  no-undef"),
        (b"assert 5 == 3", b"assert 5 == 4"),
        (b"port 80 in use", b"port 81 in use"),
        (b"v1.5.2", b"v1.5.3"),
        (b"expected 0x10", b"expected 0x20"),
        (b"5 users", b"6 users"),
        (b"make: *** [a] Error 1", b"make: *** [b] Error 1"),
    ],
)
def test_counters_positions_and_values_count(first: bytes, second: bytes) -> None:
    assert normalise(first) != normalise(second)
    assert output_digest(whole(first), None) != output_digest(whole(second), None)


def test_text_around_a_mask_stays_and_invalid_utf8_passes() -> None:
    assert (
        normalise(b"1 failed in 0.02s\n\xff\xfe caf\xc3\xa9") == b"1 failed in <time>\n\xff\xfe caf\xc3\xa9"
    )


PIECES = st.sampled_from(
    [
        b"5",
        b"0.02",
        b"s",
        b" ",
        b"ms",
        b"12:00:00",
        b"13:02",
        b"2026-11-21",
        b"T",
        b"Z",
        b"Nov 21",
        b"Sat",
        b"2026",
        b"0x7f00deadbeef",
        b"1a2b3c4d",
        b"550e8400-e29b-41d4-a716-446655440000",
        b"/tmp/tmpabcdef1",
        b"/tmp/",
        b"pid",
        b"=",
        b"==",
        b"==12==",
        b"/proc/1",
        b"localhost:80",
        b"[::1]:80",
        b":",
        b".",
        b",",
        b"-",
        b"/",
        b"_",
        b"(",
        b")",
        b"pytest-of-x/pytest-1",
        b"\x1b[0m",
        b"\x1b",
        b"[",
        b"]",
        b"\x07",
        b"\r",
        b"\n",
        b"m",
        b"h",
        b"d",
        b"time=",
        b'"',
        b"duration_ms ",
        b"<time>",
        b"<",
        b">",
        b"\xc2\xb5s",
        b"\xff",
        b"user",
        b"elapsed",
    ]
)


@given(st.lists(PIECES, max_size=14).map(b"".join))
def test_normalising_twice_changes_nothing(text: bytes) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.binary(max_size=200))
def test_any_bytes_can_be_normalised(text: bytes) -> None:
    once = normalise(text)
    assert normalise(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        b"1",
        b"a",
        b"f1",
        b"1 ",
        b"1:",
        b"12:34:",
        b"0-",
        b"\r",
        b"\x1b",
        b"\x1b]",
        b"\x1b[",
        b"pytest-of-",
        b"pid ",
        b"Nov 21 ",
        b"1h 1m ",
        b"2024-01-02T",
        b"/tmp/tmp",
        b"12345678-1234-",
        b"0x",
        b"time=1",
        b"[::1]:",
        b"\xff",
    ],
)
def test_a_line_of_a_mebibyte_takes_linear_time(piece: bytes) -> None:
    text = (piece * (1 << 20))[: 1 << 20]
    started = time.process_time()
    normalise(text)
    assert time.process_time() - started < 3


def test_streams_do_not_run_into_each_other() -> None:
    assert output_digest(whole(b"a"), whole(b"b")) != output_digest(whole(b"ab"), whole(b""))
    assert output_digest(whole(b"a"), whole(b"")) != output_digest(whole(b"a"), None)
    assert output_digest(whole(b"a"), None) != output_digest(None, whole(b"a"))
    assert output_digest(None, None) is None


def cut(head: bytes, tail: bytes, coarse: str = "00" * 16, total: int = 1_000_000) -> Kept:
    return Kept(head, tail, total, coarse)


def test_of_a_long_output_the_kept_lines_and_the_coarse_digest_count_but_not_the_size() -> None:
    one = cut(b"start\n12:00:0", b"1 cut\nend in 0.02s\n")
    two = cut(b"start\n13:11:1", b"2 cut\nend in 0.03s\n", total=1_000_001)
    assert output_digest(one, None) == output_digest(two, None)
    assert output_digest(one, None) != output_digest(cut(one.head, one.tail, "11" * 16), None)
    assert output_digest(one, None) != output_digest(cut(b"other\n", one.tail), None)
    assert output_digest(one, None) != output_digest(cut(one.head, b"2 cut\nend, 3 failed\n"), None)


def test_of_a_long_output_a_longer_clock_does_not_shift_what_is_compared() -> None:
    lines = [b"line %d of %d, in %s\n" % (n, 8000, b"%d.%02ds") for n in range(8000)]
    quick = b"".join(line % (1, n % 100) for n, line in enumerate(lines))
    slow = b"".join(line % (1000, n % 100) for n, line in enumerate(lines))
    one, two = (cut(text[:131_072], text[-131_072:]) for text in (quick, slow))
    assert one.head.count(b"\n") != two.head.count(b"\n")
    assert output_digest(one, None) == output_digest(two, None)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_short_kept_parts_of_a_long_output_are_taken_as_well(head: bytes, tail: bytes) -> None:
    assert output_digest(cut(head, tail), None) == output_digest(cut(head, tail), None)
