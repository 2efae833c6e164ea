"""What came to a customer's timeline after a place in the log: how a live page goes on where it was.

Reading order: marks, since.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from projections.timeline.page import Item
from projections.timeline.table import Connection


async def marks(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Where in the log each view changed last: partition and offset. Whoever has no view is absent."""
    cursor = await connection.execute(
        f"SELECT customer_id, log_partition, log_offset FROM {schema}.view WHERE customer_id = ANY(%s)", (list(customers),)
    )
    return {customer: (partition, offset) for customer, partition, offset in await cursor.fetchall()}


async def since(connection: Connection, schema: str, customer: UUID, ends: Mapping[int, int], limit: int) -> Sequence[Item]:
    """The customer's events at or after these offsets, in the order of the log; a partition that is not named counts from its beginning."""
    async with connection.cursor(binary=True, row_factory=class_row(Item)) as found:
        await found.execute(
            f"SELECT {', '.join(Item._fields)} FROM {schema}.timeline WHERE customer_id = %s"
            " AND log_offset >= COALESCE((%s::jsonb ->> log_partition::text)::bigint, 0) ORDER BY log_partition, log_offset LIMIT %s",
            (customer, Jsonb({str(partition): end for partition, end in ends.items()}), limit),
        )
        return await found.fetchall()
