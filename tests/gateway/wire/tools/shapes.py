"""Requests and answers of the right words in any shape, for tests that nothing raises."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

KEYS = [
    "messages", "input", "contents", "role", "content", "parts", "tool_calls", "function_call",
    "function", "custom", "id", "call_id", "name", "arguments", "args", "input", "type", "tool_use_id",
    "tool_call_id", "is_error", "output", "response", "error", "stdout", "stderr", "action", "command",
    "commands", "operation", "functionCall", "functionResponse", "text", "choices", "delta", "message",
    "index", "finish_reason", "candidates", "item", "content_block", "partial_json", "status",
]  # fmt: skip
WORDS = [
    "assistant", "model", "tool", "function", "user", "tool_use", "tool_result", "text", "function_call",
    "function_call_output", "custom_tool_call", "custom_tool_call_output", "local_shell_call",
    "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
    "apply_patch_call_output", "call_1", "call_2", "bash", "{}", "response.completed",
    "response.output_item.done", "content_block_start", "content_block_delta", "content_block_stop",
    "message",
]  # fmt: skip

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.just(1e400),
    st.sampled_from(WORDS),
    st.sampled_from(["", "a\nb", 'say "x" \\', "\ud83d", "é"]),
)
shapes: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda below: st.one_of(
        st.lists(below, max_size=4), st.dictionaries(st.sampled_from(KEYS), below, max_size=6)
    ),
    max_leaves=25,
)

_ids = st.sampled_from(["", "call_1", "call_2", None, 7])
_names = st.sampled_from(["bash", "read", "", None])
_contents = st.one_of(
    plain,
    st.lists(
        st.one_of(plain, st.fixed_dictionaries({"type": st.just("text"), "text": plain}), shapes), max_size=3
    ),
)
_turns = st.one_of(
    st.fixed_dictionaries(
        {
            "role": st.just("assistant"),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {"id": _ids, "function": st.fixed_dictionaries({"name": _names, "arguments": plain})}
                ),
                max_size=3,
            ),
        }
    ),
    st.fixed_dictionaries(
        {"role": st.sampled_from(["tool", "function"]), "tool_call_id": _ids, "name": _names},
        optional={"content": _contents},
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from([word for word in WORDS if "_call" in word]),
            "call_id": _ids,
            "name": _names,
        },
        optional={"output": _contents, "action": shapes, "input": plain},
    ),
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant"]),
            "content": st.lists(
                st.one_of(
                    st.fixed_dictionaries({"type": st.just("tool_use"), "id": _ids, "name": _names}),
                    st.fixed_dictionaries(
                        {"type": st.just("tool_result"), "tool_use_id": _ids}, optional={"content": _contents}
                    ),
                ),
                max_size=3,
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "model"]),
            "parts": st.lists(
                st.one_of(
                    st.fixed_dictionaries(
                        {"functionCall": st.fixed_dictionaries({"name": _names, "args": shapes})}
                    ),
                    st.fixed_dictionaries(
                        {
                            "functionResponse": st.fixed_dictionaries(
                                {"name": _names}, optional={"id": _ids, "response": shapes}
                            )
                        }
                    ),
                ),
                max_size=3,
            ),
        }
    ),
    shapes,
)


def _request(turns: list[Any]) -> dict[str, Any]:
    return {"model": "m", "messages": turns, "input": turns, "contents": turns, "x": 1.50}


requests = st.lists(_turns, max_size=6).map(_request)
