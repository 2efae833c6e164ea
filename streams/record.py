"""What processors take and give: records of a topic in, publications out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.sealing import Sealer

Connection = AsyncConnection[tuple[Any, ...]]

OBJECT = ord("{")


class Record(Protocol):
    """A Kafka record, as aiokafka hands it over."""

    partition: int
    offset: int
    timestamp: int  # milliseconds since the epoch
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Publication(NamedTuple):
    """A record to be published; the topic without the installation's prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition."""

    partition: int
    records: Sequence[Record]

    @property
    def end(self) -> int:
        """The offset after the last record."""
        return self.records[-1].offset + 1


class Bury(NamedTuple):
    """A record that can never be processed, and why: the runner makes it a dead letter, its neighbours go on."""

    record: Record
    reason: str
    detail: str
    pointer: str = ""
    mend: str = ""
    source: str = ""  # the write key's source, where it is known
    raw: bytes | None = None  # what the sender wrote, where that is not the record's value
    content_type: str = ""
    event: UUID | None = None  # its event id, where it names itself


Effect = Publication | Bury


class Keys(Sealer, Protocol):
    """A sealer whose keys can be brought into memory."""

    async def fetch(self, connection: Connection, numbers: Iterable[int]) -> None:
        """Hold the data keys with these numbers."""
        ...


class Halt(Exception):
    """Going on would be wrong: the partition stops until a person or another version comes. The message says why."""


class Shorter(Halt):
    """The log has not what the position says was read: what is appended to it stands in the place of what is missing."""


def check(event: str, data: msgspec.Raw) -> None:
    """What a record's shape does not say: its event id is one, and its data an object. Raises msgspec.ValidationError."""
    msgspec.convert(event, UUID)
    if memoryview(data)[0] != OBJECT:
        raise msgspec.ValidationError("data is no object")


class Processor(Protocol):
    """One processor. Everything it writes goes through the connection, inside the runner's transaction."""

    name: str
    topic: str

    @property
    def durable_outbox(self) -> bool:
        """True: publications are written to the outbox with the effects, and sent after the commit. False: they can be made
        again from what is stored, and the position only moves once they are acknowledged."""
        ...

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        """Write the effects of the batch; what is returned is published after the commit. Raises Halt."""
        ...

    def committed(self, batch: Batch) -> None:
        """The transaction of this batch stands: caches may now believe it."""
        ...

    def forget(self, partition: int) -> None:
        """Drop what is remembered of a partition: it was lost, got, or rolled back."""
        ...

    def has_chores(self, partition: int) -> bool:
        """Whether there may be long work for the partition; asked whenever it is idle, so it must cost nothing."""
        ...

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        """One piece of that work, in its own transaction; None when there was none."""
        ...


class NoChores:
    """What processors share that have no long work between batches."""

    def has_chores(self, partition: int) -> bool:
        """There are none."""
        del partition
        return False

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        """There is none."""
        del connection, partition
        return None


class Memoryless(NoChores):
    """What processors share that also remember nothing from one batch to the next."""

    def forget(self, partition: int) -> None:
        """Nothing is remembered."""
        del partition

    def committed(self, batch: Batch) -> None:
        """Nothing is remembered."""
        del batch
