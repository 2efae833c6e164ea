"""Effects that must be told, kept in the transaction that decided them until Kafka has them: the outbox of a partition."""

from collections.abc import Sequence

import msgspec

from streams.record import Connection, Publication

_headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


async def post(connection: Connection, partition: int, offset: int, publications: Sequence[Publication]) -> None:
    """Write publications to the outbox, in order."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            'INSERT INTO streams.outbox (partition, "offset", n, topic, key, value, headers)'
            ' SELECT %s, %s, COALESCE(max(n) + 1, 0), %s, %s, %s, %s FROM streams.outbox WHERE partition = %s AND "offset" = %s',
            [(partition, offset, p.topic, p.key, p.value, msgspec.msgpack.encode(p.headers), partition, offset) for p in publications],
        )


async def left(connection: Connection, partition: int) -> list[tuple[int, Publication]]:
    """What the last owner of a partition left in it, in order, with the offsets of its batches."""
    cursor = await connection.execute(
        'SELECT "offset", topic, key, value, headers FROM streams.outbox WHERE partition = %s ORDER BY "offset", n', (partition,)
    )
    return [
        (offset, Publication(topic, key, value, _headers.decode(headers))) for offset, topic, key, value, headers in await cursor.fetchall()
    ]


async def clear(connection: Connection, partition: int, first: int, last: int) -> None:
    """Forget what was acknowledged: the rows of the batches from `first` to `last`."""
    await connection.execute('DELETE FROM streams.outbox WHERE partition = %s AND "offset" BETWEEN %s AND %s', (partition, first, last))
