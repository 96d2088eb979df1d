"""Agent profiles: the right one is found from the command, and files are read strictly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.settings import AgentProfile
from microloop_cli.errors import PolicyError
from microloop_cli.policy.profiles import agent_for, load_profile, parse_agent, profile_names


def profile_for(argv: Sequence[str], named: str = "auto") -> AgentProfile:
    return agent_for(argv, named).profile


def parse_profile(data: bytes, name: str) -> AgentProfile:
    return parse_agent(data, name).profile


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        ("claude -p x", "claude"), ("/home/u/.local/bin/claude", "claude"), ("env A=1 claude", "claude"),
        ("npx -y @anthropic-ai/claude-code@2.1 -p x", "claude"), ("timeout -k 5 60 claude", "claude"),
        ("codex exec x", "codex"), ("npx @openai/codex exec", "codex"), ("node /x/.bin/codex exec", "codex"),
        ("npm exec --yes -- @openai/codex", "codex"), ("npx --package=@openai/codex codex", "codex"),
        ("bunx @google/gemini-cli", "gemini"), ("node --no-warnings /x/gemini.js", "gemini"),
        ("mini -y", "mini-swe-agent"), ("python3 -m minisweagent -y", "mini-swe-agent"),
        ("python3 -m minisweagent.run.mini", "mini-swe-agent"), ("/v/bin/python /v/bin/mini", "mini-swe-agent"),
        ("uvx mini-swe-agent==2.4 -y", "mini-swe-agent"), ("uvx --from mini-swe-agent mini", "mini-swe-agent"),
        ("opencode run x", "opencode"), ("npx opencode-ai@latest run", "opencode"), ("aider --model x", "aider"),
        ("uvx --from aider-chat aider", "aider"), ("python -m aider", "aider"), ("qwen -p x", "qwen"),
        ("npx -y @qwen-code/qwen-code -p x", "qwen"), ("pi -p x", "pi"), ("openhands --headless", "openhands"),
        ("npx @earendil-works/pi-coding-agent -p x", "pi"), ("uv tool run openhands", "openhands"),
        ("pipx run mini-swe-agent", "mini-swe-agent"), ("uv run mini", "mini-swe-agent"),
        ("myagent", "generic"), ("myagent claude", "generic"), ("npx myagent codex", "generic"), ("", "generic"),
        ("python3 agent.py --name mini", "generic"),
    ],
)  # fmt: skip
def test_the_profile_is_found_from_the_command(argv: str, name: str) -> None:
    assert profile_for(argv.split()).name == name


def test_the_profile_is_found_behind_a_shell() -> None:
    assert profile_for(("bash", "-lc", "cd sub && codex exec 'a; b'")).name == "codex"
    assert profile_for(("sh", "-c", "make; make test")).name == "generic"


def test_a_profile_can_be_named_or_be_a_file(tmp_path: Path) -> None:
    assert profile_for(("claude",), "codex").name == "codex"
    file = tmp_path / "house.yaml"
    file.write_text("processes: [worker]\nhousekeeping: ['^true$']\n")
    assert load_profile(str(file)) == AgentProfile(
        name="house", processes=("worker",), housekeeping=("^true$",)
    )


def test_every_shipped_profile_is_named_as_its_file() -> None:
    assert set(profile_names()) >= {"claude", "codex", "gemini", "generic", "mini-swe-agent", "opencode"}
    for name in profile_names():
        assert load_profile(name).name == name


def test_an_unknown_profile_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(PolicyError, match="no agent profile named 'cluade'") as caught:
        profile_for(("x",), "cluade")
    assert caught.value.hint.startswith("did you mean claude? known: auto, aider, claude, codex")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shims: ['(']\n", "p.yaml:1: shims: '(' is no regular expression"),
        ("shims: ['a{99999999999999999999}']\n", "p.yaml:1: shims: "),
        ("name: x\nwrappers: ['a']\n", "p.yaml:2: wrappers: 'a' has 0 groups"),
        ("wrappers: ['(a)(b)']\n", "p.yaml:1: wrappers: '(a)(b)' has 2 groups"),
        ("steps: some\n", "p.yaml:1: steps: expected one of any, shell, found some"),
        ("step: any\n", "p.yaml:1: step: there is no such key"),
        ("match: claude\n", "p.yaml:1: match: expected array, got str"),
        ("match: {a: b}\n", "p.yaml:1: match: expected a value or a list"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_profile_is_named_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_profile(text.encode(), "p.yaml")
    assert caught.value.message.startswith(message)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["npx", "env", "sh", "-c", "timeout", "uv", "run", "python3", "-m"]), st.text()
        )
    )
)
def test_every_command_has_a_profile(argv: list[str]) -> None:
    assert profile_for(argv).name in profile_names()
