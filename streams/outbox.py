"""Effects that must be told, kept in the transaction that decided them until Kafka has them: the outbox of a processor's partition."""

from collections.abc import Sequence

import msgspec

from streams.record import Connection, Publication

CHORES = 0
"""The offset under which chores tell: that of no batch of theirs, and before every place that anybody waits for."""

_headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


async def post(connection: Connection, processor: str, partition: int, offset: int, publications: Sequence[Publication]) -> None:
    """Write publications to the outbox, in order, after those of the same offset."""
    of = (processor, partition, offset)
    topics, keys, values, headers = zip(*[(p.topic, p.key, p.value, msgspec.msgpack.encode(p.headers)) for p in publications], strict=True)
    await connection.execute(
        'INSERT INTO streams.outbox (processor, partition, "offset", n, topic, key, value, headers)'
        " SELECT %s, %s, %s, last.n + p.n, p.topic, p.key, p.value, p.headers"
        " FROM unnest(%b::text[], %b::bytea[], %b::bytea[], %b::bytea[]) WITH ORDINALITY AS p(topic, key, value, headers, n),"
        ' (SELECT COALESCE(max(n), -1) AS n FROM streams.outbox WHERE processor = %s AND partition = %s AND "offset" = %s) AS last',
        (*of, list(topics), list(keys), list(values), list(headers), *of),
    )


async def left(connection: Connection, processor: str, partition: int) -> list[tuple[int, Publication]]:
    """What the last owner of a partition left in it, in order, with the offsets of its batches."""
    cursor = await connection.execute(
        'SELECT "offset", topic, key, value, headers FROM streams.outbox WHERE processor = %s AND partition = %s ORDER BY "offset", n',
        (processor, partition),
    )
    return [
        (offset, Publication(topic, key, value, _headers.decode(headers))) for offset, topic, key, value, headers in await cursor.fetchall()
    ]


async def clear(connection: Connection, processor: str, partition: int, first: int, last: int) -> None:
    """Forget what was acknowledged: the rows of the batches from `first` to `last`."""
    await connection.execute(
        'DELETE FROM streams.outbox WHERE processor = %s AND partition = %s AND "offset" BETWEEN %s AND %s',
        (processor, partition, first, last),
    )
