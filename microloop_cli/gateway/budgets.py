"""Budgets beyond one run, per day and per project, in one SQLite file that many runs use at once.

Amounts are kept as whole nano-dollars, rounded up. Each call is one immediate transaction. What a run holds
when it dies is given back: at once when its process is gone from this machine, else when its lease is over.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import msgspec

from microloop_cli.gateway.budget_file import open_budget_file, trouble
from microloop_cli.gateway.cost import shown_usd
from microloop_cli.gateway.holder import gone, this_process

LEASE_SECONDS = 3600.0
_NANO = Decimal(10**9)
_MOST_NANO = 10**17  # 100 million dollars: sums of it fit SQLite's integers
_KEEP_SECONDS = 30 * 86_400.0


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """Upper bounds in US dollars, None: no limit. Of a day over all projects, of a project a day, or ever."""

    day_usd: Decimal | None = None
    project_day_usd: Decimal | None = None
    project_usd: Decimal | None = None


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """An amount held until it is settled: what was asked for, or less where less was left."""

    id: str
    project: str
    day: date
    held_usd: Decimal


class OverBudget(msgspec.Struct, frozen=True, kw_only=True):
    """Whose budget is used up, and how far; used_usd counts what running calls hold."""

    budget: str
    used_usd: Decimal
    allowed_usd: Decimal
    message: str


def default_path(environment: Mapping[str, str], home: Path) -> Path:
    """Where the budgets of a user are: below XDG_STATE_HOME when that is an absolute path."""
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else home / ".local" / "state"
    return base / "microloop" / "budgets.sqlite3"


class BudgetBook:
    """The file at `path`; made, with its folder, at the first use. Safe with other processes and threads.

    day is the caller's local date, now the caller's clock in seconds since the epoch. Each method may block
    while others write (`patience_seconds` at most) and raises HostError when the file cannot be used.
    """

    def __init__(self, path: Path, budgets: Budgets, *, patience_seconds: float = 10.0) -> None:
        self._path = path
        self._budgets = budgets
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._holder = this_process()

    def reserve(
        self, project: str, day: date, amount_usd: Decimal, now: float, *, least_usd: Decimal | None = None
    ) -> Reservation | OverBudget:
        """Hold `amount_usd` for a call; with least_usd as much of it as is left, when that is not less."""
        wanted = _nano(amount_usd)
        least = wanted if least_usd is None else min(wanted, _nano(least_usd))
        project, left = _storable(project), wanted
        with self._transaction() as db:
            self._expire(db, now)
            for budget, used, allowed in self._levels(db, project, day) if wanted else ():
                left = min(left, allowed - used)
                if left < max(1, least):
                    return _over(budget, used, allowed, project)
            key = secrets.token_hex(16)
            row = (key, project, day.isoformat(), left, *self._holder, now + LEASE_SECONDS)
            db.execute("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return Reservation(id=key, project=project, day=day, held_usd=_usd(left))

    def settle(self, reservation: Reservation, actual_usd: Decimal) -> None:
        """Charge what the call came to, on the day it began; a second time changes nothing."""
        with self._transaction() as db:
            if db.execute("DELETE FROM held WHERE id = ?", (reservation.id,)).rowcount:
                amount = {
                    "project": reservation.project,
                    "day": reservation.day.isoformat(),
                    "nano": _nano(actual_usd),
                    "most": _MOST_NANO,
                }
                db.execute(
                    "INSERT INTO spent VALUES (:project, :day, :nano) ON CONFLICT (project, day) "
                    "DO UPDATE SET nano_usd = min(nano_usd + :nano, :most)",
                    amount,
                )

    def renew(self, reservation: Reservation, now: float) -> None:
        """A call goes on: its lease begins anew. Needed only by calls longer than LEASE_SECONDS."""
        with self._transaction() as db:
            db.execute("UPDATE held SET until = ? WHERE id = ?", (now + LEASE_SECONDS, reservation.id))

    def spent(self, project: str | None = None, day: date | None = None) -> Decimal:
        """US dollars settled, of one project or all, on one day or ever."""
        with self._transaction() as db:
            return _usd(_sum(db, "spent", None if project is None else _storable(project), day))

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _levels(self, db: sqlite3.Connection, project: str, day: date) -> Iterator[tuple[str, int, int]]:
        """Each budget that is set: its name, what is spent and held of it, and its bound in nano-dollars."""
        budgets = self._budgets
        for name, allowed, of_project, on_day in (
            ("day_usd", budgets.day_usd, None, day),
            ("project_day_usd", budgets.project_day_usd, project, day),
            ("project_usd", budgets.project_usd, project, None),
        ):
            if allowed is not None:
                used = _sum(db, "spent", of_project, on_day) + _sum(db, "held", of_project, on_day)
                yield name, used, _nano(allowed)

    def _expire(self, db: sqlite3.Connection, now: float) -> None:
        """Give back what dead runs hold. After a lease the row stays, so that it can still be settled."""
        rows = db.execute("SELECT DISTINCT place, process FROM held").fetchall()
        dead = [row for row in rows if gone(row, self._holder)]
        db.executemany("DELETE FROM held WHERE place = ? AND process = ?", dead)
        db.execute("UPDATE held SET nano_usd = 0 WHERE until < ?", (now,))
        db.execute("DELETE FROM held WHERE until < ? AND nano_usd = 0", (now - _KEEP_SECONDS,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = open_budget_file(self._path, self._patience_seconds)
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection as db:  # commits, or rolls back
                    yield db
            except sqlite3.Error as error:
                raise trouble(self._path, error) from error


def _sum(db: sqlite3.Connection, table: str, project: str | None, day: date | None) -> int:
    where = "(:project IS NULL OR project = :project) AND (:day IS NULL OR day = :day)"
    values = {"project": project, "day": None if day is None else day.isoformat()}
    query = f"SELECT coalesce(sum(nano_usd), 0) FROM {table} WHERE {where}"
    total: int = db.execute(query, values).fetchone()[0]
    return total


def _over(budget: str, used: int, allowed: int, project: str) -> OverBudget:
    whose = {
        "day_usd": "the budget of the day over all projects",
        "project_day_usd": f"the budget of the day of project {ascii(project)[:100]}",
        "project_usd": f"the budget of project {ascii(project)[:100]}",
    }[budget]
    have, most = shown_usd(_usd(used)), shown_usd(_usd(allowed))
    message = f"microloop: {whose}, {most} (budgets.{budget}), is used up: {have} are spent or held"
    return OverBudget(budget=budget, used_usd=_usd(used), allowed_usd=_usd(allowed), message=message)


def _storable(project: str) -> str:
    """SQLite stores UTF-8; a path may hold bytes that are none."""
    return project.encode("utf-8", "backslashreplace").decode()


def _nano(usd: Decimal) -> int:
    return min(max(0, int((usd * _NANO).to_integral_value(ROUND_CEILING))), _MOST_NANO)


def _usd(nano: int) -> Decimal:
    return Decimal(nano) / _NANO
