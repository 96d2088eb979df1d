"""Which requests cost, wherever they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microloop_cli.gateway.wire.registry import ask

MODEL = {"model": "m"}


@pytest.mark.parametrize(
    ("path", "document", "model"),
    [
        ("/api/chat", MODEL, "m"),
        ("/api/generate", MODEL, "m"),
        ("/v1/embeddings", MODEL, "m"),
        ("/v1/rerank", MODEL, "m"),
        ("/v1/images/generations", {"prompt": "x"}, ""),
        ("/v1/audio/speech", MODEL, "m"),
        ("/v1/responses/compact", MODEL, "m"),
        ("/any/path/at/all", MODEL, "m"),
        ("/model/anthropic.claude-v2/invoke", {"prompt": "x"}, "anthropic.claude-v2"),
        ("/model/anthropic.claude-v2/converse-stream", {}, "anthropic.claude-v2"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/claude-3:streamRawPredict", {"a": 1}, "claude-3"),
        ("/v1beta/models/gemini-embedding-001:embedContent", {"content": {}}, "gemini-embedding-001"),
        ("/openai/deployments/gpt/embeddings", {"input": "x"}, "gpt"),
    ],
)  # fmt: skip
def test_what_asks_a_model_is_a_model_call_on_every_path(path: str, document: Any, model: str) -> None:
    asked = ask("POST", path, {}, json.dumps(document).encode())
    assert (asked.billing, asked.model, asked.surface) == ("metered", model, "other")


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("GET", "/v1/models", None),
        ("DELETE", "/v1/responses/r1", None),
        ("POST", "/v1/messages/count_tokens", MODEL),
        ("POST", "/v1beta/models/gemini-2.5-pro:countTokens", {"contents": []}),
        ("POST", "/v1/responses/input_tokens", MODEL),
        ("POST", "/api/show", MODEL),
        ("POST", "/v1/responses/r1/cancel", None),
        ("POST", "/api/event_logging/batch_of_events", {"events": []}),
    ],
)
def test_what_asks_no_model_is_free(method: str, path: str, document: Any) -> None:
    body = b"" if document is None else json.dumps(document).encode()
    assert ask(method, path, {}, body).billing == "free"


@pytest.mark.parametrize(
    "path",
    ["/v1/messages/batches", "/v1/batches", "/v1beta/models/gemini-2.5-pro:batchGenerateContent", "/v1/fine_tuning/jobs",
     "/v1/threads/t1/runs", "/v1/threads/runs", "/v1/realtime/sessions", "/v1/videos", "//v1//%62atches/../batches?x=1"],
)  # fmt: skip
def test_work_whose_bill_comes_later_is_uncountable(path: str) -> None:
    assert ask("POST", path, {}, json.dumps(MODEL).encode()).billing == "uncountable"


def test_the_model_of_a_form_is_found() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        b'RIFF\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    )
    asked = ask("POST", "/v1/audio/transcriptions", {}, body)
    assert (asked.billing, asked.model) == ("metered", "whisper-1")


@pytest.mark.parametrize(
    ("path", "document", "mode"),
    [
        ("/v1/chat/completions", {"service_tier": "priority"}, "priority"),
        ("/v1/chat/completions", {"service_tier": "auto"}, ""),
        ("/v1/responses", {"service_tier": "flex"}, "flex"),
        ("/v1/messages", {"speed": "fast"}, "fast"),
        ("/v1/messages", {"service_tier": "standard_only"}, ""),
        ("/v1/messages", {"service_tier": ["fast"]}, ""),
    ],
)
def test_the_service_tier_is_read_from_the_request(path: str, document: Any, mode: str) -> None:
    assert ask("POST", path, {}, json.dumps(document).encode()).mode == mode
