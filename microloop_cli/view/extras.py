"""What stands beside the ledger, read strictly from the data of environment.json and changes.json. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from microloop_cli.errors import BundleError


class Enforced(msgspec.Struct, frozen=True):
    """For each boundary: how it was enforced, or why it was not."""

    enforced: dict[str, str] = {}
    missing: dict[str, str] = {}


class Allowed(msgspec.Struct, frozen=True):
    """The limits the run had; None is no limit."""

    steps: int | None = None
    wall_seconds: float | None = None
    idle_seconds: float | None = None
    cost_usd: Decimal | None = None
    tokens: int | None = None
    model_calls: int | None = None


class Environment(msgspec.Struct, frozen=True):
    """The parts of environment.json that are shown."""

    backend: str = ""
    enforcement: Enforced = Enforced()
    limits: Allowed = Allowed()


class Change(msgspec.Struct, frozen=True):
    """One file that is not what it was before the run."""

    path: str
    kind: str
    bytes_before: int | None = None
    bytes_after: int | None = None


class _Changes(msgspec.Struct, frozen=True):
    changes: tuple[Change, ...] = ()


def read_environment(data: Any) -> Environment:
    """From the data of environment.json (None: there is none); BundleError for a part of the wrong shape."""
    environment: Environment = _convert(data or {}, Environment, "environment.json")
    return environment


def read_changes(data: Any) -> tuple[Change, ...]:
    """From the data of workspace/changes.json (an object with `changes`, or that list); None is no change."""
    found = {"changes": data} if isinstance(data, (list, tuple)) else data
    changes: _Changes = _convert(found or {}, _Changes, "workspace/changes.json")
    return changes.changes


def _convert(data: Any, kind: Any, name: str) -> Any:
    try:
        return msgspec.convert(data, kind, from_attributes=True)
    except msgspec.ValidationError as error:
        raise BundleError(f"{name} of the bundle is damaged: {error}") from error
