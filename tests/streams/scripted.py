"""A processor that does what its records say: writes, fails, dies or waits, to see what the runner makes of it."""

from collections.abc import Awaitable, Callable

import psycopg

from streams.record import Batch, Bury, Connection, Effect, Halt, Publication, Record

TABLE = (
    "CREATE TABLE streams.done (processor text, partition int, said text, times int DEFAULT 1, PRIMARY KEY (processor, partition, said))"
)


class Deadly(Exception):
    """What ends a process."""


class Scripted:
    """Record values are what to do: `fine…` writes itself down, `tell…` also publishes, and others do as they are called."""

    topic = "script"

    def __init__(self, name: str = "scripted", *, durable: bool = True, deadly: Callable[[], Awaitable[None]] | None = None) -> None:
        self.name, self.durable_outbox = name, durable
        self.deadly = deadly
        self.batches: list[list[str]] = []
        self.forgotten = 0

    def has_chores(self, partition: int) -> bool:
        del partition
        return False

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        del connection, partition
        return None

    def committed(self, batch: Batch) -> None:
        del batch

    def forget(self, partition: int) -> None:
        del partition
        self.forgotten += 1

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        self.batches.append([said(record) for record in batch.records])
        effects: list[Effect] = []
        for record in batch.records:
            effects += await self._do(connection, record)
        return effects

    async def _do(self, connection: Connection, record: Record) -> list[Effect]:
        match said(record).split()[0]:
            case "garbled":
                return [Bury(record, "garbled", "nobody can read it")]
            case "unstorable":
                await connection.execute("SELECT 1 / 0")
            case "impossible":
                await connection.execute("INSERT INTO streams.done VALUES (%s, NULL, NULL)", (self.name,))
            case "deadly":
                assert self.deadly is not None
                await self.deadly()
            case "unexpected":
                raise Deadly
            case "newer":
                raise Halt("A newer version wrote this.")
            case "flaky" if len(self.batches) < 3:
                raise psycopg.OperationalError("for a moment")
        await connection.execute(
            "INSERT INTO streams.done AS d VALUES (%s, %s, %s) ON CONFLICT (processor, partition, said) DO UPDATE SET times = d.times + 1",
            (self.name, record.partition, said(record)),
        )
        if said(record).startswith("tell"):
            return [Publication("told", record.key or b"", record.value or b"")]
        return []


def said(record: Record) -> str:
    """What a record says."""
    return (record.value or b"").decode()
