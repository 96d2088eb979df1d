"""The runs of a workspace as rows. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.text import Text

from microloop_cli.view.dollars import amount, dollars
from microloop_cli.view.figures import seconds
from microloop_cli.view.lines import argv_text, line, one_line

_COMMAND_LEAST = 12
_RUN_ID_WIDTH = 22
_WIDTH_FOR_WHEN = 110
_WIDTH_FOR_TOOK = 80
_COST_WIDTH = 8


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run; what is not known of a crashed or damaged one is None. `problem`: what is wrong with it.

    cost_usd: exact decimal text, None when no model call has a price; unpriced_calls are not in it.
    """

    run_id: str
    started_at: str = ""
    argv: tuple[str, ...] = ()
    outcome: str = ""
    exit_code: int | None = None
    duration_seconds: float | None = None
    steps: int | None = None
    cost_usd: str | None = None
    unpriced_calls: int = 0
    problem: str = ""


def list_lines(rows: list[RunRow], width: int) -> Iterator[Text]:
    """A title, then a line a run; on a narrow terminal the start and the duration of a run give way.

    What runs cost is a column when any of them has a price.
    """
    priced = any(amount(row.cost_usd) is not None for row in rows)
    cost = f"{'cost':>{_COST_WIDTH}}  " if priced else ""
    titles = _middle("when (UTC)", "outcome", "exit", "steps", "took", width - len(cost))
    yield line((f"{'run':<{_RUN_ID_WIDTH}}  {titles}{cost}command", "dim"))
    for row in rows:
        yield _row(row, width, priced)


def _row(row: RunRow, width: int, priced: bool) -> Text:
    exit_code = "-" if row.exit_code is None else str(row.exit_code)
    steps = "-" if row.steps is None else f"{row.steps:,}"
    when = one_line(row.started_at[:16], 16).replace("T", " ")
    start = f"{one_line(row.run_id, _RUN_ID_WIDTH):<{_RUN_ID_WIDTH}}  "
    told = dollars(amount(row.cost_usd), more=row.unpriced_calls > 0)
    cost = f"{told:>{_COST_WIDTH}}  " if priced else ""
    took = seconds(row.duration_seconds)
    middle = _middle(when, one_line(row.outcome, 11), exit_code, steps, took, width - len(cost)) + cost
    room = max(_COMMAND_LEAST, width - len(start) - len(middle))
    command = argv_text(row.argv, 4 * width) if not row.problem else f"({row.problem})"
    good = row.outcome == "ended" and row.exit_code == 0
    return line(
        (start, "bold"),
        (middle, "" if good else "red"),
        (one_line(command, room), "yellow" if row.problem else ""),
    )


def _middle(when: str, outcome: str, exit_code: str, steps: str, took: str, width: int) -> str:
    """The columns between the run and its command."""
    started = f"{when:<16}  " if width >= _WIDTH_FOR_WHEN else ""
    lasted = f"{took:>8}  " if width >= _WIDTH_FOR_TOOK else ""
    return f"{started}{outcome:<11}  {exit_code:>4}  {steps:>6}  {lasted}"


def row_document(row: RunRow) -> dict[str, Any]:
    """A row as JSON data."""
    document: dict[str, Any] = msgspec.to_builtins(row)
    return document
