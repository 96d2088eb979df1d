"""The stream of events, cut anywhere."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.wire.elements import Elements
from microloop_cli.gateway.wire.sse import Item, Splitter

streams = st.lists(
    st.sampled_from([b"data", b":", b" ", b"x", b"\n", b"\r", b"\r\n", b"event: a", b"{}"]), max_size=60
).map(b"".join)


def split(chunks: list[bytes], limit: int = 1000) -> list[Item]:
    splitter = Splitter(limit)
    return [item for chunk in chunks for item in splitter.feed(chunk)] + splitter.finish()


def each_byte(stream: bytes) -> list[bytes]:
    return [bytes([each]) for each in stream]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_data_lines_are_joined_and_comments_and_other_fields_are_not_data(end: bytes) -> None:
    stream = end.join(
        [
            b": hi",
            b"",
            b"event: e",
            b"data: a",
            b"data:b",
            b"data",
            b"id: 1",
            b"",
            b"retry: 5",
            b"",
            b"data: c",
            b"",
            b"",
        ]
    )
    assert [item.data for item in split([stream]) if item.data is not None] == [b"a\nb\n", b"c"]


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert split([b"\xef\xbb\xbfdata: a\n\n"])[0].data == b"a"


def test_an_event_without_its_blank_line_is_read_at_the_end() -> None:
    assert [item.data for item in split([b"data: a\n\ndata: b"])] == [b"a", b"b"]


@given(streams, st.lists(st.integers(0, 300)))
def test_no_byte_is_lost_and_no_cut_makes_a_difference(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    items = split([stream])
    assert b"".join(item.raw for item in items) == stream
    assert items == split(each_byte(stream))
    assert items == split([stream[a:b] for a, b in itertools.pairwise(places)])


@given(streams, st.integers(1, 40))
def test_events_that_are_too_large_pass_unread_wherever_they_are_cut(stream: bytes, limit: int) -> None:
    whole, bytewise = split([stream], limit), split(each_byte(stream), limit)
    for items in (whole, bytewise):
        assert b"".join(item.raw for item in items) == stream
    assert [item for item in whole if not item.unread] == [item for item in bytewise if not item.unread]
    assert sum(len(item.raw) for item in whole if item.unread) == sum(
        len(item.raw) for item in bytewise if item.unread
    )


def test_a_too_large_event_is_not_held() -> None:
    splitter = Splitter(100)
    assert splitter.feed(b"data: " + b"x" * 80) == []
    assert sum(len(item.raw) for item in splitter.feed(b"x" * 80)) >= 160


@given(st.text('{}[]",\\ab', max_size=80).map(str.encode), st.integers(0, 80))
def test_elements_of_an_array_are_the_same_wherever_it_is_cut(array: bytes, at: int) -> None:
    whole, bytewise, halves = Elements(20), Elements(20), Elements(20)
    expected = whole.feed(array)
    assert [each for byte in each_byte(array) for each in bytewise.feed(byte)] == expected
    assert halves.feed(array[:at]) + halves.feed(array[at:]) == expected
    for elements in (whole, bytewise, halves):
        elements.finish()
    assert whole.unread_bytes == bytewise.unread_bytes == halves.unread_bytes
