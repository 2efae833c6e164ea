"""Random histories in which customers are erased while their events flow and workers die: what is left is what the log says."""

import asyncio
from datetime import timedelta
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest

from aggregates.identity import Erase
from aggregates.identity import decisions as deciding
from aggregates.sealing import seal
from infra import differing, generations
from infra.sealing import KeyRing
from streams.customer import Customer
from streams.record import Batch, Connection, Record
from tests.api.conftest import answered
from tests.streams.crew import Connections
from tests.streams.history import History
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

AT_ONCE = 4


class Erasing(History):
    """A history some of whose customers are to be forgotten, whatever has come of them by then."""

    async def _happen(self) -> None:
        erasing = asyncio.create_task(self._erase())
        await super()._happen()
        await erasing

    async def _erase(self) -> None:
        for number in range(self.random.choice((1, 2, 4))):
            await asyncio.sleep(self.random.random() * 0.1)
            known = await self._known() if number else await answered(self._known)  # on a slow machine the first may not be there yet
            if not known:
                continue  # all are erased, and nobody came since
            at = BEGINNING + timedelta(days=10, hours=self.random.choice((-1, 0.5, 4.5, 20)))
            told = deciding.touchpoint(Erase(by="tests", at=at, customer=self.random.choice(known)), f"{self.name} {number}")
            self.memory.append("touchpoints", *seal(told, self.keys))

    async def _known(self) -> list[UUID]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT i.customer_id FROM identity.identifiers i JOIN identity.customers c USING (customer_id)"
                " WHERE c.event_id = ANY(%s) ORDER BY 1",
                (list(self.sent),),
            )
            return [row[0] for row in await cursor.fetchall()]

    async def _check(self, connection: Connection) -> None:
        """Each event is in one timeline, or was erased; who was erased has no view, and nothing that was his is left."""
        sent = list(self.sent)
        assert (
            await _all(connection, "SELECT event_id FROM read_1.timeline WHERE event_id = ANY(%s) GROUP BY 1 HAVING count(*) > 1", sent)
            == []
        )
        shown = await _all(connection, "SELECT event_id FROM read_1.timeline WHERE event_id = ANY(%s)", sent)
        erased = await _all(connection, "SELECT event_id FROM identity.erased_events WHERE event_id = ANY(%s)", sent)
        assert len(shown) + len(erased) == len(sent)
        assert {*shown, *erased} == {*sent}
        left = (
            "SELECT t.event_id FROM read_1.timeline t JOIN identity.erased_tokens e ON e.identifier = t.decider AND t.recorded < e.at"
            " WHERE t.event_id = ANY(%s)"
        )
        assert await _all(connection, left, sent) == []


async def _all(connection: Connection, statement: str, *values: Any) -> list[UUID]:
    return [row[0] for row in await (await connection.execute(statement.encode(), values)).fetchall()]


async def test_what_is_left_is_what_the_log_says(
    pool: Connections, connection: Connection, keys: KeyRing, histories: int, seed: int
) -> None:
    played = [Erasing(number, seed + number, pool, keys) for number in range(max(1, histories // 15))]
    waiting = list(reversed(played))

    async def play() -> None:
        while waiting:
            history = waiting.pop()
            try:
                await history.play()
            except BaseException as failure:
                failure.add_note(f"--seed {seed + played.index(history)} --histories 15: {history}")
                raise

    await asyncio.gather(*(play() for _ in range(AT_ONCE)))
    await generations.create(connection, "apart")
    step = Customer(KeyRing(MASTER), "apart")
    async with connection.transaction():
        for history in Random(seed).sample(played, len(played)):
            for partition in history.memory.numbers:
                batch = Batch(partition, cast("list[Record]", history.memory.records("customer-events", partition)))
                if batch.records:
                    await step.apply(connection, batch)
                    step.committed(batch)
    assert await differing.different(connection, "read_1", "apart") == []
    assert await _all(connection, "SELECT customer_id FROM read_1.view JOIN identity.erased USING (customer_id)") == []
    assert await _all(connection, "SELECT event_id FROM identity.erased_events LIMIT 1") != []
