"""What a profile adds for the doors: filled in where there is something to fill in, never against the user."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.policy.agent_setup import (
    VALUES,
    AgentSetup,
    filled,
    home_files,
    setup_variables,
    with_arguments,
)
from microloop_cli.policy.profiles import load_agent, parse_agent, profile_names

FULL = {name: f"<{name}>" for name in VALUES}
NO_KEYS = {name: text for name, text in FULL.items() if "_key" not in name}


def setup(text: str) -> AgentSetup:
    return parse_agent(text.encode(), "p.yaml").setup


def test_variables_files_and_words_are_filled_in() -> None:
    told = setup(
        'environment: {A: "{openai}/x", B: plain}\n'
        "arguments:\n  - words: [-c, 'url=\"{google}\"']\n"
        'home: {.x/y.json: \'{"key":"{openai_key}"}\'}\n'
    )
    assert setup_variables(told, FULL) == {"A": "<openai>/x", "B": "plain"}
    assert home_files(told, FULL) == {".x/y.json": '{"key":"<openai_key>"}'}
    assert with_arguments(("a", "run"), told, ("a",), FULL) == ("a", "-c", 'url="<google>"', "run")


def test_what_needs_a_value_that_is_not_there_is_left_out_whole() -> None:
    told = setup(
        'environment: {A: "{openai_key}", B: "{home}"}\n'
        "arguments:\n  - words: [--url, '{openai}']\n    needs: [openai_key]\n  - words: [-q]\n"
    )
    assert setup_variables(told, NO_KEYS) == {"B": "<home>"}
    assert with_arguments(("a", "run"), told, ("a",), NO_KEYS) == ("a", "-q", "run")


@pytest.mark.parametrize(
    "chosen", [["--auth", "x"], ["--auth=x"], ["-c", "exec", "--auth"], ["sh", "-c", "a --auth x"]]
)
def test_what_the_user_chose_himself_is_not_told_again(chosen: list[str]) -> None:
    told = setup("arguments:\n  - words: [--auth, ours]\n    unless: --auth(=.*)?\n")
    argv = chosen if chosen[0] == "sh" else ["a", *chosen]
    assert with_arguments(argv, told, ("a",), FULL) == tuple(argv)
    assert with_arguments(("a", "fix --auth please"), told, ("a",), FULL)[1:3] == ("--auth", "ours")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environment: {A: '{opnai}'}\n", "p.yaml:1: environment.A: there is no value {opnai}"),
        ("environment:\n  A: 1\n", "p.yaml:2: environment.A: expected str, got int"),
        ("environment:\n  A: x\n  A B: x\n", "p.yaml:3: environment.A B: is no name of a variable"),
        ("environment: [A]\n", "p.yaml:1: environment: expected keys and values below it"),
        ("home: {/etc/passwd: x}\n", "p.yaml:1: home./etc/passwd: is no path below HOME"),
        ("home: {a/../../b: x}\n", "p.yaml:1: home.a/../../b: is no path below HOME"),
        ("home: {a: {b: c}}\n", "p.yaml:1: home.a: expected a text, found keys below it"),
        ('home: {a: "\\0"}\n', "p.yaml:1: home.a: is longer than 64 KiB or holds a NUL"),
        ("arguments: {a: b}\n", "p.yaml:1: arguments: expected a list, found keys below it"),
        ("arguments:\n  - words: [a]\n    unles: b\n", "p.yaml:1: arguments: object contains unknown field unles"),
        ("arguments:\n  - words: [a]\n    unless: (\n", "p.yaml:1: arguments: unless: is no regular expression"),
        ("arguments:\n  - words: ['{x}']\n", "p.yaml:1: arguments: there is no value {x}"),
        ("arguments:\n  - words: [a]\n    needs: [b]\n", "p.yaml:1: arguments: there is no value {b}"),
        ("keys: [opnai]\n", "p.yaml:1: keys: "),
        ("keys: {a: b}\n", "p.yaml:1: keys: expected a value or a list"),
        ("enviroment: {A: b}\n", "p.yaml:1: enviroment: there is no such key"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_agent(text.encode(), "p.yaml")
    assert caught.value.message.startswith(message)


def test_a_misspelt_value_is_answered_with_the_nearest() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_agent(b"environment: {A: '{opnai}'}\n", "p.yaml")
    assert caught.value.hint == "did you mean {openai}?"


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize("values", [FULL, NO_KEYS, {"home": "/h"}], ids=["all", "no keys", "no door"])
def test_every_shipped_profile_can_be_filled_in(name: str, values: dict[str, str]) -> None:
    agent = load_agent(name)
    assert all("{open" not in text for text in setup_variables(agent.setup, values).values())
    for path, content in home_files(agent.setup, values).items():
        assert path.endswith(".json")
        assert json.loads(content)
    for command in (agent.profile.match[:1] or ("x",), ("sh", "-c", "a; b"), ()):
        changed = with_arguments(command, agent.setup, agent.profile.match, values)
        assert set(command) <= set(changed)


def test_codex_comes_to_the_gateway_with_the_users_own_model() -> None:
    agent = load_agent("codex")
    argv = ("npx", "-y", "@openai/codex", "exec", "-m", "gpt-6", "fix it")
    changed = with_arguments(argv, agent.setup, agent.profile.match, FULL)
    assert changed[:5] == ("npx", "-y", "@openai/codex", "-c", 'model_provider="microloop"')
    assert changed[-4:] == ("exec", "-m", "gpt-6", "fix it")
    for own in ("-c|model_provider=x", "-cmodel_provider=x", "--config=model_providers.x={}", "--oss"):
        command = ("codex", *own.split("|"), "exec")
        assert "microloop" not in " ".join(with_arguments(command, agent.setup, agent.profile.match, FULL))
    asked = ("codex", "exec", "model_provider and model_providers=: fix them")
    assert "microloop" in " ".join(with_arguments(asked, agent.setup, agent.profile.match, FULL))
    assert with_arguments(("codex", "exec"), agent.setup, agent.profile.match, {"home": "/h"}) == (
        "codex",
        "exec",
    )


@given(st.text(max_size=40))
def test_text_that_names_no_value_stays_as_it_is(text: str) -> None:
    told = filled(text, FULL)
    assert told == text or "{" in text
