"""Plain commands are read without the grammar, and come to the same."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from microloop_cli.core.progress.commands.parse import parse
from microloop_cli.core.progress.commands.plain import script_of

PROGRAM = st.sampled_from(
    ["ls", "./x", "/bin/b.py", "cd", "exit", "eval", ".", "export", "time", "2", "=", "'q'"]
)
WORD = st.sampled_from(
    [
        "-la",
        "a.py",
        "--flag=1",
        "a::b",
        "50%",
        "x@1",
        "2",
        "+3",
        "in",
        "do",
        "time",
        "~",
        "=",
        "==",
        "x==y",
        "-",
        "--",
    ]
    + [
        "*.py",
        "^x",
        "a?",
        "#x",
        "'q r'",
        '"s t"',
        '"a\\|b"',
        '"a\\"b"',
        "''",
        '""',
        "--x='y z'",
        "'a'\"b\"",
        '"$x"',
        "!",
    ]
) | st.text("abz09_./:@+%,=-*?~^'\"\\ $", min_size=1, max_size=6)
REDIRECT = st.sampled_from(
    ["2>&1", ">f", "> f", ">> f", "< f", "2>/dev/null", ">&2", "&> f", "1> f", "0> f", ">", ">'x y'"]
)
JOINER = st.sampled_from(["|", "||", "&&", ";", "\n", "&", "|&", ";;"])
ASSIGNMENTS = st.lists(st.sampled_from(["A=1", "B_2=", "C='x'", "D=a.b", "E=$x"]), max_size=2)
BLANK = st.sampled_from([" ", " ", " ", "  ", ""])


@st.composite
def commands(draw: st.DrawFn) -> str:
    """Words as agents write them, and some that only look so."""
    pieces: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        pieces += [draw(JOINER)] if number else []
        pieces += draw(ASSIGNMENTS)
        pieces += [draw(PROGRAM), *draw(st.lists(WORD, max_size=4)), *draw(st.lists(REDIRECT, max_size=2))]
    return "".join(piece + draw(BLANK) for piece in pieces)


@given(commands())
@example('cd /x && grep -n "def a" b/c.py 2>/dev/null | head -20')
@example("A=1 ls 'a b' > f 2>&1; pytest -q || true")
def test_plain_commands_come_to_what_the_grammar_says(command: str) -> None:
    assert script_of(command) == parse(command)


@given(
    st.sampled_from([">", ">>"]),
    st.text("ab<>'$\n\tEOF", max_size=12),
    st.sampled_from(["", "\n", "\nls -l", "\n\nls | wc\n", " x", "; ls"]),
)
@example(">", "", "")
@example(">", "a\n\tEOF\nb", "\nls")
def test_files_written_as_agents_do_come_to_what_the_grammar_says(sign: str, body: str, rest: str) -> None:
    command = f"cat <<'EOF' {sign} a/f.py\n{body}\nEOF{rest}"
    assert script_of(command) == parse(command)
