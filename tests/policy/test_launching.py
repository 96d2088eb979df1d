"""An agent's extra words stand right behind its own program, whatever it is started through."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.policy.launching import program_names, with_words

NAMES = ("codex", "@openai/codex", "minisweagent")
WORDS = ["-c", 'a="b c"']


@pytest.mark.parametrize(
    "command",
    [
        "codex | exec x", "/opt/bin/codex | exec", "codex |", "env A=1 codex | exec", "node /x/.bin/codex | exec",
        "npx -y @openai/codex | exec x", "npx -y @openai/codex@0.169.0 | exec", "npx codex | exec",
        "npx --package @openai/codex codex | exec", "npx --package=@openai/codex codex | exec codex",
        "npm exec --yes -- @openai/codex | exec", "bunx @openai/codex | exec", "timeout -k 5 60 codex | exec",
        "timeout 60 npx -y @openai/codex | exec", "node /x/npx-cli.js -y @openai/codex | exec",
        "python3 -m minisweagent | -y", "uv run --with x python -m minisweagent | -y", "nice -n 5 codex | exec",
        "env A=1 wrapper | exec codex",
    ],
)  # fmt: skip
def test_words_stand_behind_the_agents_own_program(command: str) -> None:
    before, _, after = command.partition("|")
    expected = (*before.split(), *WORDS, *after.split())
    assert with_words([*before.split(), *after.split()], NAMES, WORDS) == expected


def test_npm_is_kept_from_taking_the_words_for_its_own() -> None:
    assert with_words(["npm", "exec", "@openai/codex", "exec"], NAMES, WORDS) == (
        "npm", "exec", "@openai/codex", "--", *WORDS, "exec",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("codex exec 'a; b'", "codex -c 'a=\"b c\"' exec 'a; b'"),
        ("cd sub && A=1 exec codex", "cd sub && A=1 exec codex -c 'a=\"b c\"'"),
        ('npx -y @openai/codex exec "$P" >log', 'npx -y @openai/codex -c \'a="b c"\' exec "$P" >log'),
    ],
)
def test_words_are_quoted_into_a_shell_command(command: str, expected: str) -> None:
    assert with_words(("bash", "-lc", command), NAMES, WORDS) == ("bash", "-lc", expected)


@pytest.mark.parametrize("command", ["codex; other", "for f in *; do codex; done", "a\ncodex", "", "'"])
def test_a_shell_command_that_does_more_than_start_the_agent_stays_as_it_is(command: str) -> None:
    assert with_words(("sh", "-c", command), NAMES, WORDS) is None


def test_a_launcher_that_starts_nothing_has_no_place_for_words() -> None:
    assert with_words(("npx", "-y"), NAMES, WORDS) is None
    assert with_words((), NAMES, WORDS) is None


WORD = st.one_of(
    st.sampled_from(
        ["npx", "-y", "env", "A=1", "sh", "-c", "timeout", "60", "uv", "run", "node", "codex", "--"]
    ),
    st.text(max_size=12),
)


@given(st.lists(WORD, max_size=8))
def test_no_word_of_the_user_is_lost_or_changed(argv: list[str]) -> None:
    changed = with_words(argv, NAMES, WORDS)
    if changed is None or len(changed) == len(argv):
        return
    rest = [word for word in changed if word not in WORDS and word != "--"]
    assert rest == [word for word in argv if word not in WORDS and word != "--"]
    assert isinstance(program_names(argv), frozenset)


@given(st.text(alphabet="codex &;|'\"\\$()<>\n=aA1", max_size=30))
def test_in_a_shell_command_the_words_come_to_the_program_and_nothing_else_is_changed(command: str) -> None:
    changed = with_words(("sh", "-c", command), ("codex",), WORDS)
    if changed is not None:
        assert changed[2].replace(" " + shlex.join(WORDS), "", 1) == command
