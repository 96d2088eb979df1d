"""What the agent wrote comes out so that nothing in it can act."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.bundle.harmless import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nand more", "plain\ttext\nand more"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]8;;http://x\x1b\\link", "\\x1b]8;;http://x\\x1b\\link"),
        ("ok\rfailed", "ok\\x0dfailed"),
        ("\x9b2J\x7f\x00", "\\x9b2J\\x7f\\x00"),
        ("user\u202egpj.exe\u2066x\u2069", "user\\u202egpj.exe\\u2066x\\u2069"),
        ("a\u200bb\ufeff\u2060", "a\\u200bb\\ufeff\\u2060"),
        ("\udce9\ud800", "\\udce9\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("grüße, 世界, 🎉", "grüße, 世界, 🎉"),
    ],
)
def test_what_acts_unseen_is_shown(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text(st.characters(codec=None)))
def test_harmless_once_is_harmless_for_good(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once


@given(st.text(st.characters(codec=None)))
def test_nothing_that_comes_out_is_a_control_or_cannot_be_printed(text: str) -> None:
    once = harmless(text)
    once.encode()
    assert {unicodedata.category(char) for char in once if char not in "\n\t"}.isdisjoint({"Cc", "Cs"})
    assert {unicodedata.bidirectional(char) for char in once}.isdisjoint(
        {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )
