"""Whoever asks with `after=` waits by the looks of all who do: a busy log with many readers is not asked by each of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from api.awaiting import BREATH, Awaiting
from api.ports import Pool
from streams.record import Connection
from tests.streams.crew import until
from tests.streams.ground import Ground

pytestmark = pytest.mark.engines

MANY = 40


class Lending:
    """Lends connections, and counts how often; or is away."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self.lent, self.away = ground, 0, False
        self.held: asyncio.Task[bool] | None = None  # who has a connection and gets no further
        self.came, self.gate = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        if self.away:
            raise psycopg.OperationalError("away")
        self.lent += 1
        async with self._ground.pool.connection() as connection:
            if asyncio.current_task() is self.held:
                self.came.set()
                await self.gate.wait()
            yield connection


class Busy:
    """Something changes all the time."""

    version = 0
    connected = True

    async def changed(self, since: int, within: float) -> int:
        del within
        await asyncio.sleep(0)
        self.version = since + 1
        return self.version


async def schema() -> str:
    return "read_1"


async def looked(lending: Lending, times: int) -> bool:
    return lending.lent >= times


def waiting(ground: Ground, lending: Lending, within: float, events: list[UUID]) -> list["asyncio.Task[bool]"]:
    awaiting = Awaiting(cast("Pool", lending), Busy(), schema)
    end: Any = ground.memory.ends("touchpoints")
    return [asyncio.create_task(awaiting.reached(end, event, within)) for event in events]


async def test_many_who_wait_look_as_often_as_one(ground: Ground) -> None:
    events = [ground.send(f"{number}", who={"email": f"{number}@x.ir"}) for number in range(MANY)]
    lending, begin = Lending(ground), time.monotonic()
    waits = waiting(ground, lending, 60.0, events)
    await until(lambda: looked(lending, MANY + 2))  # each has looked for himself once, and then all together
    assert not any(wait.done() for wait in waits)
    assert lending.lent <= MANY + 1 + (time.monotonic() - begin) / BREATH
    await ground.work()
    assert all(await asyncio.gather(*waits))


async def test_who_waits_in_vain_hears_so_when_his_time_is_over_and_not_before_he_looked(ground: Ground) -> None:
    event = ground.send("1", who={"email": "a@x.ir"})
    (vain,) = waiting(ground, Lending(ground), 0.05, [event])
    assert not await vain
    await ground.work()
    (there,) = waiting(ground, Lending(ground), 0.0, [event])
    assert await there


async def test_what_is_nobodys_is_waited_for_by_its_position(ground: Ground) -> None:
    ground.memory.append("touchpoints", b"", b"not json")
    (wait,) = waiting(ground, Lending(ground), 60.0, [UUID(int=1)])
    await ground.work()
    assert await wait


async def test_who_comes_while_the_others_look_in_vain_is_not_told_that_it_is_there(ground: Ground) -> None:
    """The look of all fails for him as well, while his own is under way."""
    lending = Lending(ground)
    awaiting = Awaiting(cast("Pool", lending), Busy(), schema)
    end: Any = ground.memory.ends("touchpoints")
    first, second = (ground.send(f"{number}", who={"email": "a@x.ir"}) for number in range(2))
    others = asyncio.create_task(awaiting.reached(end, first, 60.0))
    await until(lambda: looked(lending, 2))
    lending.held = his = asyncio.create_task(awaiting.reached(end, second, 60.0))
    async with asyncio.timeout(60):
        await lending.came.wait()
    lending.away = True
    await asyncio.wait([others])
    lending.gate.set()
    assert [type(error) for error in await asyncio.gather(others, his, return_exceptions=True)] == [psycopg.OperationalError] * 2


async def test_who_cannot_look_any_more_says_why(ground: Ground) -> None:
    lending = Lending(ground)
    waits = waiting(ground, lending, 60.0, [ground.send(f"{number}", who={"email": "a@x.ir"}) for number in range(3)])
    await until(lambda: looked(lending, len(waits) + 1))
    lending.away = True
    assert [type(error) for error in await asyncio.gather(*waits, return_exceptions=True)] == [psycopg.OperationalError] * 3
