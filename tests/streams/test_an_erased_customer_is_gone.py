"""An erasure goes through the log like everything that people decide: nothing of the customer is left, and nothing of others is lost."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from aggregates.identity import Erase, Merge, Split
from aggregates.sealing import KeyDestroyed, KeyMissing, KeyUnknown, open_sealed, seal
from aggregates.wire import CustomerEvent, SealedTouchpoint, customer_event_decoder, touchpoint_decoder
from infra import database, differing, generations
from infra.sealing import KeyRing
from projections.erasure import table as erasure
from projections.erasure.table import Receipt
from streams.customer import Customer
from streams.erasing import Erasing
from streams.record import Batch, Record
from tests.streams.crew import Gate, until
from tests.streams.erased import traces
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING, touchpoint

pytestmark = pytest.mark.engines

MARK = "MARKED"


class Killed(BaseException):
    """As by kill -9."""


async def a_life(ground: Ground) -> tuple[UUID, UUID]:
    """Somebody who says things, and somebody else who is in the same call: one key serves the call. An event of each."""
    ground.send("1", "profile.reported", 1, traits={"name": MARK, "city": MARK}, who={"email": "a@x.ir", "device": "d"})
    ground.send("2", "call.ended", 2, call_id="c", note=MARK, who={"email": "a@x.ir"})
    other = ground.send("3", "call.ended", 3, call_id="c", note="of another", who={"account": "n"})
    his = ground.send("4", "web.page_viewed", 4, url="u", page=MARK, who={"device": "d"})
    ground.send("5", "profile.reported", 5, traits={"name": "Neighbour"}, who={"account": "n"})
    await ground.work()
    return his, other


def erase(ground: Ground, customer: UUID, id_: str = "erase", *, hours: float = 0.5) -> UUID:
    """A person decides that a customer is to be forgotten, so long after what was sent came."""
    return ground.decide(id_, Erase(by="tests", at=BEGINNING + timedelta(days=10, hours=hours), customer=customer))


def later(ground: Ground, id_: str, type_: str = "something.happened", **data: Any) -> UUID:
    """An event that a door receives an hour after the others."""
    event = touchpoint(id_, type_, data, times=1)
    ground.sent[event.event_id] = lambda _: seal(event, ground.keys)
    ground.memory.append("touchpoints", *seal(event, ground.keys))
    return event.event_id


async def end(ground: Ground, dsn: str, killed_at: str = "") -> Receipt:
    """End what there is to end, or die at a point; the last receipt."""

    async def at(point: str) -> None:
        await ground.keys.heed(ground.connection)  # the door looks twice a second
        if point == killed_at:
            raise Killed

    await ground.work()
    while await Erasing(dsn, KeyRing(MASTER), ground.work, rest=0, at=at).forward(ground.connection):
        pass
    (receipt, *_) = await erasure.receipts(ground.connection, None, 1)
    return receipt


async def rows(ground: Ground, customer: UUID) -> Sequence[object]:
    """Timeline, view and what of it can be read, of a customer."""
    found = await ground.ask("SELECT event_id, record FROM read_1.timeline WHERE customer_id = %s ORDER BY 1", customer)
    events = [customer_event_decoder.decode(record) for _, record in found]
    ring = KeyRing(MASTER)
    await ring.fetch(ground.connection, {event.yektaseal for event in events})
    read = [open_sealed(event, ring) for event in events]
    return [*found, *read, *await ground.ask("SELECT state, name, last_seen, events FROM read_1.view WHERE customer_id = %s", customer)]


async def readable(ground: Ground) -> str:
    """All that can be opened of the log, by somebody who has every key there is."""
    ring, found = KeyRing(MASTER), []
    log: list[CustomerEvent | SealedTouchpoint] = []
    log += [touchpoint_decoder.decode(one.value or b"") for one in ground.memory.all("touchpoints")]
    log += [customer_event_decoder.decode(one.value or b"") for one in ground.memory.all("customer-events")]
    await ring.fetch(ground.connection, {one.yektaseal for one in log})
    for one in log:
        try:
            found.append(msgspec.json.encode(open_sealed(one, ring)).decode())
        except KeyDestroyed:
            continue
    return " ".join(found)


async def folded_again(ground: Ground) -> list[str]:
    """Who differs when the log is folded once more, apart from the live tables."""
    await generations.create(ground.connection, "apart")
    step = Customer(KeyRing(MASTER), "apart")
    async with ground.connection.transaction():
        for partition in ground.memory.numbers:
            for record in ground.memory.records("customer-events", partition):
                batch = Batch(partition, cast("list[Record]", [record]))
                await step.apply(ground.connection, batch)
                step.committed(batch)
    try:
        return await differing.different(ground.connection, "read_1", "apart")
    finally:
        await generations.drop(ground.connection, "apart")


async def test_nothing_of_him_is_left_and_who_shares_his_key_loses_nothing(ground: Ground, dsn: str) -> None:
    his, other = await a_life(ground)
    customer, neighbour = await ground.owner(his), await ground.owner(other)
    before = await rows(ground, neighbour)
    assert "of another" in str(before)
    assert await traces(ground.connection, MARK)
    assert MARK in await readable(ground)
    ground.again(his)  # a client did not hear that it was accepted: sealed again, with another key
    decided = erase(ground, customer)
    receipt = await end(ground, dsn)
    assert (receipt.id, receipt.customer_id, receipt.by, receipt.events, receipt.identifiers) == (decided, customer, "tests", 3, 2)
    assert receipt.done_at is not None
    assert receipt.keys == 3
    assert await rows(ground, neighbour) == before
    assert not await traces(ground.connection, MARK)
    assert MARK not in await readable(ground)
    assert await ground.customers() == 1
    assert ground.words("customer.erased") == [str(customer)]
    assert not await folded_again(ground)


async def test_who_comes_back_is_somebody_new_and_late_words_of_old_are_not_his(ground: Ground, dsn: str) -> None:
    his, _ = await a_life(ground)
    customer = await ground.owner(his)
    erase(ground, customer)
    await ground.work()
    ground.send("late", "profile.reported", 6, traits={"name": MARK}, who={"email": "a@x.ir"})  # a door had it before
    mixed = ground.send("mixed", who={"customer_number": "7", "email": "a@x.ir"})
    for number, hours in (("old", 0), ("new", 1)):
        await ground.connection.execute(
            "INSERT INTO service.requests (id, number, version, state, live, queue, owner, priority, category, decider, opened_at,"
            " changed_at, response_due, due, waiting, escalation, body)"
            " SELECT gen_random_uuid(), %s, 1, 'new', true, '', '', '', '', %s, at, at, at, at, false, 0, '{}'"
            " FROM (SELECT %s::timestamptz AS at) AS opened",
            (number, ground.token("email", "a@x.ir"), BEGINNING + timedelta(days=10, hours=hours)),
        )
    back = later(ground, "back", "profile.reported", traits={"name": "Back"}, who={"email": "a@x.ir", "device": "d"})
    await end(ground, dsn)
    again = ground.send("later still", "call.ended", 7, call_id="c", note=MARK, who={"device": "d"})  # and even now comes what it had
    receipt = await end(ground, dsn)
    assert receipt.done_at is not None
    assert receipt.events == 5
    new = await ground.owner(back)
    assert new not in (customer, await ground.owner(mixed))
    assert await ground.ask("SELECT name FROM read_1.view WHERE customer_id = %s", new) == [("Back",)]
    assert not await ground.ask("SELECT 1 FROM read_1.timeline WHERE event_id = %s", again)
    assert await ground.ask("SELECT number FROM service.requests") == [("new",)]
    assert not await traces(ground.connection, MARK)
    assert MARK not in await readable(ground)
    assert not await folded_again(ground)
    ground.again(his)  # and when a client sends once more what it sent before, he does not come back by it
    await end(ground, dsn)
    assert MARK not in await readable(ground)
    assert await ground.customers() == 3


POINTS = ("resolve.written", "resolve.committed", "customer.written", "customer.committed")


@pytest.mark.parametrize("piece", [1, 5000])
async def test_whoever_dies_on_the_way_another_ends_it(ground: Ground, dsn: str, piece: int) -> None:
    his, other = await a_life(ground)
    customer, neighbour = await ground.owner(his), await ground.owner(other)
    before = await rows(ground, neighbour)
    erase(ground, customer)
    for point in POINTS:
        gate = Gate(point)
        doomed = ground.hire(piece=piece, at=gate)
        await doomed.own_all()
        await gate.wait()
        await doomed.die()
        ground.send(f"life goes on {point}", who={"account": "z"})
    for point in ("erasing.scrubbed", "erasing.asked", "erasing.destroyed"):
        with pytest.raises(Killed):
            await end(ground, dsn, killed_at=point)
    receipt = await end(ground, dsn)
    assert receipt.done_at is not None
    assert receipt.events == 3
    assert await rows(ground, neighbour) == before
    assert not await traces(ground.connection, MARK)
    assert MARK not in await readable(ground)
    assert not await folded_again(ground)


async def test_who_became_one_with_him_is_erased_and_who_was_split_from_him_is_not(ground: Ground, dsn: str) -> None:
    his, other = await a_life(ground)
    customer, neighbour = await ground.owner(his), await ground.owner(other)
    brother = ground.send("b", "profile.reported", 8, traits={"name": "Brother"}, who={"email": "b@x.ir", "user_id": "b"})
    await ground.work()
    ground.decide("one", Merge(by="tests", at=BEGINNING, join=(ground.token("email", "a@x.ir"), ground.token("account", "n"))))
    ground.decide("too", Merge(by="tests", at=BEGINNING, join=(ground.token("email", "a@x.ir"), ground.token("email", "b@x.ir"))))
    await ground.work()
    apart = (ground.token("email", "b@x.ir"), ground.token("user_id", "b"))
    ground.decide("not", Split(by="tests", at=BEGINNING, go=apart, stay=(ground.token("email", "a@x.ir"),)))
    await ground.work()
    assert await ground.owner(his) == await ground.owner(other) == customer
    erase(ground, customer)
    await end(ground, dsn)
    assert set(await erasure.erased(ground.connection, [customer, neighbour, await ground.owner(brother)])) == {customer, neighbour}
    assert await ground.ask("SELECT name FROM read_1.view") == [("Brother",)]
    assert not await folded_again(ground)


async def test_nobody_becomes_who_was_erased_though_he_was_the_first_to_have_an_identifier(ground: Ground, dsn: str) -> None:
    first = ground.send("f", who={"email": "a@x.ir", "account": "n"})
    await ground.work()
    erased, account = await ground.owner(first), (ground.token("account", "n"),)
    ground.decide("apart", Split(by="tests", at=BEGINNING, go=account, stay=(ground.token("email", "a@x.ir"),)))
    other = ground.send("o", who={"account": "n"})
    await ground.work()
    erase(ground, erased)
    await end(ground, dsn)
    ground.send("t", who={"account": "n", "user_id": "u"})
    await ground.work()
    ground.decide("again", Split(by="tests", at=BEGINNING, go=account, stay=(ground.token("user_id", "u"),)))
    await ground.work()
    assert await ground.owner(other) != erased
    assert await ground.ask("SELECT count(*) FROM read_1.view v JOIN identity.erased USING (customer_id)") == [(0,)]
    assert not await folded_again(ground)


async def test_a_neighbour_who_is_erased_too_leaves_nothing_of_what_was_kept_for_him(ground: Ground, dsn: str) -> None:
    his, other = await a_life(ground)
    customer, neighbour = await ground.owner(his), await ground.owner(other)
    erase(ground, customer)
    await end(ground, dsn)
    assert await ground.ask("SELECT count(*) FROM secrets.anew") == [(1,)]
    assert "of another" in await readable(ground)
    erase(ground, neighbour, "the other")
    await end(ground, dsn)
    assert await ground.ask("SELECT count(*) FROM secrets.anew") == [(0,)]
    assert "of another" not in await readable(ground)
    assert not await ground.customers()


async def test_a_door_seals_no_more_with_a_key_that_is_to_be_destroyed(ground: Ground, dsn: str) -> None:
    his, other = await a_life(ground)
    ((before,),) = await ground.ask("SELECT seal FROM read_1.timeline WHERE event_id = %s", other)
    erase(ground, await ground.owner(his))
    await end(ground, dsn)
    note = ground.send("9", "call.ended", 9, call_id="c", note="new", who={"account": "n"})
    await ground.work()
    ((after,),) = await ground.ask("SELECT seal FROM read_1.timeline WHERE event_id = %s", note)
    assert before != after
    assert "new" in await readable(ground)


async def test_no_number_of_a_data_key_is_given_twice_after_an_older_backup_was_restored(ground: Ground, dsn: str) -> None:
    """What the log holds of after the backup would be taken for sealed with another key: its own must be missed, not guessed."""
    async with database.open_pool(dsn) as pool:
        await KeyRing(MASTER, 50).lease(pool)
        known = {number for (number,) in await ground.ask("SELECT number FROM secrets.data_keys")}
        await KeyRing(MASTER, 50).lease(pool)
        later = {number for (number,) in await ground.ask("SELECT number FROM secrets.data_keys")} - known
        await ground.connection.execute("DELETE FROM secrets.data_keys WHERE number = ANY(%s)", (list(later),))
        await ground.connection.execute("SELECT setval('secrets.data_key_number', %s)", (max(known),))
        await KeyRing(MASTER, 50).lease(pool)
    again = {number for (number,) in await ground.ask("SELECT number FROM secrets.data_keys")} - known
    assert len(later) == len(again) == 50
    assert not later & again


async def test_of_keys_in_memory_those_go_that_were_not_wanted_for_longest_and_none_of_a_batch(
    ground: Ground, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.sealing.OPENED", 4)
    async with database.open_pool(dsn) as pool:
        await KeyRing(MASTER, 6).lease(pool)
    a, b, c, d, e, f = keys = sorted([int(number) for (number,) in await ground.ask("SELECT number FROM secrets.data_keys")])[-6:]
    ring = KeyRing(MASTER)

    def held() -> set[int]:
        found = set()
        for number in keys:
            with suppress(KeyUnknown):
                with pytest.raises(InvalidTag):
                    ring.unseal(number, bytes(28), b"")
                found.add(number)
        return found

    for batch, left in (([a, b, c, d], {a, b, c, d}), ([a], {a, b, c, d}), ([e, f], {d, a, e, f}), (keys, set(keys)), ([a], set(keys))):
        await ring.fetch(ground.connection, batch)
        assert held() == left


async def test_a_key_that_was_lost_stops_whoever_needs_it_and_is_not_taken_for_erased(ground: Ground) -> None:
    his, _ = await a_life(ground)
    ((seal_,),) = await ground.ask("SELECT seal FROM read_1.timeline WHERE event_id = %s", his)
    await ground.connection.execute("DELETE FROM secrets.data_keys")
    with pytest.raises(KeyMissing, match=f"Data key {seal_} has no row: it was not erased, it is lost"):
        await KeyRing(MASTER).fetch(ground.connection, [seal_])
    ground.send("6", "profile.reported", 6, traits={"name": "Ali"}, who={"email": "a@x.ir"})
    worker = ground.hire()
    await worker.own_all()
    await until(lambda: ground.has("SELECT EXISTS (SELECT 1 FROM streams.positions WHERE halted LIKE 'Data key % is lost%')"))
    await worker.die()
