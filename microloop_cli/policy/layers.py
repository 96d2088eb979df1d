"""Layers of settings, one over the other, and where each value came from. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec

from microloop_cli.errors import PolicyError
from microloop_cli.policy.model import Policy, key_types

BUILT_IN = "built in"
_TYPES = key_types()


class Setting(msgspec.Struct, frozen=True):
    """A value and where it stands: `default policy`, `ci policy`, `./my.yaml:12`, `--max-steps`."""

    value: Any
    source: str


Layer = Mapping[str, Setting]
"""Key path to setting. Lists are one value: a higher layer replaces them."""


class Resolved(msgspec.Struct, frozen=True):
    """One policy out of all layers; `provenance` has a source for every key path."""

    policy: Policy
    provenance: dict[str, str]


def resolve(layers: Sequence[Layer]) -> Resolved:
    """Lay the layers over the built-in defaults, the last one on top.

    Raises PolicyError naming source and key path when a value does not fit or two do not fit together.
    """
    settings = {path: Setting(value, BUILT_IN) for path, value in flat(Policy()).items()}
    for layer in layers:
        for path, setting in layer.items():
            settings[path] = Setting(checked(path, setting), setting.source)
    settings["extends"] = Setting(None, BUILT_IN)
    _check_order(settings)
    policy = msgspec.convert(_nested(settings), Policy)
    return Resolved(policy, {path: settings[path].source for path in _TYPES})


def options_layer(options: Mapping[str, tuple[str, Any]]) -> Layer:
    """The command line as a layer: key path to (option, value). Raises PolicyError for what cannot be."""
    layer = {path: Setting(value, option) for path, (option, value) in options.items()}
    for path, setting in layer.items():
        checked(path, setting)
    return layer


def checked(path: str, setting: Setting) -> Any:
    """The value as the key's type has it (lists as tuples). Raises PolicyError."""
    if path not in _TYPES:
        raise unknown_key(setting.source, path, _TYPES)
    return checked_as(_TYPES[path], path, setting)


def checked_as(expected: Any, path: str, setting: Setting) -> Any:
    """The value converted to a type. Raises PolicyError: `source: key.path: what was expected`."""
    try:
        value = msgspec.convert(setting.value, expected)
    except msgspec.ValidationError as error:
        raise PolicyError(
            f"{setting.source}: {path}: {_explained(expected, setting.value, str(error))}"
        ) from None
    if any(_is_no_text(item) for item in (value if isinstance(value, tuple) else (value,))):
        raise PolicyError(f"{setting.source}: {path}: holds bytes that are no UTF-8 text")
    return value


def unknown_key(source: str, path: str, known: Iterable[str]) -> PolicyError:
    """The error for a key that does not exist, with the nearest that does."""
    by_name = {other.rpartition(".")[2]: other for other in known}
    near = nearest(path.rpartition(".")[2], by_name)
    hint = f"did you mean {by_name[near]}?" if near else "known keys: " + ", ".join(known)
    return PolicyError(f"{source}: {_shown(path)}: there is no such key", hint=hint)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, None when none is like it."""
    import difflib

    return next(iter(difflib.get_close_matches(word[:100], list(known), n=1)), None)


def flat(policy: msgspec.Struct, prefix: str = "") -> dict[str, Any]:
    """Key path to value for all values of a policy."""
    found: dict[str, Any] = {}
    for name in policy.__struct_fields__:
        value = getattr(policy, name)
        if isinstance(value, msgspec.Struct):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _nested(settings: Mapping[str, Setting]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, setting in settings.items():
        *sections, key = path.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = setting.value
    return tree


def _check_order(settings: Mapping[str, Setting]) -> None:
    """Nudge, refuse and stop come in this order: a hard answer with a lower count would hide a mild one."""
    for ladder in sorted({path.rpartition(".")[0] for path in settings if path.endswith(".nudge")}):
        _check_ladder(settings, ladder)


def _check_ladder(settings: Mapping[str, Setting], ladder: str) -> None:
    paths = tuple(f"{ladder}.{answer}" for answer in ("nudge", "refuse", "stop"))
    given = [(path, settings[path]) for path in paths if settings[path].value is not None]
    for (lower_path, lower), (path, setting) in itertools.pairwise(given):
        if setting.value < lower.value:
            raise PolicyError(
                f"{setting.source}: {path}: {setting.value} is less than {lower_path}, which is {lower.value}"
                f" ({lower.source})",
                hint="each answer comes at the same count as the milder one or later; null switches one off",
            )


def _explained(expected: Any, value: Any, problem: str) -> str:
    choices = _choices(expected)
    if choices:
        return f"expected one of {', '.join(map(str, choices))}, found {_shown(value)}"
    said = problem.replace("`", "").partition(" - at ")[0]
    return f"{said[:1].lower()}{said[1:]}, found {_shown(value)}"


def _choices(expected: Any) -> tuple[Any, ...]:
    return get_args(expected) if get_origin(expected) is Literal else ()


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) or not value.isprintable() else value
    return text if len(text) <= 60 else text[:60] + "..."


def _is_no_text(value: Any) -> bool:
    return isinstance(value, str) and any(0xD800 <= ord(char) < 0xE000 for char in value)
