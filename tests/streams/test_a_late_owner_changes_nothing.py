"""A partition has one owner; whoever had it before may not have heard, and whatever he still does, does nothing."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import psycopg
import pytest
from aiokafka import TopicPartition

from infra import database
from streams import claiming
from tests.streams.crew import Gate, gates, until
from tests.streams.ground import Ground
from tests.streams.memory import Consumer, Kept

pytestmark = pytest.mark.engines

POINTS = ("taken", "written", "committed", "published")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("hop", ["resolve", "customer"])
async def test_two_owners_at_once_count_nothing_twice(ground: Ground, hop: str, point: str) -> None:
    for number in range(6):
        ground.send(f"{number}", "call.ended", number, call_id=f"c{number}", who={"email": "a@x.ir"})
    gate = Gate(f"{hop}.{point}")
    late, new = ground.hire(at=gate), ground.hire(most=2)
    await late.own_all()
    await gate.wait()
    taking_over = asyncio.create_task(new.own_all())
    if point == "written":
        await ground.waits_for_a_lock()  # the new one waits for the transaction of the late one, whichever way it ends
    else:
        await ground.settle(new)
    gate.opened.set()
    await taking_over
    await ground.settle(new, late)
    await late.leave()
    await new.leave()
    assert await ground.ask("SELECT events FROM read_1.view") == [(6,)]
    await ground.check()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("hop", ["resolve", "customer"])
async def test_whoever_dies_at_any_point_leaves_nothing_undone_and_nothing_done_twice(ground: Ground, hop: str, point: str) -> None:
    for number in range(6):
        ground.send(f"{number}", "call.ended", number, call_id=f"c{number}", who={"email": "a@x.ir"})
    gate = Gate(f"{hop}.{point}")
    dying = ground.hire(at=gate, most=2)
    await dying.own_all()
    await gate.wait()
    await dying.die()
    await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(6,)]
    assert await ground.ask("SELECT * FROM streams.outbox") == []
    await ground.check()


async def test_whoever_stands_still_in_the_middle_of_a_copy_is_put_out(ground: Ground, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.send("first", "call.ended", 0, call_id="c0", who={"email": "a@x.ir"})
    await ground.work()
    ground.send("second", "call.ended", 1, call_id="c1", who={"email": "a@x.ir"})
    monkeypatch.setattr(claiming, "EVICTED", 0.1)
    async with await database.connect(dsn) as frozen:
        await frozen.execute("UPDATE streams.positions SET tenure = tenure")
        await frozen.execute("CREATE TEMPORARY TABLE stage (a int)")
        with pytest.raises(psycopg.errors.AdminShutdown):
            async with frozen.cursor().copy("COPY stage FROM STDIN"):
                await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(2,)]


@pytest.mark.parametrize("point", ["chore_written", "chore_committed", "chore_published"])
async def test_whoever_dies_in_long_work_leaves_it_to_the_next(ground: Ground, point: str) -> None:
    await two_customers(ground)
    ground.send("merge", who={"email": "a@x.ir", "account": "b"})
    gate = Gate(f"customer.{point}", after=2)
    dying = ground.hire(at=gate, piece=1)
    await dying.own_all()
    await gate.wait()
    await dying.die()
    await ground.work(piece=1)
    assert await ground.customers() == 1
    await ground.check()


async def test_who_settles_late_deletes_nothing_that_the_new_owner_has_not_sent(ground: Ground) -> None:
    """Long work moves no position: both owners stand at the same one."""
    loser = await two_customers(ground)
    ground.send("merge", who={"email": "a@x.ir", "account": "b"})
    told, again, committed = Gate("customer.chore_published"), Gate("customer.assigned", after=3), Gate("customer.chore_committed")
    late = ground.hire(at=gates(told, again), piece=1)
    await late.own_all()
    await told.wait()
    new = ground.hire(at=committed, piece=1)
    await new.own("customer", [ground.memory.place(str(loser).encode())])
    await committed.wait()
    waiting = await ground.ask("SELECT * FROM streams.outbox")
    assert waiting, "what the new owner has to send"
    told.opened.set()
    await again.wait()
    assert await ground.ask("SELECT * FROM streams.outbox") == waiting
    await late.die()
    await new.die()
    await ground.work(piece=1)
    await ground.check()


async def test_a_late_owner_takes_no_part_of_what_the_new_one_has_done(ground: Ground) -> None:
    """His caches are older than what the new owner wrote: not even a new event may be folded into them."""
    ground.send("1", who={"email": "a@x.ir"})
    late = ground.hire()
    await late.own_all()
    await ground.settle(late)
    for runner in late.runners.values():
        runner.at = (gate := Gate("customer.taken"))
    ground.send("2", who={"email": "a@x.ir"})
    await gate.wait()
    new = ground.hire()
    await new.own("customer", ground.memory.numbers)
    await ground.settle(new)
    ground.send("3", who={"email": "a@x.ir"})
    gate.opened.set()
    await ground.settle(new, late)
    await late.die()
    await new.die()
    assert await ground.ask("SELECT events FROM read_1.view") == [(3,)]
    await ground.check()


async def test_who_freezes_in_a_transaction_loses_it_and_with_it_the_partition(ground: Ground, dsn: str) -> None:
    """As when a machine is gone and nobody closed its connections."""
    ground.send("1", who={"email": "a@x.ir"})
    gate = Gate("customer.written")
    async with database.open_pool(dsn, patience=0.3) as pool:
        frozen = ground.hire(at=gate)
        for runner in frozen.runners.values():
            runner.pool = pool
        await frozen.own_all()
        await gate.wait()
        new = ground.hire()
        await new.own_all()
        await ground.settle(new)
        gate.opened.set()
        ground.send("2", who={"email": "a@x.ir"})
        await ground.settle(new, frozen)
        assert not frozen.failures
        await frozen.leave()
    await new.leave()
    await ground.check()


class Rebalancing(Consumer):
    """Gives no records and never returns while the group rebalances, as aiokafka's does."""

    asked = False

    async def getmany(self, tp: TopicPartition, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Kept]]:
        self.asked = True
        return await asyncio.Future()


async def test_who_waits_for_records_lets_go_at_once_when_the_group_rebalances(ground: Ground) -> None:
    worker = ground.hire()
    consumers = [Rebalancing(ground.memory) for _ in worker.runners]
    for runner, consumer in zip(worker.runners.values(), consumers, strict=True):
        runner.consumer = consumer
    await worker.own_all()
    await until(lambda: _asked(consumers))
    async with asyncio.timeout(30):
        await worker.leave()


async def _asked(consumers: Sequence[Rebalancing]) -> bool:
    return all(consumer.asked for consumer in consumers)


async def two_customers(ground: Ground) -> UUID:
    """One with few events and a younger one with several, who is returned; in different partitions."""
    events = (f"{number}" for number in range(1000))
    older = next(events)
    ground.send(older, who={"email": "a@x.ir"})
    await ground.work()
    younger = ground.send(next(id_ for id_ in events if ground.home(id_) != ground.home(older)), who={"account": "b"})
    for number in range(3):
        ground.send(f"more {number}", minute=number, who={"account": "b"})
    await ground.work()
    return await ground.owner(younger)
