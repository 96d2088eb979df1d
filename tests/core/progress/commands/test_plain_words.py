"""Plain words are read without the grammar, and come to the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.commands.parse import parse
from microloop_cli.core.progress.commands.plain import script_of

WORD = st.sampled_from(
    [
        "ls",
        "-la",
        "a.py",
        "./x",
        "--flag=1",
        "a::b",
        "50%",
        "x@1",
        "2",
        "+3",
        "in",
        "do",
        "time",
        "export",
        "~",
        "=",
    ]
) | st.text("abz09_./:@%+,=-", min_size=1, max_size=6)


@given(st.lists(WORD, min_size=1, max_size=5).map(" ".join))
def test_plain_words_come_to_what_the_grammar_says(command: str) -> None:
    assert script_of(command) == parse(command)
