"""Estimates are on the high side, and take time linear in what they read."""

from __future__ import annotations

import base64
import json

import pytest

from microloop_cli.gateway.wire import estimate
from microloop_cli.gateway.wire.estimate import IMAGE_TOKENS, REMOTE_TOKENS, input_tokens, text_bytes

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(30_000)).decode()
WAVE = base64.b64encode(b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(30_000)).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(30_000)).decode()


def test_all_text_of_a_request_counts_a_token_for_three_bytes_rounded_up() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 3000}], "tools": []}).encode()
    assert input_tokens(body) == -(-len(body) // 3)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}},
        {"type": "input_image", "image_url": "data:image/png;base64," + PNG},
        {"type": "image", "source": {"type": "base64", "data": PNG, "media_type": "image/png"}},
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"inline_data": {"mime_type": "odd", "data": PNG.replace("+", "-").replace("/", "_")}},
    ],
)
def test_an_image_in_a_request_has_a_flat_rate(part: dict[str, object]) -> None:
    assert IMAGE_TOKENS < input_tokens(json.dumps(part).encode()) < IMAGE_TOKENS + 100


def test_recordings_count_by_their_length_and_documents_as_text() -> None:
    audio = input_tokens(json.dumps({"data": WAVE}).encode())
    assert audio == pytest.approx(len(WAVE) / estimate.RECORDING_BYTES_PER_TOKEN, abs=10)
    assert input_tokens(json.dumps({"data": PDF}).encode()) >= len(PDF) / 3


def test_text_that_calls_itself_an_image_counts_as_text() -> None:
    prose = "the quick brown fox " * 1000
    for lie in ({"data": prose}, {"text": "data:image/png;base64," + prose}, {"data": "word" * 5000}):
        assert input_tokens(json.dumps(lie).encode()) > 6000


def test_what_the_provider_fetches_by_itself_counts() -> None:
    body = json.dumps({"image_url": {"url": "https://example.org/cat.png"}, "file_id": "file-1"}).encode()
    assert input_tokens(body) >= 2 * REMOTE_TOKENS


def test_an_image_in_an_answer_has_the_same_rate() -> None:
    assert text_bytes([{"inlineData": {"mimeType": "image/png", "data": PNG}}]) == IMAGE_TOKENS * 3


def test_arguments_given_as_json_count_with_their_keys() -> None:
    arguments = {"type": "x", "id": ["y"], "role": {"z": 1}}
    assert text_bytes({"functionCall": {"name": "f", "args": arguments}}) >= len(json.dumps(arguments)) - 10


def test_text_in_other_scripts_counts_by_its_bytes() -> None:
    assert text_bytes({"content": "漢字"}) == 6
