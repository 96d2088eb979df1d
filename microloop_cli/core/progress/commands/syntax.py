"""A small frozen tree of a shell script: pipelines, commands with unquoted words, redirects, heredocs."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Redirect(msgspec.Struct, frozen=True):
    """`fd op target`; op is `<`, `>`, `>>`, `&>`, `>&`, ...; `<<` and `<<<` have their text as target."""

    op: str
    target: str
    fd: str = ""


class Command(msgspec.Struct, frozen=True):
    """A simple command: its unquoted words, the assignments before it, its redirects."""

    words: tuple[str, ...]
    assignments: tuple[tuple[str, str], ...] = ()
    redirects: tuple[Redirect, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """`( ... )` or `{ ...; }`."""

    body: Script
    redirects: tuple[Redirect, ...] = ()


class Loop(msgspec.Struct, frozen=True):
    """`while`, `until` (with a condition) or `for` (with its head and variable), and the body."""

    condition: Script
    head: str
    variable: str
    body: Script
    redirects: tuple[Redirect, ...] = ()


class Opaque(msgspec.Struct, frozen=True):
    """What is taken as it stands (`if`, `case`, functions, what is no shell), with the commands in it."""

    text: str
    inside: Script
    redirects: tuple[Redirect, ...] = ()


Stage: TypeAlias = Command | Group | Loop | Opaque


class Item(msgspec.Struct, frozen=True):
    """One pipeline of a script and how it is joined to the one before: `;`, `&&` or `||`."""

    joiner: str
    stages: tuple[Stage, ...]
    background: bool = False


class Script(msgspec.Struct, frozen=True):
    items: tuple[Item, ...] = ()
    broken: bool = False


EMPTY = Script()
