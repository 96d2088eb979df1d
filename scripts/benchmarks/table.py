"""Rows of figures: percentiles, what they should be, and how they are printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `plain` is without microloop, `guarded` with it; both in `unit`.

    target: the bound in words; met: whether it holds, None when there is none to hold.
    """

    what: str
    unit: str
    plain: list[float]
    guarded: list[float]
    target: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(slots=True)
class Report:
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(_line(row), flush=True)


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def p50(values: list[float]) -> float:
    return percentile(values, 0.50)


def heading() -> str:
    return f"{'what':46} {'without p50/p95':>17} {'with p50/p95':>17}  {'':22}"


def _line(row: Row) -> str:
    verdict = {True: "ok", False: "MISSED", None: ""}[row.met]
    figures = f"{_pair(row, row.plain):>17} {_pair(row, row.guarded):>17}"
    return f"{row.what:46} {figures}  {_end(row)} {verdict}".rstrip()


def _end(row: Row) -> str:
    factor = (
        f"{p50(row.guarded) / p50(row.plain):.2f}x" if row.plain and row.guarded and p50(row.plain) else ""
    )
    return ", ".join(part for part in (factor, row.target, row.note) if part)


def _pair(row: Row, values: list[float]) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{_number(values[0])} {row.unit}"
    return f"{_number(p50(values))}/{_number(percentile(values, 0.95))} {row.unit}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def as_markdown(report: Report) -> str:
    """The table for the README."""
    lines = ["| | without, p50/p95 | with, p50/p95 | |", "|---|---|---|---|"]
    for row in report.rows:
        lines.append(f"| {row.what} | {_pair(row, row.plain)} | {_pair(row, row.guarded)} | {_end(row)} |")
    return "\n".join(lines)


def as_json(report: Report) -> str:
    rows: list[dict[str, Any]] = []
    for row in report.rows:
        figures = {
            "plain": {"p50": p50(row.plain), "p95": percentile(row.plain, 0.95), "count": len(row.plain)},
            "guarded": {
                "p50": p50(row.guarded),
                "p95": percentile(row.guarded, 0.95),
                "count": len(row.guarded),
            },
        }
        rows.append({**asdict(row), **figures})
    return msgspec.json.format(msgspec.json.encode({"rows": rows})).decode()
