"""The bundle's policy.yaml: every value with its source, and it loads again to the same policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.policy.explain import explain, to_yaml
from microloop_cli.policy.layers import Setting, resolve
from microloop_cli.policy.load import load, parse_policy, policy_names
from microloop_cli.policy.model import Policy


def again(text: str) -> Policy:
    return resolve([parse_policy(text.encode(), "policy.yaml")]).policy


@pytest.mark.parametrize("name", policy_names())
def test_what_is_written_loads_again_to_the_same_policy(name: str) -> None:
    resolved = load(name, {"limits.wall_seconds": ("--max-time", 90.5)})
    text = to_yaml(resolved)
    assert again(text) == resolved.policy
    assert "wall_seconds: 90.5  # --max-time" in text


def test_values_of_variables_are_not_written() -> None:
    resolved = load(options={"sandbox.env": ("--env", ["TOKEN=sk-secret", "HOME"])})
    assert "sk-secret" not in to_yaml(resolved)
    assert again(to_yaml(resolved)).sandbox.env == ("TOKEN", "HOME")
    assert "sk-secret" not in str(explain(resolved))


@given(
    st.text(min_size=1, max_size=50),
    st.lists(st.text(min_size=1, max_size=20), max_size=4),
    st.floats(min_value=1e-300, max_value=366 * 86_400),
    st.text(max_size=20),
)
def test_whatever_the_values_and_sources_it_loads_again(
    image: str, patterns: list[str], seconds: float, source: str
) -> None:
    layer = {
        "sandbox.image": Setting(image, source),
        "agent.processes": Setting(patterns, source),
        "limits.wall_seconds": Setting(seconds, source),
    }
    try:
        resolved = resolve([layer])
    except PolicyError:
        return
    assert again(to_yaml(resolved)) == resolved.policy
