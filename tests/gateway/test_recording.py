"""Recorded model calls: found again by what was asked, whatever differs from run to run without meaning."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.bundle.model_records import About, ModelRecord
from microloop_cli.gateway.recording.conversation import difference, lines_of
from microloop_cli.gateway.recording.tape import Missing, Tape


def chat(*said: tuple[str, object], system: str = "You fix things. Today is 2026-11-20.") -> bytes:
    messages: list[dict[str, object]] = [{"role": "system", "content": system}]
    messages += [{"role": role, "content": text} for role, text in said]
    return json.dumps({"model": "m", "messages": messages}).encode()


def record(n: int, request: bytes, answer: bytes = b"{}", status: int = 200) -> ModelRecord:
    about = About(
        n=n, call=n, method="POST", target="/v1/chat/completions", surface="chat", model="m", status=status,
        content_type="application/json",
    )  # fmt: skip
    return ModelRecord(about, request, answer)


def tape(*records: ModelRecord) -> Tape:
    return Tape(records, recorded_in="/home/ann/shop", workspace="/ci/build/shop", run="r1")


def ask(tape: Tape, body: bytes) -> ModelRecord | Missing:
    return tape.answer("POST", "/v1/chat/completions", "chat", "m", body)


def test_the_same_conversation_gets_its_answer_although_clock_place_and_system_prompt_differ() -> None:
    recorded = chat(("user", "fix it"), ("tool", "in /home/ann/shop: 1 failed in 0.31s at 12:01:07"))
    asked = chat(
        ("user", "fix it"), ("tool", "in /ci/build/shop: 1 failed in 4.02s at 23:59:59"), system="other"
    )
    found = ask(tape(record(1, recorded, b"one")), asked)
    assert isinstance(found, ModelRecord)
    assert found.answer == b"one"


def test_the_ids_that_codex_gives_to_outputs_make_no_difference() -> None:
    recorded = chat(("tool", "Chunk ID: d228b7\nWall time: 0.1 seconds\nOutput:\n1 failed"))
    asked = chat(("tool", "Chunk ID: 18d57d\nWall time: 0.3 seconds\nOutput:\n1 failed"))
    assert isinstance(ask(tape(record(1, recorded)), asked), ModelRecord)


def test_equal_requests_get_their_answers_in_the_recorded_order_and_then_the_last_again() -> None:
    body = chat(("user", "again"))
    served = tape(record(1, body, b"one"), record(2, body, b"two"))
    answers = [ask(served, body) for _ in range(3)]
    assert [answer.answer for answer in answers if isinstance(answer, ModelRecord)] == [
        b"one",
        b"two",
        b"two",
    ]


def test_an_answer_that_only_said_try_again_later_is_not_served() -> None:
    body = chat(("user", "again"))
    found = ask(tape(record(1, body, b"busy", status=429), record(2, body, b"two")), body)
    assert isinstance(found, ModelRecord)
    assert found.answer == b"two"


def test_what_was_not_recorded_is_said_with_the_line_that_differs() -> None:
    served = tape(
        record(1, chat(("user", "fix the tests"))), record(2, chat(("user", "x"), ("tool", "2 failed")))
    )
    missing = ask(served, chat(("user", "x"), ("tool", "3 failed")))
    assert isinstance(missing, Missing)
    assert "record 2" in missing.message
    assert "-tool: 2 failed" in missing.message
    assert "+tool: 3 failed" in missing.message


def test_another_model_or_another_place_is_another_request() -> None:
    body = chat(("user", "x"))
    served = tape(record(1, body))
    assert isinstance(served.answer("POST", "/v1/chat/completions", "chat", "other", body), Missing)
    assert isinstance(served.answer("POST", "/v1/embeddings", "other", "m", body), Missing)


def test_a_difference_is_short_however_long_the_conversations_are() -> None:
    text = difference(["a" * 10_000] * 1000, ["b" * 10_000] * 1000)
    assert len(text) < 10_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(body=st.binary() | json_values.map(lambda value: json.dumps({"messages": value, "x": value}).encode()))
def test_no_request_is_too_odd_to_be_compared(body: bytes) -> None:
    assert lines_of("m", body, "/w") == lines_of("m", body, "/w")
