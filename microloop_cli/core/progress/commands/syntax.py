"""A small frozen tree of a shell script: pipelines, commands with unquoted words, redirects, heredocs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Redirect:
    """`fd op target`; op is `<`, `>`, `>>`, `&>`, `>&`, ...; `<<` and `<<<` have their text as target."""

    op: str
    target: str
    fd: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: its unquoted words, the assignments before it, its redirects."""

    words: tuple[str, ...]
    assignments: tuple[tuple[str, str], ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """`( ... )` or `{ ...; }`."""

    body: Script
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """`while`, `until` (with a condition) or `for` (with its head and variable), and the body."""

    condition: Script
    head: str
    variable: str
    body: Script
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Opaque:
    """What is taken as it stands (`if`, `case`, functions, what is no shell), with the commands in it."""

    text: str
    inside: Script
    redirects: tuple[Redirect, ...] = ()


Stage: TypeAlias = Command | Group | Loop | Opaque


@dataclass(frozen=True, slots=True)
class Item:
    """One pipeline of a script and how it is joined to the one before: `;`, `&&` or `||`."""

    joiner: str
    stages: tuple[Stage, ...]
    background: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    items: tuple[Item, ...] = ()
    broken: bool = False


EMPTY = Script()
