"""The agent and the sender may die between any two steps: rows are there once, and a lease that ends gives them to another."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import msgspec
import pytest

from aggregates.contact_policy.candidate import Candidate, Outcome
from aggregates.log import Entry, NotAcknowledged
from infra import database
from projections.contacts import table as contacts
from projections.contacts.want import Want
from projections.deliveries import table
from projections.deliveries.table import New, Taken
from streams import sending
from streams.deliver import Deliver
from streams.sending import RETRIES, Adapter, Attempt, Sender, pause_after, rest_after
from streams.silences import Silences
from tests.api.conftest import answered
from tests.conftest import World

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
async def pool(shared_world: World) -> AsyncIterator[database.Pool]:
    async with database.open_pool(shared_world.dsn, largest=6) as pool:
        yield pool


def nothing() -> None:
    """Nobody is woken."""


async def new(pool: database.Pool, lane: str, count: int = 1) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    async with pool.connection() as connection:
        await table.add(connection, [New(id_, id_, lane, "signal.fired", "", None, None, b"{}") for id_ in ids])
    return ids


async def claimed(pool: database.Pool, *lanes: str) -> Sequence[Taken]:
    async with pool.connection() as connection:
        return await table.claim(connection, dict.fromkeys(lanes, 100), 0, lanes)


async def test_a_record_met_again_makes_the_same_rows(pool: database.Pool) -> None:
    webhook = uuid4()
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO contacts.webhooks (id, version, url, types, enabled, created, state)"
            " VALUES (%s, 1, 'https://example.com', ARRAY['signal.*'], true, now(), '{}')",
            (webhook,),
        )
    said = {"id": uuid4(), "type": "signal.fired", "time": datetime.now(UTC), "subject": "", "data": {"rule": "again"}}
    quiet = said | {"id": uuid4(), "data": {"rule": "again", "quiet": "backfill"}}
    deliver = Deliver(pool, nothing)
    for _ in range(3):  # the agent died after it wrote, and before Kafka knew
        await deliver.take([msgspec.json.encode(said), b"no record of ours", msgspec.json.encode(quiet)])
    async with pool.connection() as connection:
        assert [row.message for row in await table.page(connection, 9, rule="again")] == [said["id"]]


async def test_what_a_dead_sender_took_is_anothers_when_the_lease_is_over(pool: database.Pool) -> None:
    (id_,) = await new(pool, "dead")
    (first,) = await claimed(pool, "dead")
    assert await claimed(pool, "dead") == []
    async with pool.connection() as connection:
        await connection.execute("UPDATE contacts.deliveries SET due = now() WHERE id = %s", (id_,))
    (second,) = await claimed(pool, "dead")
    assert (second.id, second.attempts) == (first.id, 2)
    async with pool.connection() as connection:
        assert not await table.finish(connection, first, "failed"), "it came back from the dead, and knows nothing any more"
        assert await table.finish(connection, second, "sent")


async def test_what_became_silent_as_it_was_to_leave_is_told_until_the_log_has_it(pool: database.Pool) -> None:
    now, customer, told = datetime.now(UTC), uuid4(), list[tuple[str, bytes, bytes]]()
    candidate = Candidate(uuid4(), "winback", 1, customer, "marketing", ("sms",), 0.0, now, now, 0)
    want = Want(candidate, "spring", {"source": "/tests", "id": "1"}, now, late=False, blob=b"")
    async with pool.connection() as connection:
        await contacts.write(connection, [(customer, want, Outcome(candidate, "sent", now, "sms"))])
        await contacts.silence(connection, customer, candidate.signal, now + timedelta(seconds=1), "unless")

    class Away:
        """A log that has it and does not say so the first time."""

        async def publish(self, topic: str, records: Sequence[Entry]) -> Mapping[int, int]:
            told.extend((topic, key, value) for key, value, _ in records)
            if len(told) == 1:
                raise NotAcknowledged("It is away.")
            return {}

    silences = Silences(pool, Away(), "here.")
    with pytest.raises(NotAcknowledged):
        await silences.tell()
    assert sorted(await asyncio.gather(silences.tell(), silences.tell())) == [0, 1]
    assert await silences.tell() == 0
    first, again = told
    assert first == again
    event = msgspec.json.decode(first[2])
    assert (first[:2], event["type"]) == (("here.signals", str(customer).encode()), "contact.silent")
    assert (event["data"]["outcome"], event["data"]["reason"], event["data"]["contact"]) == ("silent", "unless", "spring")


async def test_a_lane_in_trouble_is_tried_with_one(pool: database.Pool) -> None:
    await new(pool, "trouble", 5)
    async with pool.connection() as connection:
        await table.fared(connection, "trouble", 3)
    assert len(await claimed(pool, "trouble")) == 1
    async with pool.connection() as connection:
        await table.fared(connection, "trouble", 0)
    assert len(await claimed(pool, "trouble")) == 4


async def test_what_fails_together_is_one_failure_and_a_rest_ends_when_somebody_asks_for_a_delivery_again(pool: database.Pool) -> None:
    id_, *_ = await new(pool, "blip", 5)
    async with pool.connection() as connection:
        for _ in range(5):
            await table.fared(connection, "blip", 1)
        assert len(await table.claim(connection, {"blip": 2}, 0, ["blip"])) == 2
        await table.fared(connection, "blip", 2, rest=3600.0)
    assert await claimed(pool, "blip") == []
    async with pool.connection() as connection:
        await table.resend(connection, id_)
    assert id_ in {taken.id for taken in await claimed(pool, "blip")}


@asynccontextmanager
async def two_senders(pool: database.Pool, lane: str, adapter: Adapter) -> AsyncIterator[None]:
    async def gone(taken: Taken, why: str) -> None:
        del taken, why

    clock = asyncio.get_running_loop().time
    senders = [Sender(pool, {lane: adapter}, gone, pace=table.Pace(1000.0, 1000.0), random=Random(1), clock=clock) for _ in range(2)]
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_two_senders_share_the_work_and_send_each_once(pool: database.Pool) -> None:
    ids = set(await new(pool, "busy", 60))
    sent: list[UUID] = []
    done = asyncio.Event()

    async def adapter(taken: Taken) -> Attempt:
        sent.append(taken.id)
        if len(sent) == len(ids):
            done.set()
        return Attempt("sent")

    async with two_senders(pool, "busy", adapter), asyncio.timeout(30):
        await done.wait()
    assert sorted(sent) == sorted(ids)


async def test_a_try_that_fails_as_nobody_thought_says_so_and_is_made_again_later(pool: database.Pool) -> None:
    async def breaks(taken: Taken) -> Attempt:
        del taken
        raise TypeError("url strings may not include unicode characters.")

    (id_,) = await new(pool, "broken", 1)
    async with two_senders(pool, "broken", breaks), asyncio.timeout(20):
        while True:
            async with pool.connection() as connection:
                found = await table.one(connection, id_)
            if found is not None and found.error:
                break
            await asyncio.sleep(0.02)
    assert (found.state, found.attempts, found.error) == ("waiting", 1, "it could not be sent: TypeError")


async def test_a_try_that_takes_longer_than_a_lease_is_made_once_for_its_lease_is_renewed(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sending.KEPT < table.LEASE / 2  # one renewal may fail
    monkeypatch.setattr(sending, "KEPT", 0.01)
    (id_,) = await new(pool, "slow")
    begun: list[UUID] = []

    async def row() -> table.Shown:
        async with pool.connection() as connection:
            return (await table.page(connection, 1, lane="slow"))[0]

    async def held_until() -> datetime:
        return (await row()).due

    async def adapter(taken: Taken) -> Attempt:  # a mail server that takes its time for each word
        begun.append(taken.id)
        for _ in range(3):
            await answered(held_until, (await held_until()).__lt__)
        return Attempt("sent")

    async with two_senders(pool, "slow", adapter):
        await answered(row, lambda now: now.state == "sent")
    assert begun == [id_]


async def test_all_senders_of_an_installation_keep_one_pace(pool: database.Pool) -> None:
    await new(pool, "paced", 60)
    pace = table.Pace(contacts=0.001, posts=1000.0)

    async def claim() -> int:
        async with pool.connection() as connection:
            return len(await table.claim(connection, {}, 16, ["paced"], pace))

    assert sum(await asyncio.gather(*(claim() for _ in range(8)))) == 1
    async with pool.connection() as connection:
        await connection.execute("UPDATE contacts.lanes SET allowed_at = now() - interval '1 hour' WHERE lane = 'paced'")
    pace = table.Pace(contacts=20.0, posts=1000.0)
    assert await claim() == 5  # after a rest, however long


def test_tries_go_on_for_three_days_and_a_receiver_may_ask_for_time() -> None:
    random = Random(1)
    pauses = [pause_after(attempts, None, random) for attempts in range(1, len(RETRIES) + 2)]
    assert pauses[-1] is None
    days = sum(pause for pause in pauses if pause is not None) / 86_400
    assert 2.4 < days < 3.9
    assert pause_after(1, 3_600.0, random) == 3_600.0
    assert rest_after(1, None, random) == 0.0
    assert rest_after(30, None, random) <= 72.0
    assert rest_after(1, 120.0, random) == 120.0
