"""Tells who comes into a segment and who leaves it: a fact of the customer, and a row for those who count.

What is told follows an identifier, as all facts do, and so goes along when the rows that it came of go to another customer. Where rows
moved, what is not so of whoever has them now is told anew; and where a word was on its way meanwhile, when it comes (`of_another`).
Reading order: Said, last_said, is_told, of_another, New, tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from aggregates.fact import Fact
from aggregates.rules.segment import Segment
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent
from projections.segments import table
from projections.segments.table import Change
from projections.timeline import table as timeline
from projections.triggers.trigger import ENTERED, LEFT
from streams.parts import Moment
from streams.recalling import NEVER
from streams.record import Effect
from streams.words import KEY, told

SPEAKER = "yekta:segments"


class Said(NamedTuple):
    """What a customer's history says last of a segment: whether he is in, and since when it says so."""

    at: datetime
    inside: bool


NOTHING_SAID = Said(NEVER, False)
NEXT = timedelta(microseconds=1)
"""What is told anew comes after what it corrects."""

AFTER = 2 * NEXT
"""And what is so once rows moved comes after that: what corrected the same may be on its way yet."""


def last_said(facts: Iterable[Fact]) -> dict[str, Said]:
    """What was told last of each segment, of facts in order."""
    ours = [fact for fact in facts if fact.source == SPEAKER and fact.key == KEY]
    return {fact.data["segment"]: Said(fact.at, fact.type == ENTERED) for fact in ours}


def is_told(event: CustomerEvent) -> bool:
    """Whether it is told here, and not by a channel."""
    return event.source == SPEAKER and event.yektakey == KEY


def of_another(customer: str, event: CustomerEvent, data: Mapping[str, Any]) -> bool:
    """Whether what is told here was so of somebody else: its identifier went to this customer while it was on its way."""
    return event.id != str(_id(event.type, data["segment"], data["version"], customer, event.time))


class New(NamedTuple):
    """Somebody comes into a segment or leaves it, or is told of it again."""

    customer: UUID
    segment: Segment
    inside: bool
    changes: bool  # whether it is new
    tells: bool  # whether his history does not say so
    at: datetime
    said: datetime  # when what his history says last was so
    clock: str
    backfill: bool
    simulated: bool


async def tell(moment: Moment, new: Sequence[New]) -> list[Effect]:
    """Write down who comes in and who leaves, and tell it.

    Of one segment of one customer nothing is told that is as old as what was told before, or older: facts are read in the order of time.
    """
    customers = {one.customer for one in new}
    last = await table.last(moment.connection, customers)
    deciders = await timeline.deciders(moment.connection, moment.schema, customers)
    changes, effects = list[Change](), list[Effect]()
    for one in new:
        name, version = one.segment.name, one.segment.version
        at = last[one.customer, name] = max(
            one.at, last.get((one.customer, name), NEVER) + NEXT, one.said + (AFTER if one.changes else NEXT)
        )
        type_ = ENTERED if one.inside else LEFT
        if one.changes:
            changes.append(Change(name, version, one.customer, type_.partition(".")[2], at))
        if one.tells and one.customer in deciders:
            customer, decider = str(one.customer), deciders[one.customer]
            id_ = _id(type_, name, version, customer, at)
            data = {"segment": name, "version": version}
            said = told(
                SPEAKER, type_, customer, id_, data, at, backfill=one.backfill, simulated=one.simulated, clock=one.clock, decider=decider
            )
            effects.append(said)
    await table.put(moment.connection, changes)
    return effects


def _id(type_: str, segment: str, version: int, customer: str, at: datetime) -> UUID:
    return derive(type_, segment, str(version), customer, at.isoformat())
