"""A bound on the output is written into a request; all else in it stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.wire.caps import capped
from microloop_cli.gateway.wire.registry import ask

PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "generate": "/v1beta/models/gemini-2.5-pro:generateContent",
}


def sent(path: str, document: Any, cap: int) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return json.loads(capped(ask("POST", path, {}, body), cap).body)


@pytest.mark.parametrize(
    ("surface", "given", "expected"),
    [
        ("chat", {"model": "gpt-5", "messages": []}, {"max_completion_tokens": 100}),
        ("chat", {"model": "llama3", "messages": []}, {"max_tokens": 100}),
        ("chat", {"model": "gpt-5", "prompt": "x"}, {"max_tokens": 100}),
        ("chat", {"model": "m", "messages": [], "max_tokens": 900, "max_completion_tokens": 50},
         {"max_tokens": 100, "max_completion_tokens": 50}),
        ("chat", {"model": "gpt-5", "messages": [], "max_tokens": "900"}, {"max_tokens": 100}),
        ("chat", {"model": "gpt-5", "messages": [], "max_tokens": None, "n": 4}, {"max_completion_tokens": 25, "n": 4}),
        ("chat", {"prompt": "x", "max_tokens": 900, "best_of": 5}, {"max_tokens": 20, "best_of": 5}),
        ("messages", {"model": "claude", "max_tokens": 64_000}, {"max_tokens": 100}),
        ("messages", {"max_tokens": 64, "thinking": {"type": "enabled", "budget_tokens": 9_000}}, {}),
        ("responses", {"model": "gpt-5"}, {"max_output_tokens": 100}),
        ("generate", {"contents": []}, {"generationConfig": {"maxOutputTokens": 100}}),
        ("generate", {"generation_config": {"max_output_tokens": 900, "temperature": 0.0}},
         {"generation_config": {"max_output_tokens": 100, "temperature": 0.0}}),
    ],
)  # fmt: skip
def test_the_bound_has_the_name_that_the_surface_gives_it(
    surface: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = sent(PATHS[surface], given, 100)
    assert found == {**given, **expected}


def test_what_is_capped_thinks_less_too() -> None:
    asked = {"max_tokens": 64_000, "thinking": {"type": "enabled", "budget_tokens": 32_000}}
    thinking = {"type": "enabled", "budget_tokens": 2_000}
    assert sent(PATHS["messages"], asked, 4_000) == {"max_tokens": 4_000, "thinking": thinking}


def test_a_request_that_asks_for_less_is_not_touched() -> None:
    asked = ask("POST", PATHS["chat"], {}, b'{ "model":"m",  "max_tokens":10 }')
    assert capped(asked, 100) is asked


def test_the_rest_of_a_request_stays_byte_for_byte() -> None:
    inner = b'[{"role": "user",  "content": "\\u00e9\\/ 1.0e3 \xc3\xa9", "n": 1.50}]'
    body = b'{"messages": ' + inner + b', "model": "m"}'
    assert inner in capped(ask("POST", PATHS["chat"], {}, body), 5).body


def test_a_lenient_servers_request_is_capped_too() -> None:
    body = b'{"model": "m", "temperature": NaN, "max_tokens": 5000}'
    assert b'"max_tokens":7' in capped(ask("POST", PATHS["chat"], {}, body), 7).body


@given(
    st.sampled_from(sorted(PATHS)),
    st.dictionaries(
        st.sampled_from(["max_tokens", "max_completion_tokens", "max_output_tokens", "n", "model", "generationConfig"]),
        st.none() | st.integers() | st.text(max_size=5) | st.booleans() | st.dictionaries(st.just("maxOutputTokens"), st.integers()),
    ),
    st.integers(0, 10**6),
)  # fmt: skip
def test_no_request_may_have_more_than_the_bound_afterwards(
    surface: str, document: dict[str, Any], cap: int
) -> None:
    asked = ask("POST", PATHS[surface], {}, json.dumps(document).encode())
    after = capped(asked, cap)
    again = ask("POST", PATHS[surface], {}, after.body)
    most = max(1, cap // asked.choices) * asked.choices
    assert again.max_output_tokens is not None
    assert again.max_output_tokens <= most
