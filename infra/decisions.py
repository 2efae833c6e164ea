"""Keeps decisions: events of aggregates through the eventsourcing library's recorder, and in the same transaction what is read of them.

The recorder's own functions in the database stay off: with them its subscribers miss events. Inserts take turns, so that the order of
notifications is the order of commits, which is what the relay relies on. Reading order: DecisionStore, _Recorder.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from aggregates.decision import Also, Decision, Overtaken
from infra.recording import datastore

CHANNEL = "yekta_decided"


class DecisionStore:
    """The adapter of `aggregates.decision.Decisions`. Its recorder blocks, so it works in a thread beside the loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._recorder: _Recorder | None = None

    async def load(self, id_: UUID) -> Sequence[Decision]:
        """All decisions of an aggregate, in order; none for one that never was."""
        return await asyncio.to_thread(self._select, id_)

    async def record(self, decisions: Sequence[Decision], also: Sequence[Also] = ()) -> int:
        """Keep decisions and what goes with them, all or nothing; the number of the last in the order of all decisions."""
        return await asyncio.to_thread(self._insert, decisions, also)

    def close(self) -> None:
        """Give the connections back."""
        if self._recorder is not None:
            self._recorder.datastore.close()

    def _select(self, id_: UUID) -> list[Decision]:
        events = self._opened().select_events(id_)
        return [Decision(UUID(str(event.originator_id)), event.originator_version, event.topic, event.state) for event in events]

    def _insert(self, decisions: Sequence[Decision], also: Sequence[Also]) -> int:
        stored = [StoredEvent(decision.id, decision.version, decision.tag, decision.state) for decision in decisions]
        try:
            numbers = self._opened().insert_events(stored, also=also)
        except IntegrityError as error:
            raise Overtaken("Somebody else decided about it at the same moment.") from error
        return numbers[-1] if numbers else 0

    def _opened(self) -> "_Recorder":
        if self._recorder is None:
            self._recorder = _Recorder(datastore(self._dsn, "decisions"), events_table_name="events")
        return self._recorder


class _Recorder(PostgresApplicationRecorder):
    """Writes what goes with the decisions, and wakes the relay, in the transaction of their events."""

    def _insert_events(self, curs: Any, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        del stored_events
        for statement, values in kwargs["also"]:
            curs.execute(statement, values)
        curs.execute(f"NOTIFY {CHANNEL}")
