"""What came to a customer's timeline after a place in the log: how a live page goes on where it was.

Reading order: Edition, written, read, since.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from projections.rows import Connection
from projections.timeline.page import Item


class Edition(NamedTuple):
    """By what it shows that a view changed."""

    log_partition: int
    log_offset: int  # where in the log its last change stands
    events: int
    moving: bool


def written(edition: Edition) -> str:
    """An edition as an address has it."""
    return ".".join(str(int(part)) for part in edition)


def read(text: str) -> Edition | None:
    """The edition that an address names; None when it names none."""
    parts = text.split(".")
    if len(parts) != len(Edition._fields) or not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts):
        return None
    partition, offset, events, moving = map(int, parts)
    return Edition(partition, offset, events, bool(moving))


async def editions(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[UUID, Edition]:
    """The editions of these customers' views. Whoever has no view is absent."""
    cursor = await connection.execute(
        f"SELECT customer_id, log_partition, log_offset, events, moving FROM {schema}.view WHERE customer_id = ANY(%s)", (list(customers),)
    )
    return {row[0]: Edition(*row[1:]) for row in await cursor.fetchall()}


async def since(connection: Connection, schema: str, customer: UUID, ends: Mapping[int, int], limit: int) -> Sequence[Item]:
    """The customer's events at or after these offsets, in the order of the log; a partition that is not named counts from its beginning."""
    async with connection.cursor(binary=True, row_factory=class_row(Item)) as found:
        await found.execute(
            f"SELECT {', '.join(Item._fields)} FROM {schema}.timeline WHERE customer_id = %s"
            " AND log_offset >= COALESCE((%s::jsonb ->> log_partition::text)::bigint, 0) ORDER BY log_partition, log_offset LIMIT %s",
            (customer, Jsonb({str(partition): end for partition, end in ends.items()}), limit),
        )
        return await found.fetchall()
