"""Counts what arrives from each source, for whoever connects one: reads `touchpoints` and nothing of what is in them."""

from datetime import datetime

import msgspec

from projections.arrivals import table
from projections.arrivals.table import Arrived
from streams.record import Batch, Connection, Effect, Memoryless


class Envelope(msgspec.Struct):
    """What is counted by."""

    yektakey: str
    type: str
    yektarecorded: datetime


_decoder = msgspec.json.Decoder(Envelope)


class Arrivals(Memoryless):
    """The processor. Its counts are written with its position; what it cannot read, resolving puts aside."""

    name = "arrivals"
    topic = "touchpoints"
    durable_outbox = True

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        arrived: list[Arrived] = []
        for record in batch.records:
            if record.value is None:
                continue
            try:
                event = _decoder.decode(record.value)
            except msgspec.MsgspecError:
                continue
            arrived.append(Arrived(event.yektakey, event.type, event.yektarecorded))
        await table.count(connection, batch.partition, arrived)
        return []
