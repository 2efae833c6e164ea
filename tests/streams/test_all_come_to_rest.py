"""Whoever must see both hops at rest gets them so, crashes included, while the doors go on accepting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from psycopg import AsyncConnection

from projections.positions import table as positions
from projections.positions.waiting import Wait, advance
from streams.record import Connection
from tests.streams.crew import Gate, until
from tests.streams.ground import Ground

pytestmark = pytest.mark.engines


@asynccontextmanager
async def resting(dsn: str) -> AsyncIterator[Connection]:
    """Ask for rest, as `yekta verify` does."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (positions.PAUSE,))
        yield connection


async def test_while_rest_is_asked_for_nothing_is_resolved_and_what_was_is_folded(ground: Ground, dsn: str) -> None:
    ground.send("1", who={"email": "a@x.ir"})
    async with ground.working() as worker:
        await ground.settle(worker)
        async with resting(dsn) as connection:
            event = ground.send("2", who={"email": "a@x.ir"})
            await until(lambda: positions.at_rest(connection))
            assert await ground.ask("SELECT 1 FROM identity.receipts WHERE event_id = %s", event) == []
        await ground.settle(worker)
    await ground.check()


@pytest.mark.parametrize("most", [1, 2000])
@pytest.mark.parametrize("point", ["committed", "published"])
async def test_what_a_dead_worker_had_written_is_published_even_while_rest_is_asked_for(
    ground: Ground, dsn: str, point: str, most: int
) -> None:
    for number in range(5):
        ground.send(f"{number}", who={"email": "a@x.ir"}, at=0)
    gate = Gate(f"resolve.{point}")
    dying = ground.hire(at=gate)
    await dying.own_all()
    await gate.wait()
    await dying.die()
    async with resting(dsn) as connection:
        assert not await positions.at_rest(connection)
        late = ground.send("late", who={"email": "a@x.ir"}, at=0)
        async with ground.working(most=most) as worker:
            await until(lambda: positions.at_rest(connection), unless=lambda: worker.failures)
            assert await ground.ask("SELECT count(*) FROM read_1.timeline") == [(5,)]
            assert await ground.ask("SELECT 1 FROM identity.receipts WHERE event_id = %s", late) == []
    await ground.work()
    await ground.check()


async def test_it_is_not_rest_while_something_is_on_its_way_between_customers(ground: Ground, dsn: str) -> None:
    ground.send("older", who={"email": "a@x.ir"})
    await ground.work()
    for number in range(4):
        ground.send(f"{number}", minute=number, who={"account": "b"})
    await ground.work()
    ground.send("merge", who={"email": "a@x.ir", "account": "b"})
    gate = Gate("customer.chore_written")
    worker = ground.hire(at=gate, piece=1)
    await worker.own_all()
    await gate.wait()
    async with resting(dsn) as connection:
        assert not await positions.at_rest(connection)
        gate.opened.set()
        await until(lambda: positions.at_rest(connection), unless=lambda: worker.failures)
        assert await ground.customers() == 1
    await worker.leave()
    await ground.check()


async def test_what_was_sent_is_waited_for_until_all_of_it_is_in_the_views(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    end = ground.memory.ends("touchpoints")
    assert not await positions.reached(ground.connection, end)
    gate = Gate("customer.written")
    worker = ground.hire(at=gate)
    await worker.own_all()
    await gate.wait()
    assert not await positions.reached(ground.connection, end)
    gate.opened.set()
    await until(lambda: positions.reached(ground.connection, end))
    assert await ground.customers() == 1
    await worker.leave()


async def test_what_others_send_meanwhile_is_not_waited_for(ground: Ground) -> None:
    """Else who waits on a busy log waits for ever."""
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    other = next(str(number) for number in range(2, 100) if ground.home(str(number)) != ground.home("1"))
    worker = ground.hire()
    await worker.own("resolve", ground.memory.numbers)
    await ground.passed("resolve", worker)
    wait = await advance(ground.connection, Wait({0: 1}))
    ground.send(other, who={"email": "b@x.ir"}, at=0)
    await ground.passed("resolve", worker)
    await worker.own("customer", [ground.home("1")])

    async def done() -> bool:
        nonlocal wait
        wait = await advance(ground.connection, wait)
        return wait.done

    await until(done, unless=lambda: worker.failures)
    assert not await positions.reached(ground.connection, {0: 1})
    await worker.leave()


async def test_nothing_is_waited_for_where_nothing_was_sent(ground: Ground) -> None:
    assert await positions.reached(ground.connection, ground.memory.ends("touchpoints"))
    assert await positions.reached(ground.connection, {})
