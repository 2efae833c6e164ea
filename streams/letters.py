"""Lists the dead letters: reads `dead-letters`, keeps them in PostgreSQL where people look, correct and replay."""

import structlog

from projections.dead_letters import table as letters
from streams.record import Batch, Connection, Effect, Memoryless

log = structlog.get_logger()


class Letters(Memoryless):
    """The processor. What it cannot read stays in the log and is said there: a dead letter of a dead letter helps nobody."""

    name = "letters"
    topic = "dead-letters"
    durable_outbox = True

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        await letters.apply(
            connection, [(record.partition, record.offset, record.key, record.value, record.headers) for record in batch.records]
        )
        return []
