"""A constant text with another image each time is another result each time."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Any

import pytest

from microloop_cli.core.progress.normalise import normalise
from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.history import results

TEXT = "Took a screenshot."


def png(seed: int, size: int = 300) -> str:
    return base64.b64encode(bytes([seed]) * size).decode()


def chat(data: str) -> dict[str, Any]:
    """As OpenHands sends it."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return _chat([{"type": "text", "text": TEXT}, image])


def chat_beside(data: str) -> dict[str, Any]:
    """Where a tool's message may hold text only, the image follows as the user's."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    request = _chat(TEXT)
    request["messages"].append({"role": "user", "content": [image]})
    return request


def _chat(content: Any) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "screenshot", "arguments": "{}"}}
    return {
        "messages": [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": content},
        ]
    }


def responses(data: str) -> dict[str, Any]:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{data}"}
    output = [{"type": "input_text", "text": TEXT}, image]
    return {"input": [{"type": "function_call_output", "call_id": "c", "output": output}]}


def responses_beside(data: str) -> dict[str, Any]:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{data}"}
    return {
        "input": [
            {"type": "function_call_output", "call_id": "c", "output": TEXT},
            {"type": "message", "role": "user", "content": [image]},
        ]
    }


def messages(data: str) -> dict[str, Any]:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    block = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": TEXT}, image]}
    return {"messages": [{"role": "user", "content": [block]}]}


def messages_beside(data: str) -> dict[str, Any]:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    block = {"type": "tool_result", "tool_use_id": "c", "content": TEXT}
    return {"messages": [{"role": "user", "content": [block, image]}]}


def generate(data: str) -> dict[str, Any]:
    image = {"inlineData": {"mimeType": "image/png", "data": data}}
    answer = {"id": "c", "name": "screenshot", "response": {"output": TEXT}, "parts": [image]}
    return {"contents": [{"role": "user", "parts": [{"functionResponse": answer}]}]}


def generate_beside(data: str) -> dict[str, Any]:
    """As gemini-cli sends it."""
    image = {"inlineData": {"mimeType": "image/png", "data": data}}
    answer = {"id": "c", "name": "screenshot", "response": {"output": TEXT}}
    return {"contents": [{"role": "user", "parts": [{"functionResponse": answer}, image]}]}


SHAPES = {
    "chat": chat, "chat beside": chat_beside, "responses": responses, "responses beside": responses_beside,
    "messages": messages, "messages beside": messages_beside,
    "generate": generate, "generate beside": generate_beside,
}  # fmt: skip


def text_of(name: str, data: str) -> str:
    surface: Surface = name.split()[0]  # type: ignore[assignment]
    (result,) = results(surface, json.dumps(SHAPES[name](data)).encode())
    return result.text


@pytest.mark.parametrize("name", SHAPES)
def test_another_image_is_another_result_and_the_same_one_is_not(name: str) -> None:
    first, again, other = text_of(name, png(1)), text_of(name, png(1)), text_of(name, png(2))
    assert first == again != other
    assert first.startswith(f"{TEXT}\n[image ")
    assert len(first) < 60


@pytest.mark.parametrize("name", SHAPES)
def test_what_tells_images_apart_is_not_masked_as_a_number(name: str) -> None:
    """Ids and hex words are, when results are compared."""
    for seed in range(50):
        text = text_of(name, png(seed)).encode()
        assert normalise(text) == text


def test_a_mark_of_the_prompt_cache_makes_no_other_image() -> None:
    plain = messages(png(1))
    marked = messages(png(1))
    marked["messages"][0]["content"][0]["content"][1]["cache_control"] = {"type": "ephemeral"}
    texts = [results("messages", json.dumps(each).encode())[0].text for each in (plain, marked)]
    assert texts[0] == texts[1]


def test_other_parts_are_told_by_their_kind() -> None:
    request = messages("")
    for part, kind in (
        ({"type": "tool_reference", "tool_name": "x"}, "tool_reference"),
        ({"type": "a b" * 1000}, "part"),
        ({"x": 1}, "part"),
    ):
        request["messages"][0]["content"][0]["content"][1] = part
        (result,) = results("messages", json.dumps(request).encode())
        assert result.text.startswith(f"{TEXT}\n[{kind} ")
    nothing: list[Any] = [{}, None, 7]
    for none in nothing:
        request["messages"][0]["content"][0]["content"][1] = none
        assert results("messages", json.dumps(request).encode())[0].text == TEXT


def test_megabytes_of_images_are_read_in_no_time_and_leave_a_word() -> None:
    data = base64.b64encode(os.urandom(6 * 2**20)).decode()
    body = json.dumps(messages(data)).encode()
    began = time.perf_counter()
    (result,) = results("messages", body)
    assert time.perf_counter() - began < 1.0
    assert (len(result.text) < 60, result.size_bytes) == (True, len(result.text))


def test_a_thousand_images_behind_a_result_are_bounded() -> None:
    request = generate_beside(png(1))
    request["contents"][0]["parts"] += [{"inlineData": {"mimeType": "image/png", "data": "AA"}}] * 1000
    (result,) = results("generate", json.dumps(request).encode())
    assert len(result.text) < 2_000
