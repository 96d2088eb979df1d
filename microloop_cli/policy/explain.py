"""A resolved policy for people and for the bundle: every value with where it came from. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.policy.layers import Resolved, flat


class Explained(msgspec.Struct, frozen=True):
    """One row: key path, value, and the source it came from."""

    path: str
    value: Any
    source: str


def explain(resolved: Resolved) -> list[Explained]:
    """All values in the model's order; what was set for environment variables is left out (see `to_yaml`)."""
    rows = flat(resolved.policy)
    rows["sandbox.env"] = tuple(entry.partition("=")[0] for entry in resolved.policy.sandbox.env)
    return [Explained(path, value, resolved.provenance[path]) for path, value in rows.items()]


def to_yaml(resolved: Resolved) -> str:
    """The policy as YAML with provenance as comments; loads again to the same policy.

    Only the names of environment variables are written: their values are often secrets, and a bundle is shown
    around.
    """
    lines = ["# The policy of this run as resolved: every value, and where it came from."]
    open_sections: list[str] = []
    for row in explain(resolved):
        *sections, key = row.path.split(".")
        lines += _headings(open_sections, sections)
        open_sections = sections
        lines += _entry("  " * len(sections), key, row)
    return "\n".join(lines) + "\n"


def _headings(before: list[str], now: list[str]) -> list[str]:
    """The lines that open the sections of a key that the key before it did not lie in."""
    pairs = enumerate(zip(before, now, strict=False))
    same = next((i for i, (one, other) in pairs if one != other), min(len(before), len(now)))
    opened = [f"{'  ' * depth}{now[depth]}:" for depth in range(same, len(now))]
    return ["", *opened] if opened and same == 0 else opened


def _entry(indent: str, key: str, row: Explained) -> list[str]:
    comment = f"  # {_harmless(row.source)}"
    if isinstance(row.value, tuple) and row.value:
        return [f"{indent}{key}:{comment}", *(f"{indent}  - {_scalar(item)}" for item in row.value)]
    return [f"{indent}{key}: {_scalar(row.value)}{comment}"]


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[]"
    if isinstance(value, msgspec.Struct):
        given = ((name, item) for name, item in msgspec.structs.asdict(value).items() if item is not None)
        return "{" + ", ".join(f"{name}: {_scalar(item)}" for name, item in given) + "}"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".") if value == round(value, 6) else _exact(value)
    return f'"{_harmless(value)}"' if isinstance(value, str) else str(value)


def _exact(value: float) -> str:
    """YAML wants a point in the mantissa and a sign in the exponent: 1e-09 would be read as text."""
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def _harmless(text: str) -> str:
    """Text for between double quotes in YAML, or for a comment: printable ASCII, all else escaped."""
    return "".join(char if _is_plain(char) else _escaped(char) for char in text)


def _is_plain(char: str) -> bool:
    return " " <= char <= "~" and char not in '"\\'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
