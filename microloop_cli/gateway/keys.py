"""Reads the user's keys where the policy says they are: a variable, a file, a command, the keyring."""

from __future__ import annotations

import importlib
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microloop_cli.errors import HostError, PolicyError
from microloop_cli.gateway.model import Provider
from microloop_cli.policy.model import Keys

COMMAND_SECONDS = 30.0
MAX_KEY_BYTES = 64 * 1024
_KINDS = "env:NAME, file:PATH, command:COMMAND or keyring:SERVICE/NAME"


def read_keys(keys: Keys, environ: Mapping[str, str]) -> dict[Provider, str]:
    """The keys that the policy names; the others are looked for in the user's environment by others."""
    named: dict[Provider, str | None] = {
        "openai": keys.openai,
        "anthropic": keys.anthropic,
        "google": keys.google,
    }
    return {provider: read_key(spec, environ) for provider, spec in named.items() if spec is not None}


def read_key(spec: str, environ: Mapping[str, str]) -> str:
    """The key, without white space around it. May wait COMMAND_SECONDS for a command.

    Raises PolicyError for what names no place, and HostError when there is no key in it. Neither tells what
    was found.
    """
    kind, colon, place = spec.partition(":")
    if not colon or not place.strip():
        # Not shown: it may be the key itself.
        raise PolicyError("a key under model.keys is to be named by its place", hint=_KINDS)
    if kind == "env":
        return _checked(environ.get(place, ""), f"the variable {place}")
    if kind == "file":
        return _checked(_file(place, environ), place)
    if kind == "command":
        return _checked(_command(place, environ), f"the command {place!r}")
    if kind == "keyring":
        return _checked(_keyring(place), f"the keyring's {place}")
    raise PolicyError("a key under model.keys names a kind of place that is none", hint=_KINDS)


def _checked(found: str, where: str) -> str:
    key = found.strip()
    if not key:
        raise HostError(f"there is no key in {where}", hint="put it there, or name another place")
    if not key.isascii() or not key.isprintable():
        raise HostError(f"what is in {where} is no key", hint="one line of printable ASCII")
    return key


def _file(place: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    path = Path(home, place[2:]) if place.startswith("~/") and home else Path(place)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise HostError(f"the key in {path} cannot be read: {error.strerror}", hint="is it there?") from None
    return _text(data, f"{path}")


def _command(command: str, environ: Mapping[str, str]) -> str:
    """Its first words as a shell would split them, but without a shell."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            f"{command!r} gave no key within {COMMAND_SECONDS:.0f} s", hint="does it wait for an answer?"
        ) from None
    except (OSError, ValueError, IndexError) as error:
        said = getattr(error, "strerror", None) or error
        raise HostError(f"{command!r} cannot be run: {said}", hint="try it in a terminal") from None
    if done.returncode:
        raise HostError(f"{command!r} failed with exit code {done.returncode}", hint="try it in a terminal")
    return _text(done.stdout, f"the output of {command!r}")


def _keyring(place: str) -> str:
    service, slash, name = place.rpartition("/")
    if not slash or not service or not name:
        raise PolicyError(f"keyring:{place[:100]} names no entry", hint="keyring:SERVICE/NAME")
    try:
        ring: Any = importlib.import_module("keyring")
    except ImportError:
        raise HostError(
            "a key is in the keyring, and the package keyring is not installed", hint="pip install keyring"
        ) from None
    try:
        found = ring.get_password(service, name)
    except ring.errors.KeyringError as error:
        raise HostError(
            f"the keyring cannot be read: {type(error).__name__}", hint=f"keyring get {service} {name}"
        ) from None
    return found or ""


def _text(data: bytes, where: str) -> str:
    if len(data) > MAX_KEY_BYTES:
        raise HostError(f"{where} is too large for a key", hint=f"{MAX_KEY_BYTES // 1024} KiB at most")
    return data.decode("utf-8", "replace")
