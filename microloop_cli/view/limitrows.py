"""What was used of what was allowed, a row a limit. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from microloop_cli.view.dollars import NOTHING, amount, believable
from microloop_cli.view.extras import Environment
from microloop_cli.view.model import RunView

LimitName = Literal["steps", "wall_seconds", "idle_seconds", "cost_usd", "tokens", "model_calls"]
NAMES: tuple[LimitName, ...] = (
    "steps", "wall_seconds", "idle_seconds", "cost_usd", "tokens", "model_calls",
)  # fmt: skip


class LimitRow(msgspec.Struct, frozen=True):
    """used: of cost_usd a Decimal, None when nothing has a price. allowed: None where there was no limit."""

    name: LimitName
    used: int | float | Decimal | None
    allowed: int | float | Decimal | None


def limit_rows(view: RunView, about: Environment) -> tuple[LimitRow, ...]:
    """All limits; where the environment is lost, a warning still tells what was allowed."""
    said = {warning.limit: warning.allowed for warning in view.warnings}
    return tuple(
        LimitRow(name, getattr(view.used, name), _allowed(name, getattr(about.limits, name), said.get(name)))
        for name in NAMES
    )


def share_used(row: LimitRow) -> float:
    """Of what was allowed, from 0 up; 1 where nothing was."""
    allowed = float(row.allowed or 0)
    return float(row.used or 0) / allowed if allowed > 0 else 1.0


def _allowed(name: LimitName, value: Any, warned: float | None) -> int | float | Decimal | None:
    found = value if value is not None else warned
    if found is None or name != "cost_usd":
        return found
    exact = found if isinstance(found, Decimal) else amount(str(found)) or NOTHING
    return believable(exact)
