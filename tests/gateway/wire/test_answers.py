"""What a meter makes of an answer, however its bytes arrive."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.model import Asked, Usage
from microloop_cli.gateway.wire.registry import meter
from tests.gateway.wire import samples
from tests.gateway.wire.samples import JSON, SAMPLES, SSE, Sample

every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def read(
    asked: Asked, content_type: str, chunks: list[bytes], status: int = 200
) -> tuple[bytes, Usage | None]:
    reader = meter(asked, status, content_type)
    passed = b"".join(reader.feed(chunk) for chunk in chunks) + reader.finish()
    return passed, reader.usage()


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cuts), len(whole)]
    return [whole[a:b] for a, b in itertools.pairwise(places)]


@every_sample
def test_the_usage_is_the_providers_and_the_client_gets_the_providers_bytes(sample: Sample) -> None:
    assert read(sample.asked, sample.content_type, [sample.answer]) == (sample.passed, sample.known)


@every_sample
def test_an_answer_that_arrives_byte_by_byte_is_read_the_same(sample: Sample) -> None:
    chunks = [bytes([each]) for each in sample.answer]
    assert read(sample.asked, sample.content_type, chunks) == (sample.passed, sample.known)


@every_sample
def test_an_answer_split_in_two_anywhere_is_read_the_same(sample: Sample) -> None:
    for at in range(len(sample.answer)):
        chunks = [sample.answer[:at], sample.answer[at:]]
        assert read(sample.asked, sample.content_type, chunks) == (sample.passed, sample.known)


@every_sample
def test_a_cut_answer_is_charged_at_any_place_and_what_passed_is_not_changed(sample: Sample) -> None:
    for at in range(0, len(sample.answer), 7):
        passed, usage = read(sample.asked, sample.content_type, [sample.answer[:at]])
        assert sample.passed.startswith(passed[: len(sample.passed)]) or sample.asked.adds_usage
        assert usage is not None
        assert usage.estimated or usage.input_tokens == sample.known.input_tokens


@every_sample
def test_an_error_passes_through_and_costs_nothing(sample: Sample) -> None:
    assert read(sample.asked, sample.content_type, [sample.answer], status=429) == (sample.answer, None)


@pytest.mark.parametrize("mark", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("name", ["chat", "responses", "messages", "generate"])
def test_line_ends_of_any_kind_are_understood(name: str, mark: str) -> None:
    sample = SAMPLES[name]
    answer = sample.answer.replace(b"\n", mark.encode())
    assert read(sample.asked, SSE, [answer]) == (answer, sample.known)


@given(
    st.sampled_from(sorted(SAMPLES)),
    st.binary(max_size=400) | st.text('dataevent:{}[]"\\ \r\n,1choices', max_size=400).map(str.encode),
    st.lists(st.integers(0, 400)),
    st.sampled_from([SSE, JSON, "", "text/plain", "application/octet-stream"]),
)
def test_any_bytes_pass_unchanged_and_however_they_are_cut_are_charged_the_same(
    name: str, noise: bytes, cuts: list[int], content_type: str
) -> None:
    asked = SAMPLES[name].asked
    whole = read(asked, content_type, [noise])
    assert whole[0] == noise
    assert whole[1] is not None
    assert whole == read(asked, content_type, pieces(noise, [min(cut, len(noise)) for cut in cuts]))


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32))
def test_a_damaged_answer_is_never_free_and_never_an_exception(name: str, seed: int) -> None:
    sample = SAMPLES[name]
    dice = random.Random(seed)
    damaged = bytearray(sample.answer)
    for _ in range(dice.randrange(1, 30)):
        damaged[dice.randrange(len(damaged))] = dice.choice(b'{}[]",:\n\r\\\x00\xff09edtnull')
    at = dice.randrange(len(damaged))
    whole = read(sample.asked, sample.content_type, [bytes(damaged)])
    assert whole[1] is not None
    assert whole == read(sample.asked, sample.content_type, [bytes(damaged[:at]), bytes(damaged[at:])])


def test_nothing_is_known_before_the_first_byte() -> None:
    assert meter(samples.CHAT, 200, SSE).usage() is None


def test_output_is_seen_while_it_passes() -> None:
    reader = meter(samples.CHAT, 200, SSE)
    reader.feed(samples.data(samples.chunk({"content": "x" * 299})))
    assert reader.seen_output_tokens() == 100
    reader.feed(samples.CHAT_USAGE_EVENT)
    assert reader.seen_output_tokens() == 300


def test_only_whole_events_are_passed_on_so_that_a_cut_is_clean() -> None:
    reader = meter(samples.MESSAGES, 200, SSE)
    first, second = samples.named({"type": "ping"}), samples.named({"type": "message_stop"})
    assert reader.feed(first + second[:20]) == first


def test_a_keep_alive_comment_is_not_held_back() -> None:
    assert meter(samples.CHAT, 200, SSE).feed(b": OPENROUTER PROCESSING\n") == b": OPENROUTER PROCESSING\n"
