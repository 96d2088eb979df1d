"""The SQLite file of the budgets: made, opened, and what its errors mean to a person."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from microloop_cli.errors import HostError

SCHEMA_VERSION = 1
# held.place and held.process say who holds: see holder.py. until: epoch seconds.
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS spent (
    project TEXT NOT NULL, day TEXT NOT NULL, nano_usd INTEGER NOT NULL, PRIMARY KEY (project, day)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spent_by_day ON spent (day);
CREATE TABLE IF NOT EXISTS held (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, day TEXT NOT NULL, nano_usd INTEGER NOT NULL,
    place TEXT NOT NULL, process TEXT NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
"""


def open_budget_file(path: Path, patience_seconds: float) -> sqlite3.Connection:
    """A connection in autocommit mode, for any thread but one at a time, to a file of the user's own.

    Raises HostError when the folder cannot be made or another version wrote the file, and sqlite3.Error.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    except OSError as error:
        raise HostError(
            f"the budgets cannot be kept in {path}: {error.strerror}",
            hint="Make the folder writable, or set XDG_STATE_HOME to one that is.",
        ) from error
    connection = sqlite3.connect(
        path, timeout=patience_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path)
    except (sqlite3.Error, HostError):
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Only when it is not there: closing any descriptor of it would drop this process's SQLite locks."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise HostError(
            f"{path} was written by a newer microloop",
            hint="Upgrade microloop-cli, or move the file away: what was spent is then counted anew.",
        )
    if version < SCHEMA_VERSION:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
    connection.execute("PRAGMA synchronous = NORMAL")


def trouble(path: Path, error: sqlite3.Error) -> HostError:
    """What to tell a person. An error that is none of these is still one of the file."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return HostError(
            f"the budgets in {path} are locked by another process",
            hint=f"Wait, or find out who holds the file: fuser {path}",
        )
    if "not a database" in text or "malformed" in text or "no such table" in text or "no column" in text:
        return HostError(
            f"the budgets in {path} cannot be read: {text}",
            hint=f"Move the file away: what was spent is then counted anew. mv {path} {path}.broken",
        )
    return HostError(f"the budgets in {path} cannot be used: {text}", hint="Is the disk full or read-only?")
