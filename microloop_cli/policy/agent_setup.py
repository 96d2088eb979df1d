"""What an agent needs to use the two doors: variables, words behind its program, files in its HOME. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from microloop_cli.core.programs import launched_by
from microloop_cli.core.shells import shell_call
from microloop_cli.errors import PolicyError
from microloop_cli.policy.document import Located
from microloop_cli.policy.launching import with_words
from microloop_cli.policy.layers import Setting, checked_as, nearest
from microloop_cli.policy.model import Text

# Base addresses of the model door (the first with its /v1), what stands for a provider's key (and its last 20
# characters), the agent's HOME; nothing, but for a text that is right in a sandbox only.
VALUES = (
    "openai",
    "anthropic",
    "google",
    "openai_key",
    "anthropic_key",
    "google_key",
    "anthropic_key_end",
    "home",
    "contained",
)
_VALUE = re.compile(r"\{([a-z_]+)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MAX_CHARS = 64 * 1024


class Insertion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words put right behind the agent's own program word.

    unless: a pattern; when one whole word of the user's matches, he chose himself, and nothing is put there.
    needs: more values without which the words are left out, beside those that stand in them.
    """

    words: tuple[Text, ...]
    unless: Text | None = None
    needs: tuple[Text, ...] = ()


class AgentSetup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All texts are templates: `{openai}` and the other VALUES. A text with a value that is not there (no way
    to models, no key for that provider) is left out as a whole.

    environment: variables; one that the user names himself wins. home: path in HOME to content, for a HOME
    that is the sandbox's own. keys: the providers without any of whose keys it does nothing there, as the
    user's login is in his own HOME; login: what one can do who has no key but a login.
    """

    environment: dict[str, str] = {}
    arguments: tuple[Insertion, ...] = ()
    home: dict[str, str] = {}
    keys: tuple[Literal["openai", "anthropic", "google"], ...] = ()
    login: Text | None = None


_PLAIN = {
    field.name: field.type for field in msgspec.structs.fields(AgentSetup) if field.name in ("keys", "login")
}


def setup_variables(setup: AgentSetup, values: Mapping[str, str]) -> dict[str, str]:
    """The variables as the agent gets them."""
    return _filled_all(setup.environment, values)


def home_files(setup: AgentSetup, values: Mapping[str, str]) -> dict[str, str]:
    """Path below HOME (relative, no `..`) to content."""
    return _filled_all(setup.home, values)


def with_arguments(
    argv: Sequence[str], setup: AgentSetup, names: Collection[str], values: Mapping[str, str]
) -> tuple[str, ...]:
    """The agent command with the setup's words in it; as it is where there is no place for them.

    names: what the agent's program is known by (AgentProfile.match). See launching.with_words.
    """
    words = [word for insertion in setup.arguments for word in _wanted(insertion, argv, values)]
    changed = with_words(argv, names, words) if words else None
    return tuple(argv) if changed is None else changed


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """The text with its values, None when one is not there."""
    if any(name not in values for name in _VALUE.findall(template)):
        return None
    return _VALUE.sub(lambda found: values[found.group(1)], template)


def setup_value(key: str, located: Located, name: str) -> object:
    """One of AgentSetup's fields from a document. Raises PolicyError `name:line: key: ...`."""
    where = f"{name}:{located.line}"
    if key == "arguments":
        if isinstance(located.value, dict):
            raise PolicyError(f"{where}: {key}: expected a list, found keys below it")
        given: tuple[Insertion, ...] = checked_as(tuple[Insertion, ...], key, Setting(located.value, where))
        for insertion in given:
            _check_insertion(insertion, f"{where}: {key}")
        return given
    if key in _PLAIN:
        if isinstance(located.value, dict):
            raise PolicyError(f"{where}: {key}: expected a value or a list, found keys below it")
        return checked_as(_PLAIN[key], key, Setting(located.value, where))
    if not isinstance(located.value, dict):
        raise PolicyError(f"{where}: {key}: expected keys and values below it")
    return {item: _entry(key, item, value, name) for item, value in located.value.items()}


def _entry(key: str, item: str, located: Located, name: str) -> str:
    where = f"{name}:{located.line}"
    shown = f"{where}: {key}.{item[:100]}"
    if isinstance(located.value, dict):
        raise PolicyError(f"{shown}: expected a text, found keys below it")
    text: str = checked_as(str, f"{key}.{item}", Setting(located.value, where))
    if key == "environment" and not _NAME.fullmatch(item):
        raise PolicyError(f"{shown}: is no name of a variable")
    if key == "home" and not _is_below(item):
        raise PolicyError(f"{shown}: is no path below HOME")
    if len(text) > _MAX_CHARS or "\0" in text:
        raise PolicyError(f"{shown}: is longer than {_MAX_CHARS // 1024} KiB or holds a NUL")
    _check_values(text, shown)
    return text


def _check_insertion(insertion: Insertion, where: str) -> None:
    for word in insertion.words:
        _check_values(word, where)
    for name in insertion.needs:
        _check_value(name, where)
    try:
        re.compile(insertion.unless or "")
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"{where}: unless: is no regular expression: {error}") from None


def _check_values(text: str, where: str) -> None:
    for name in _VALUE.findall(text):
        _check_value(name, where)


def _check_value(name: str, where: str) -> None:
    if name in VALUES:
        return
    near = nearest(name, VALUES)
    hint = f"did you mean {{{near}}}?" if near else "known: " + ", ".join(f"{{{value}}}" for value in VALUES)
    raise PolicyError(f"{where}: there is no value {{{name[:60]}}}", hint=hint)


def _wanted(insertion: Insertion, argv: Sequence[str], values: Mapping[str, str]) -> list[str]:
    if any(name not in values for name in insertion.needs) or _chosen_by_user(insertion, argv):
        return []
    words = [filled(word, values) for word in insertion.words]
    told = [word for word in words if word is not None]
    return told if len(told) == len(words) else []


def _chosen_by_user(insertion: Insertion, argv: Sequence[str]) -> bool:
    if insertion.unless is None:
        return False
    pattern = re.compile(insertion.unless, re.S)
    return any(pattern.fullmatch(word) for word in _all_words(argv))


def _all_words(argv: Sequence[str]) -> list[str]:
    """The words, and those of the shell command they may be."""
    call = shell_call(argv)
    inside = launched_by(call.command) if call is not None and call.command is not None else None
    return [*argv, *(inside or ())]


def _filled_all(templates: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    found = ((name, filled(template, values)) for name, template in templates.items())
    return {name: text for name, text in found if text is not None}


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    plain = path.isprintable() and not path.startswith("/") and not path.endswith("/")
    return plain and bool(parts) and ".." not in parts and len(path) <= 255
