"""Where keys are read, and what a person is told when there is none."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from microloop_cli.errors import HostError, PolicyError
from microloop_cli.gateway import keys
from microloop_cli.gateway.keys import read_key, read_keys
from microloop_cli.policy.model import Keys

ENVIRON = {"MY_KEY": " sk-1 \n", "PATH": "/usr/bin:/bin", "EMPTY": ""}


def test_a_key_comes_from_a_variable_a_file_or_a_command(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-2\n")
    assert read_key("env:MY_KEY", ENVIRON) == "sk-1"
    assert read_key(f"file:{tmp_path}/key", ENVIRON) == "sk-2"
    assert read_key("file:~/key", {"HOME": str(tmp_path)}) == "sk-2"
    assert read_key("command:echo 'sk 3'", ENVIRON) == "sk 3"


def test_the_policys_keys_are_read_for_the_providers_it_names() -> None:
    assert read_keys(Keys(openai="env:MY_KEY"), ENVIRON) == {"openai": "sk-1"}


@pytest.mark.parametrize(
    "spec", ["", "env", "env:", "vault:x", "sk-abc", "keyring:only", "file: ", "sk-abc:d"]
)
def test_what_names_no_place_is_a_policy_error(spec: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read_key(spec, ENVIRON)
    assert "keyring:SERVICE/NAME" in raised.value.hint
    assert "sk-abc" not in str(raised.value)  # who writes the key itself does not find it in a log


@pytest.mark.parametrize(
    "spec",
    ["env:EMPTY", "env:NOT_SET", "file:/nonexistent/key", "file:/dev/null", "file:/", "command:false", "command:no-such",
     "command:'", "command:printf 'a\\nb'", "command:head -c 70000 /dev/zero"],
)  # fmt: skip
def test_a_place_without_a_key_is_an_error_with_a_hint(spec: str) -> None:
    with pytest.raises(HostError) as raised:
        read_key(spec, ENVIRON)
    assert raised.value.hint


def test_an_endless_file_and_a_slow_command_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HostError, match="too large"):
        read_key("file:/dev/zero", ENVIRON)
    monkeypatch.setattr(keys, "COMMAND_SECONDS", 0.2)
    with pytest.raises(HostError, match="gave no key"):
        read_key("command:sleep 5", ENVIRON)


def test_the_keyring_is_asked_when_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(HostError) as raised:
        read_key("keyring:ai/openai", ENVIRON)
    assert raised.value.hint == "pip install keyring"
    ring = types.ModuleType("keyring")
    ring.get_password = lambda service, name: f"{service}-{name}"  # type: ignore[attr-defined]
    ring.errors = types.SimpleNamespace(KeyringError=RuntimeError)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert read_key("keyring:ai/openai/openai", ENVIRON) == "ai/openai-openai"


def test_no_error_tells_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-secret\nand more\n")
    with pytest.raises(HostError) as raised:
        read_key(f"file:{tmp_path}/key", ENVIRON)
    assert "sk-secret" not in raised.value.message + raised.value.hint
