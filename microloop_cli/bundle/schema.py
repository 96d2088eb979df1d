"""The JSON Schema of the ledger's lines, generated from the classes of facts and decisions."""

from __future__ import annotations

import inspect
from typing import Any

from microloop_cli.bundle.ledger import event_types
from microloop_cli.bundle.manifest import BUNDLE_SCHEMA

_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def ledger_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) that every ledger line of this version meets."""
    import msgspec

    kinds = event_types()
    references, components = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    for kind in kinds.values():
        _without_tag(components[kind.__name__])
    for name, component in components.items():
        if "description" in component:
            components[name]["description"] = inspect.cleandoc(component["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a microloop ledger, bundle schema {BUNDLE_SCHEMA}",
        "description": '`hash` is SHA-256 over the hash before and the line\'s bytes up to `,"prev":`.',
        "oneOf": [_line(name, reference) for name, reference in zip(kinds, references, strict=True)],
        "$defs": components,
    }


def _line(name: str, data: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "seq": {"type": "integer", "minimum": 1},
        "at": {"type": "number", "minimum": 0},
        "type": {"const": name},
        "data": data,
        "prev": _HASH,
        "hash": _HASH,
    }
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


def _without_tag(component: dict[str, Any]) -> None:
    """In a line the type stands beside the data, not in it."""
    del component["properties"]["type"]
    component["required"] = [name for name in component["required"] if name != "type"]
