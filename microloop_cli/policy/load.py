"""Policies from files: by the name of a shipped one or by path, with what they extend. All I/O is here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microloop_cli.errors import PolicyError
from microloop_cli.policy.document import MAX_BYTES, Located, read_document
from microloop_cli.policy.layers import (
    Layer,
    Resolved,
    Setting,
    checked,
    nearest,
    options_layer,
    resolve,
    unknown_key,
)
from microloop_cli.policy.model import key_types
from microloop_cli.resources import policies_dir

DEFAULT = "default"


def _above(path: str) -> tuple[str, ...]:
    """The sections a key lies in: `a.b.c` in `a` and `a.b`."""
    parts = path.split(".")[:-1]
    return tuple(".".join(parts[: end + 1]) for end in range(len(parts)))


MAX_EXTENDS = 8
_TYPES = key_types()
_SECTIONS = frozenset(section for path in _TYPES for section in _above(path))


def load(
    named: str | None = None,
    options: Mapping[str, tuple[str, Any]] | None = None,
    more: Mapping[str, tuple[str, tuple[str, ...]]] | None = None,
) -> Resolved:
    """The policy of a run: default, then the one named (NAME or FILE) with what it extends, then options.

    options: key path to (option name, value), as typed. more: the same for lists that an option adds to.
    Raises PolicyError.
    """
    layers = load_layers(named or DEFAULT)
    return resolve([*layers, options_layer(options or {}), added(layers, more or {})])


def added(layers: list[Layer], more: Mapping[str, tuple[str, tuple[str, ...]]]) -> Layer:
    """Lists of the layers below with more at their end."""
    layer: dict[str, Setting] = {}
    for path, (option, items) in more.items():
        below = next((lower[path] for lower in reversed(layers) if path in lower), None)
        before = [] if below is None else list(below.value or ())
        source = option if not before or below is None else f"{below.source} and {option}"
        layer[path] = Setting([*before, *items], source)
    return layer


def load_layers(named: str) -> list[Layer]:
    """The layers of a policy by NAME or FILE, lowest first; the default policy lies under every other."""
    layers: list[Layer] = []
    seen: list[Path] = []
    path, label = _found(named, Path())
    while True:
        if path in seen or len(seen) >= MAX_EXTENDS:
            chain = " extends ".join(str(item) for item in (*seen, path))
            raise PolicyError(f"{label}: the policies extend each other without end: {chain}")
        seen.append(path)
        layer = _file_layer(path, label)
        layers.insert(0, layer)
        parent = layer.get("extends")
        if parent is None or parent.value is None:
            break
        path, label = _found(parent.value, path.parent, source=parent.source)
    default, default_label = _shipped(DEFAULT)
    if default not in seen:
        layers.insert(0, _file_layer(default, default_label))
    return layers


def policy_names() -> list[str]:
    """The names of the shipped policies."""
    return sorted(path.stem for path in policies_dir().glob("*.yaml"))


def parse_policy(data: bytes, name: str, *, source: str | None = None) -> Layer:
    """One policy text as a layer. `name` stands in errors, `source` in the provenance (else name:line)."""
    layer: dict[str, Setting] = {}
    for key, located in read_document(data, name).items():
        if key in _SECTIONS:
            _section(layer, key, located, name, source)
        else:
            _leaf(layer, key, located, name, source)
    return layer


def _section(layer: dict[str, Setting], key: str, located: Located, name: str, source: str | None) -> None:
    if located.value is None:
        return
    if not isinstance(located.value, dict):
        raise PolicyError(
            f"{name}:{located.line}: {key}: expected keys below it, found a single value or list"
        )
    for inner, item in located.value.items():
        path = f"{key}.{inner}"
        (_section if path in _SECTIONS else _leaf)(layer, path, item, name, source)


def _leaf(layer: dict[str, Setting], path: str, located: Located, name: str, source: str | None) -> None:
    where = f"{name}:{located.line}"
    if path not in _TYPES:
        raise unknown_key(where, path, _nearby(path))
    if isinstance(located.value, dict):
        raise PolicyError(f"{where}: {path}: expected a value, found keys below it")
    checked(path, Setting(located.value, where))
    if path == "progress.ignore" and source is None:
        _check_patterns(located.value, where)
    layer[path] = Setting(located.value, source or where)


def _nearby(path: str) -> list[str]:
    """Keys of the same section first; all keys when the section is the mistake."""
    section = path.rpartition(".")[0]
    if section in _SECTIONS:
        return [known for known in (*_TYPES, *sorted(_SECTIONS)) if known.startswith(section + ".")]
    return [*(key for key in _TYPES if "." not in key), *sorted(_SECTIONS)]


def _check_patterns(patterns: list[str], where: str) -> None:
    from pathspec import GitIgnoreSpec

    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error):
            raise PolicyError(f"{where}: progress.ignore: {pattern[:60]!r} is no gitignore pattern") from None


def _file_layer(path: Path, label: str) -> Layer:
    shipped = path.parent == policies_dir()
    return parse_policy(read_file(path, label), label, source=f"{path.stem} policy" if shipped else None)


def read_file(path: Path, label: str) -> bytes:
    """At most one byte more than a policy may have. Raises PolicyError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise PolicyError(f"{label}: cannot be read: {said}") from None


def _found(named: str, beside: Path, source: str = "") -> tuple[Path, str]:
    """The file of a NAME or FILE, and what to call it. A FILE has a slash or ends in .yaml or .yml."""
    if "/" in named or named.endswith((".yaml", ".yml")):
        path = beside / named
        if not _is_file(path):
            raise PolicyError(f"{source + ': ' if source else ''}{named}: there is no such policy file")
        return path, str(path)
    if named in policy_names():
        return _shipped(named)
    names = policy_names()
    near = nearest(named, names)
    hint = (
        f"did you mean {near}? " if near else ""
    ) + f"known: {', '.join(names)}; a file needs a / or .yaml"
    raise PolicyError(f"{source + ': ' if source else ''}there is no policy named {named[:100]!r}", hint=hint)


def _is_file(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _shipped(name: str) -> tuple[Path, str]:
    path = policies_dir() / f"{name}.yaml"
    return path, f"policies/{name}.yaml"
