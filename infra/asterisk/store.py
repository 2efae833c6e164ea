"""Keeps what is known of live calls and what is still to be told, in one small file, so that neither is lost by a crash.

What is known and what is told because of it are written in one transaction. Reading order: Store.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from infra.asterisk.call import Call

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS heard (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
"""


class Store:
    """The file of one PBX."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """No more."""
        self._connection.close()

    def calls(self) -> dict[str, Call]:
        """The calls that were not over when we last heard."""
        rows = self._connection.execute("SELECT id, state FROM calls").fetchall()
        return {id_: msgspec.json.decode(state, type=Call) for id_, state in rows}

    def last_heard(self) -> float:
        """When something was last heard of the PBX; 0: never."""
        row = self._connection.execute("SELECT at FROM heard").fetchone()
        return float(row[0]) if row else 0.0

    def keep(self, calls: dict[str, Call], changed: Iterable[str], events: Sequence[dict[str, Any]], at: float) -> None:
        """What is known now of the calls that changed, and what is to be told, all or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        for id_ in changed:
            if id_ in calls:
                self._connection.execute("INSERT OR REPLACE INTO calls VALUES (?, ?)", (id_, msgspec.json.encode(calls[id_])))
            else:
                self._connection.execute("DELETE FROM calls WHERE id = ?", (id_,))
        self._connection.executemany("INSERT INTO outbox (event) VALUES (?)", [(msgspec.json.encode(event),) for event in events])
        self._connection.execute("INSERT OR REPLACE INTO heard VALUES (1, ?)", (at,))
        self._connection.execute("COMMIT")

    def waiting(self, most: int) -> list[tuple[int, bytes]]:
        """What is still to be told, in order."""
        return self._connection.execute("SELECT seq, event FROM outbox ORDER BY seq LIMIT ?", (most,)).fetchall()

    def told(self, last: int) -> None:
        """Everything up to here is in the log."""
        self._connection.execute("DELETE FROM outbox WHERE seq <= ?", (last,))
