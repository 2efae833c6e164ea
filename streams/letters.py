"""Lists the dead letters: reads `dead-letters`, keeps them in PostgreSQL where people look, correct and replay."""

import structlog

from projections.dead_letters import table as letters
from streams.record import Batch, Connection, Effect

log = structlog.get_logger()


class Letters:
    """The processor. What it cannot read stays in the log and is said there: a dead letter of a dead letter helps nobody."""

    name = "letters"
    topic = "dead-letters"
    durable_outbox = True

    def forget(self, partition: int) -> None:
        """Nothing is remembered."""
        del partition

    def committed(self, batch: Batch) -> None:
        """Nothing is remembered."""
        del batch

    def has_chores(self, partition: int) -> bool:
        """There are none."""
        del partition
        return False

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        """There is none."""
        del connection, partition
        return None

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        await letters.apply(
            connection, [(record.partition, record.offset, record.key, record.value, record.headers) for record in batch.records]
        )
        return []
