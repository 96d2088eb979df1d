"""Values are found in JSON text, to the byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.wire.tools.spans import Path, spans

texts = st.text(st.sampled_from('ab"\\\n{}[],:é\ud83d '), max_size=6)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), texts),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(texts, below, max_size=4)),
    max_leaves=20,
)


def paths(value: Any, here: Path = ()) -> list[tuple[Path, Any]]:
    below: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    return [(here, value), *(found for key, each in below for found in paths(each, (*here, key)))]


@given(values, st.booleans(), st.sampled_from([None, 0, 2]))
def test_each_value_stands_where_it_is_found(value: Any, is_ascii: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    known = paths(value)
    found = spans(raw, [path for path, _ in known])
    assert found is not None
    for path, each in known:
        start, end = found[path]
        assert repr(json.loads(raw[start:end])) == repr(each)


@pytest.mark.parametrize("quotes", [1, 2, 3, 4, 7, 8])
def test_a_string_ends_at_a_quote_that_is_not_escaped(quotes: int) -> None:
    raw = b'["' + b"\\" * quotes + (b'", 1]' if quotes % 2 == 0 else b'"", 1]')
    assert spans(raw, [(1,)]) == {(1,): (len(raw) - 2, len(raw) - 1)}


@pytest.mark.parametrize("raw", [b"", b"{", b"[1", b'{"a"', b'{"a":', b'{"a" 1}', b"{'a':1}", b'"a', b"[,]"])
def test_what_is_no_json_has_no_spans(raw: bytes) -> None:
    assert spans(raw, [("a",)]) is None
    assert spans(raw, [(0, "a")]) is None


@given(st.binary(max_size=40))
def test_no_bytes_raise(raw: bytes) -> None:
    spans(b'{"a":[' + raw, [("a", 1), ("b",)])
    spans(raw, [("a", 1), (0,)])
