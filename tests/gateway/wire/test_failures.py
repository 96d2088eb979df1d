"""Errors that clients of each provider understand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microloop_cli.gateway.wire.registry import ask, cut, refusal
from tests.gateway.wire import samples

MESSAGE = "microloop: the run's cost limit of $1.00 is reached \ud800 \n\n"


def error_in(body: bytes) -> Any:
    return json.loads(body)["error"]


def test_a_refusal_has_the_shape_of_its_provider() -> None:
    bodies = [refusal(asked, 402, MESSAGE) for asked in (samples.CHAT, samples.MESSAGES, samples.GENERATE)]
    assert {kind for kind, _ in bodies} == {"application/json"}
    openai, anthropic, google = (error_in(body) for _, body in bodies)
    assert (openai["type"], openai["code"]) == ("insufficient_quota", "insufficient_quota")
    assert anthropic["type"] == "billing_error"
    assert json.loads(bodies[1][1])["type"] == "error"
    assert (google["code"], google["status"]) == (402, "FAILED_PRECONDITION")
    for error in (openai, anthropic, google):
        assert "cost limit of $1.00" in error["message"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 418, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("asked", [samples.CHAT, samples.MESSAGES, samples.GENERATE])
def test_every_status_has_an_error(asked: Any, status: int) -> None:
    assert error_in(refusal(asked, status, "no")[1])["message"] == "no"


def test_a_cut_chat_ends_with_an_error_and_is_not_done() -> None:
    end = cut(samples.CHAT, MESSAGE)
    assert error_in(end.removeprefix(b"data: "))["code"] == "insufficient_quota"
    assert end.endswith(b"}\n\n")
    assert end.count(b"\n\n") == 1


def test_a_cut_response_fails_for_good() -> None:
    failed, plain = (
        event.split(b"data: ")[1] for event in cut(samples.RESPONSES, MESSAGE).strip().split(b"\n\n")
    )
    assert json.loads(failed)["type"] == "response.failed"
    assert "cost limit of $1.00" in json.loads(failed)["response"]["error"]["message"]
    assert error_in(plain)["message"] == json.loads(plain)["message"]


def test_a_cut_claude_answer_ends_with_an_error_event() -> None:
    name, rest = cut(samples.MESSAGES, MESSAGE).split(b"\n", 1)
    assert name == b"event: error"
    assert error_in(rest.removeprefix(b"data: "))["type"] == "billing_error"


def test_a_cut_gemini_answer_ends_with_the_bare_error_and_no_blank_line() -> None:
    end = cut(samples.GENERATE, MESSAGE)
    assert error_in(end)["code"] == 402
    assert end.endswith(b"}")


def test_a_cut_of_an_unknown_stream_is_its_providers() -> None:
    asked = ask("POST", "/v1/messages/count_tokens", {}, b"{}")
    assert cut(asked, "no") == cut(samples.MESSAGES, "no")
