"""What every door does with what it understood: seal it, append it to the log, and answer only after Kafka has it.

Reading order: Breath, Accepted, Rejected, append, sealed.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

import msgspec

from aggregates import dead_letter
from aggregates.dead_letter import DeadLetter
from aggregates.log import Entry, NotAcknowledged
from aggregates.sealing import KeyUnknown, seal
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from api import position
from api.metrics import EVENTS
from api.ports import Dependencies
from api.problem import unavailable

TURN = 0.02
"""After so many seconds of judging others get their turn, however few and large the items are."""

NO_HEADERS: list[tuple[str, bytes]] = []


class Breath:
    """Lets others have their turn between the items of a batch."""

    def __init__(self) -> None:
        self._since = perf_counter()

    def is_due(self) -> bool:
        """Whether it is their turn, between two items."""
        return perf_counter() - self._since >= TURN

    async def drawn(self) -> None:
        """Their turn."""
        await asyncio.sleep(0)
        self._since = perf_counter()


class Accepted(msgspec.Struct, frozen=True, gc=False, tag_field="status", tag="accepted"):
    """The event is in the log: every in-sync replica has it."""

    id: str
    source: str
    event_id: UUID  # its id inside Yekta


class Rejected(msgspec.Struct, frozen=True, tag_field="status", tag="rejected"):
    """The event is not in the log; its bytes are kept as a dead letter."""

    id: str | None
    source: str | None
    reason: str
    pointer: str  # RFC 6901, into the event
    detail: str
    mend: str
    dead_letter: str


async def append(
    dependencies: Dependencies, source: Source, facts: Sequence[Entry], letters: Sequence[DeadLetter], alone: UUID | None = None
) -> str:
    """Publish, wait for Kafka, and give the position after the facts. Raises a 503 problem when Kafka is not in time."""
    try:
        if letters:
            records = [dead_letter.record(letter) for letter in letters]
            ends, _ = await asyncio.gather(
                dependencies.log.publish(dependencies.topics.touchpoints, facts),
                dependencies.log.publish(dependencies.topics.dead_letters, records),
            )
        else:
            ends = await dependencies.log.publish(dependencies.topics.touchpoints, facts)
    except NotAcknowledged as error:
        EVENTS.labels(source.name, "unacknowledged").inc(len(facts) + len(letters))
        raise unavailable(f"{error} The same events may be sent again with the same ids.") from error
    dependencies.limits.charge(source, len(facts) + len(letters), dependencies.clock())
    if facts:
        EVENTS.labels(source.name, "accepted").inc(len(facts))
        dependencies.recent.note(ends, dependencies.clock())
    if letters:
        EVENTS.labels(source.name, "rejected").inc(len(letters))
    return position.token(ends, alone)


def sealed(touchpoint: Touchpoint, dependencies: Dependencies) -> Entry:
    """The record of a touchpoint. Raises a 503 problem while there are no data keys."""
    try:
        return (*seal(touchpoint, dependencies.secrets), NO_HEADERS)
    except KeyUnknown as error:
        raise unavailable("No data keys have been leased yet.") from error
