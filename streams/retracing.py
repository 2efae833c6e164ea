"""Folds a long history anew from the last mark before a late fact, and leaves marks on its way: it costs what came after the fact.

Reading order: Retracing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from aggregates.wire import customer_event_decoder
from projections.churn import marks
from projections.churn.marks import Mark
from projections.timeline import table as timeline
from streams.parts import Folding, Moment, Past, opened
from streams.record import Keys

STEP = 500
"""Rows from one mark to the next."""


class Retracing:
    """`part`: the one that folds."""

    def __init__(self, keys: Keys, part: Folding) -> None:
        self._keys, self._part = keys, part

    async def retraced(self, moment: Moment, customer: UUID, late: datetime, met: Callable[[Any, Sequence[Past]], None]) -> Any:
        """What all facts of a customer make of him, of which one came that happened then. `met` hears those from the mark on, and what was
        made of all before them."""
        so_far, at = self._part.begin(moment.partition), None
        mark = await marks.before(moment.connection, customer, late)
        known = self._part.unpack(moment.partition, mark.made) if mark is not None else None
        if mark is not None and known is not None:
            so_far, at = known, mark.at
            await marks.void(moment.connection, {customer: late})
        else:
            await marks.forget(moment.connection, [customer])
        left: list[Mark] = []
        while rows := await timeline.piece(moment.connection, moment.schema, customer, at, STEP):
            events = [event for row in rows if self._part.wants(moment.partition, event := customer_event_decoder.decode(row.record))]
            await self._keys.fetch(moment.connection, {event.yektaseal for event in events if event.yektaseal > 0})
            facts = [opened(event, self._keys) for event in events]
            told = [Past(event, fact) for event, fact in zip(events, facts, strict=True)]
            met(so_far, told)
            so_far = self._part.fold(moment.partition, so_far, told)
            at = rows[-1].at
            if len(rows) < STEP:
                break
            if facts:
                left.append(Mark(facts[-1].at, self._part.pack(so_far)))
        await marks.add(moment.connection, customer, left)
        return so_far
