"""What is read from a request, and what is sent on of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.wire.registry import ask
from tests.gateway.wire.samples import asked_for

GEMINI = "/v1beta/models/gemini-2.5-pro"


@pytest.mark.parametrize(
    ("method", "path", "provider", "surface"),
    [
        ("POST", "/v1/chat/completions", "openai", "chat"),
        ("POST", "/chat/completions", "openai", "chat"),
        ("POST", "/v1beta/openai/chat/completions", "openai", "chat"),
        ("POST", "/v1/completions", "openai", "chat"),
        ("POST", "/v1/responses", "openai", "responses"),
        ("POST", "/responses?api-version=1", "openai", "responses"),
        ("GET", "/v1/responses", "openai", "other"),
        ("GET", "/v1/responses/resp_1", "openai", "other"),
        ("POST", "/v1/threads/thread_1/messages", "openai", "other"),
        ("POST", "/v1/messages?beta=true", "anthropic", "messages"),
        ("POST", "/v1/messages/count_tokens", "anthropic", "other"),
        ("POST", GEMINI + ":generateContent", "google", "generate"),
        ("POST", GEMINI + ":streamGenerateContent?alt=sse", "google", "generate"),
        ("POST", GEMINI + ":countTokens", "google", "other"),
        ("GET", "/v1beta/models", "google", "other"),
        ("GET", "/v1/models", "openai", "other"),
        ("POST", "/v1/embeddings", "openai", "other"),
        # Spellings that a lenient server takes for the same path
        ("POST", "//v1///chat/completions/", "openai", "chat"),
        ("POST", "/v1/x/../chat/./completions", "openai", "chat"),
        ("POST", "/V1/Chat/Completions", "openai", "chat"),
        ("POST", "/v1/chat%2Fcompletions", "openai", "chat"),
        ("POST", "/v1/chat/completions;v=1#x", "openai", "chat"),
        ("POST", "http://api.openai.com/v1/chat/completions", "openai", "chat"),
        ("post", "/v1/messages", "anthropic", "messages"),
    ],
)
def test_the_path_says_provider_and_surface(method: str, path: str, provider: str, surface: str) -> None:
    asked = ask(method, path, {}, b"{}" if method != "GET" else b"")
    assert (asked.provider, asked.surface) == (provider, surface)


@pytest.mark.parametrize(
    ("headers", "provider"),
    [({"Anthropic-Version": "2023-06-01"}, "anthropic"), ({"X-Goog-Api-Key": "k"}, "google"), ({}, "openai")],
)
def test_a_path_that_providers_share_is_told_by_the_headers(headers: dict[str, str], provider: str) -> None:
    assert ask("GET", "/v1/models", headers, b"").provider == provider


def test_chat_says_model_stream_and_most_output() -> None:
    asked = asked_for(
        "/v1/chat/completions", model="gpt-5", stream=True, max_tokens=5, max_completion_tokens=100, n=3
    )
    assert (asked.model, asked.stream, asked.max_output_tokens) == ("gpt-5", True, 300)


def test_the_other_surfaces_say_it_in_their_own_words() -> None:
    responses = asked_for("/v1/responses", model="gpt-5", max_output_tokens=7)
    messages = asked_for("/v1/messages", model="claude", max_tokens=8)
    generate = asked_for(
        GEMINI + ":streamGenerateContent", generationConfig={"maxOutputTokens": 9, "candidateCount": 2}
    )
    assert [each.max_output_tokens for each in (responses, messages, generate)] == [7, 8, 18]
    assert (generate.model, generate.stream) == ("gemini-2.5-pro", True)


def test_usage_is_asked_for_where_a_streaming_client_does_not_and_nothing_else_changes() -> None:
    body = b'{ "stream" : true, "model": "m", "temperature": 1.0e0 }\n'
    asked = ask("POST", "/v1/chat/completions", {}, body)
    assert asked.adds_usage
    assert (
        asked.body
        == b'{ "stream" : true, "model": "m", "temperature": 1.0e0 ,"stream_options":{"include_usage":true}}'
    )


@pytest.mark.parametrize(
    "options", [None, {}, {"include_usage": False}, {"include_obfuscation": False}, "odd"]
)
def test_the_clients_own_stream_options_are_kept(options: Any) -> None:
    asked = asked_for(
        "/v1/chat/completions", stream=True, stream_options=options, messages=[{"content": "ä"}]
    )
    sent = json.loads(asked.body)
    assert asked.adds_usage
    assert sent["stream_options"] == {**(options if isinstance(options, dict) else {}), "include_usage": True}
    assert sent["messages"] == [{"content": "ä"}]


@pytest.mark.parametrize(
    "more", [{"stream": True, "stream_options": {"include_usage": True}}, {"stream": False}, {}]
)
def test_a_body_that_needs_no_change_is_sent_as_it_came(more: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", **more}).encode()
    asked = ask("POST", "/v1/chat/completions", {}, body)
    assert asked.body is body
    assert not asked.adds_usage


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe{", b"[" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", GEMINI + ":generateContent"]
)
def test_what_is_no_json_object_is_left_as_it_is(path: str, body: bytes) -> None:
    asked = ask("POST", path, {}, body)
    assert (asked.surface, asked.body) == ("other", body)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = [
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "max_output_tokens",
    "n",
    "generationConfig",
    "messages",
]


@given(
    st.sampled_from(
        ["/v1/chat/completions", "/v1/responses", "/v1/messages", GEMINI + ":generateContent", "/x"]
    ),
    st.dictionaries(st.sampled_from(_KEYS), _json) | _json,
)
def test_any_json_is_understood_or_left_alone(path: str, body: Any) -> None:
    asked = (
        asked_for(path, **body)
        if isinstance(body, dict)
        else ask("POST", path, {}, json.dumps(body).encode())
    )
    sent = json.loads(asked.body)
    if asked.adds_usage:
        assert sent.pop("stream_options")["include_usage"] is True
        body.pop("stream_options", None)
    assert sent == body


@given(
    st.sampled_from(["GET", "POST", "ODD"]),
    st.text() | st.text("/%2e.:;?#\\v1chatmessages", max_size=60),
    st.binary(max_size=200),
)
def test_any_request_is_taken_without_an_exception(method: str, path: str, body: bytes) -> None:
    assert ask(method, path, {}, body).body == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "m", "stream": true, "temperature": NaN}',
        b'{"model": "m", "stream": true, "messages": [{"content": "cut emoji \\ud83d"}]}',
        '{"model": "m", "stream": true}'.encode("utf-16"),
        b'\xef\xbb\xbf{"model": "m", "stream": true}',
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
def test_what_only_a_lenient_server_takes_for_json_is_a_model_call_all_the_same(
    path: str, body: bytes
) -> None:
    asked = ask("POST", path, {}, body)
    assert (asked.surface != "other", asked.model, asked.stream) == (True, "m", True)
    assert json.loads(asked.body).get("stream_options", {}).get("include_usage", False) is asked.adds_usage
    if not asked.adds_usage:
        assert asked.body is body
