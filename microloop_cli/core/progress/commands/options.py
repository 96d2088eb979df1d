"""Options of a program read the way getopt does, so that order and spelling stop mattering. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spec:
    """valued: options that take a value; dropped: those that change only the looks; same: long to short."""

    valued: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    same: Mapping[str, str] = field(default_factory=dict)


Option = tuple[str, str | None]


def read_options(words: Sequence[str], spec: Spec) -> tuple[list[Option], list[str]]:
    """Options as (name without dashes, value or None) and operands, each in order; `-20` is ("20", None)."""
    options: list[Option] = []
    operands: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            operands += words[at:]
            break
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
        elif word[1] == "-":
            at += _long(word[2:], words[at : at + 1], spec, options)
        elif word[1:].isdecimal():
            options.append((word[1:], None))
        else:
            at += _letters(word[1:], words[at : at + 1], spec, options)
    return options, operands


def _long(name: str, following: Sequence[str], spec: Spec, options: list[Option]) -> int:
    name, equals, value = name.partition("=")
    name = spec.same.get(name, name)
    if equals:
        _keep(name, value, spec, options)
        return 0
    if name in spec.valued and following:
        _keep(name, following[0], spec, options)
        return 1
    _keep(name, None, spec, options)
    return 0


def _letters(letters: str, following: Sequence[str], spec: Spec, options: list[Option]) -> int:
    for at, letter in enumerate(letters):
        name = spec.same.get(letter, letter)
        if name not in spec.valued:
            _keep(name, None, spec, options)
        elif at + 1 < len(letters):
            _keep(name, letters[at + 1 :], spec, options)
            return 0
        else:
            _keep(name, following[0] if following else None, spec, options)
            return 1 if following else 0
    return 0


def _keep(name: str, value: str | None, spec: Spec, options: list[Option]) -> None:
    if name not in spec.dropped:
        options.append((name, value))


def shown(options: Sequence[Option]) -> list[str]:
    """Options sorted, in one spelling: `-i`, `-A3`, `--include=*.py`."""
    words = []
    for name, value in sorted(set(options), key=lambda option: (option[0], option[1] or "")):
        dashes = "-" if len(name) == 1 or name.isdecimal() else "--"
        between = "=" if dashes == "--" and value is not None else ""
        words.append(f"{dashes}{name}{between}{value or ''}")
    return words
