"""Odd answers of real servers: the count errs on the side of charging."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microloop_cli.gateway.model import Asked, Usage
from microloop_cli.gateway.wire import meters, responses
from microloop_cli.gateway.wire.registry import ask, meter
from tests.gateway.wire import samples
from tests.gateway.wire.samples import JSON, SSE, asked_for, chunk, data, named


def usage_of(asked: Asked, answer: Any, content_type: str = JSON) -> Usage:
    reader = meter(asked, 200, content_type)
    reader.feed(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
    reader.finish()
    usage = reader.usage()
    assert usage is not None
    return usage


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (samples.CHAT, samples.CHAT_TEXT),
        (samples.RESPONSES, samples.RESPONSES_TEXT),
        (samples.GENERATE, data(*samples.GENERATE_PIECES[1:2])),
    ],
)
def test_an_answer_without_usage_is_estimated_from_what_was_asked_and_said(
    asked: Asked, answer: bytes
) -> None:
    usage = usage_of(asked, answer, SSE)
    assert usage.estimated
    assert usage.input_tokens == asked.input_estimate_tokens
    assert usage.output_tokens >= 5


def test_text_reasoning_and_tool_arguments_all_count_in_an_estimate() -> None:
    said: list[dict[str, Any]] = [
        {"content": "x" * 30},
        {"reasoning_content": "y" * 30},
        {"tool_calls": [{"function": {"arguments": "z" * 30}}]},
    ]
    assert usage_of(samples.CHAT, data(*[chunk(each) for each in said]), SSE).output_tokens == 30


def test_a_claude_stream_cut_before_its_end_has_its_true_input_and_an_estimated_output() -> None:
    usage = usage_of(samples.MESSAGES, samples.MESSAGES_TEXT, SSE)
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (9312, 9000, 300)
    assert usage.estimated
    assert usage.output_tokens > len("The tests must be run.") / 3


def test_text_after_the_last_usage_is_added_to_it() -> None:
    answer = data(chunk({"content": "a"}, usage=samples.CHAT_USAGE), chunk({"content": "x" * 30}))
    usage = usage_of(samples.CHAT, answer, SSE)
    assert (usage.output_tokens, usage.estimated) == (310, True)


def test_reasoning_that_a_server_leaves_out_of_completion_tokens_is_taken_from_the_total() -> None:
    answer = {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}}
    assert usage_of(samples.CHAT, answer).output_tokens == 105


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": -5, "completion_tokens": "9"},
        [],
        "x",
        None,
    ],
)
def test_usage_that_says_nothing_is_replaced_by_an_estimate(usage: Any) -> None:
    found = usage_of(samples.CHAT, {"choices": [{"message": {"content": "x" * 30}}], "usage": usage})
    assert (found.output_tokens, found.estimated) == (10, True)
    assert found.input_tokens == samples.CHAT.input_estimate_tokens


@pytest.mark.parametrize(
    ("usage", "cached", "written"),
    [
        ({"prompt_cache_hit_tokens": 64}, 64, 0),
        ({"cached_tokens": 64}, 64, 0),
        ({"prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 20}}, 64, 20),
        ({"prompt_tokens_details": None}, 0, 0),
        ({"cached_tokens": 10**30}, 100, 0),
    ],
)
def test_caching_is_read_as_each_server_tells_it(usage: dict[str, Any], cached: int, written: int) -> None:
    found = usage_of(samples.CHAT, {"usage": {"prompt_tokens": 100, "completion_tokens": 5, **usage}})
    assert (found.cached_tokens, found.cache_write_tokens) == (cached, written)


def test_usage_inside_the_last_choice_is_read() -> None:
    last = {"choices": [{"index": 0, "delta": {}, "usage": {"prompt_tokens": 7, "completion_tokens": 3}}]}
    assert usage_of(samples.CHAT, data(last), SSE) == Usage(input_tokens=7, output_tokens=3)


def test_the_turns_of_a_compacted_claude_call_are_added_up() -> None:
    turns = [
        {"input_tokens": 9000, "output_tokens": 500},
        {"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 20},
    ]
    usage = usage_of(
        samples.MESSAGES,
        {"content": [], "usage": {"input_tokens": 100, "output_tokens": 20, "iterations": turns}},
    )
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (9150, 50, 520)


def test_a_response_made_in_the_background_is_charged_before_it_is_told() -> None:
    usage = usage_of(samples.RESPONSES, {"status": "queued", "output": [], "usage": None})
    assert usage.output_tokens == responses.UNTOLD_BACKGROUND_TOKENS


def test_a_failed_response_is_charged_what_it_tells() -> None:
    failed = {"type": "response.incomplete", "response": {"usage": samples.RESPONSES_USAGE}}
    assert usage_of(samples.RESPONSES, named(failed), SSE) == samples.RESPONSES_KNOWN


def test_a_completed_response_without_usage_counts_its_output_once() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "x" * 30}]}]
    events = named(
        {"type": "response.output_text.delta", "delta": "x" * 30},
        {"type": "response.completed", "response": {"output": output}},
    )
    assert usage_of(samples.RESPONSES, events, SSE).output_tokens == 10


def test_a_body_too_large_to_be_read_is_charged_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "MAX_BODY_BYTES", 100)
    assert usage_of(samples.CHAT, b"x" * 303).output_tokens == 101


def test_embeddings_cost_what_they_tell_and_counting_and_listing_nothing() -> None:
    told = asked_for("/v1/embeddings", model="text-embedding-3-small", input="x")
    assert usage_of(told, {"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}) == Usage(
        input_tokens=8
    )
    for asked in (asked_for("/v1/messages/count_tokens", model="claude"), ask("GET", "/v1/models", {}, b"")):
        reader = meter(asked, 200, JSON)
        reader.feed(b'{"input_tokens": 14}')
        reader.finish()
        assert reader.usage() is None


def test_reading_a_stored_response_again_costs_nothing() -> None:
    reader = meter(ask("GET", "/v1/responses/resp_1", {}, b""), 200, JSON)
    reader.feed(samples.RESPONSES_BODY)
    reader.finish()
    assert reader.usage() is None


def test_a_stream_on_an_unknown_path_is_charged() -> None:
    asked = asked_for("/v1/novel/path", model="gpt-5", stream=True)
    assert usage_of(asked, samples.CHAT_STREAM, SSE) == samples.CHAT_KNOWN
    assert usage_of(asked, samples.CHAT_TEXT, SSE).estimated


def test_half_a_surrogate_pair_in_an_answer_does_not_hide_its_usage() -> None:
    answer = samples.CHAT_BODY.replace(b"Done.", b"cut emoji \\ud83d")
    assert usage_of(samples.CHAT, answer) == samples.CHAT_KNOWN


@pytest.mark.parametrize("sample", samples.SAMPLES.values(), ids=samples.SAMPLES.keys())
def test_finishing_twice_counts_once(sample: samples.Sample) -> None:
    reader = meter(sample.asked, 200, sample.content_type)
    reader.feed(sample.answer[:-40])
    reader.finish()
    once = reader.usage()
    assert reader.finish() == b""
    assert reader.usage() == once


def test_a_body_whose_client_left_in_the_middle_is_charged_by_what_there_was() -> None:
    reader = meter(samples.CHAT, 200, JSON)
    reader.feed(samples.CHAT_BODY[:100])
    reader.finish()
    usage = reader.usage()
    assert usage is not None
    assert (usage.output_tokens, usage.estimated) == (34, True)
