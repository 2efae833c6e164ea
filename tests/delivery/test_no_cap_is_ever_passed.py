"""Many who want to approach one customer at the same time, some of whom die: no window ever holds more contacts than its cap."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.contact_policy import reading
from aggregates.contact_policy.candidate import Candidate, Outcome
from aggregates.contact_policy.decide import counted
from aggregates.contact_policy.policy import Policy
from infra import database
from infra.sealing import KeyRing
from projections.contacts import belonging, decisions, reserving, table
from projections.contacts.reserving import Asked
from projections.contacts.table import Connection
from projections.contacts.want import Want
from tests.conftest import World
from tests.streams.keys import MASTER

pytestmark = pytest.mark.engines

POLICY = """
policy: contact
transactional: {ignores: [quiet]}
caps:
  - {channels: all, max: 3, within: 7d}
  - {channels: [call, partner_visit], max: 1, within: 30d}
  - {channels: [sms], max: 2, within: 1h}
counts: [sms, email, call, agent_offer, partner_visit]
"""
START = datetime(2026, 5, 2, 8, tzinfo=UTC)
CHANNELS = ("sms", "email", "call", "agent_offer", "partner_visit", "leaflet")
PURPOSES = ("marketing", "retention", "service")


@pytest.fixture(scope="module")
async def pool(shared_world: World) -> AsyncIterator[database.Pool]:
    async with database.open_pool(shared_world.dsn, largest=12) as pool:
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO contacts.policy (version, at, by, text) VALUES (1, now(), 'tests', %s)", (POLICY,))
        yield pool


def want(customer: UUID, random: Random, now: datetime, id_: UUID | None = None) -> Want:
    channels = tuple(random.sample(CHANNELS, random.randint(1, 3)))
    rule = f"rule-{random.randrange(4)}"
    candidate = Candidate(id_ or uuid4(), rule, 1, customer, random.choice(PURPOSES), channels, 0.0, now, now, 0)
    return Want(candidate, "spring", {"source": "/tests", "id": "1"}, now, late=False, blob=b"")


def some(customer: UUID, random: Random, now: datetime) -> Asked:
    return Asked(customer, [want(customer, random, now) for _ in range(random.randint(1, 3))], now, lambda _: "")


async def reserve(connection: Connection, keys: KeyRing, customer: UUID, wanted: Want) -> list[tuple[Want, Outcome]]:
    """Decide about one contact of one customer."""
    return (await reserving.reserve_all(connection, "read_1", keys, [Asked(customer, [wanted], START, lambda _: "")]))[customer]


async def once(pool: database.Pool, customers: Sequence[UUID], seed: int, *, dies: bool) -> None:
    """One of those who reserve: a partition, for some customers together, or a door where another system asks."""
    random = Random(seed)
    customer = random.choice(customers)
    keys = KeyRing(MASTER)
    now = START + timedelta(minutes=random.randrange(60 * 24 * 20))
    try:
        async with pool.connection() as connection, connection.transaction():
            if random.random() < 0.5:
                among = random.sample(customers, random.randint(1, 3))
                await reserving.reserve_all(connection, "read_1", keys, [some(one, random, now) for one in among])
            else:
                await reserving.request(connection, "read_1", keys, want(customer, random, now), now)
            if dies:
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")  # as kill -9 looks to PostgreSQL
    except psycopg.OperationalError:
        assert dies


def exceeded(policy: Policy, contacts: Sequence[tuple[datetime, str]]) -> list[str]:
    """Caps that some window exceeds: it is enough to look at windows that end with a contact."""
    found = []
    for cap in policy.caps:
        times = sorted(at for at, channel in contacts if counted(policy, channel) and (not cap.channels or channel in cap.channels))
        found += [cap.name for end in times if sum(1 for at in times if end - cap.within < at <= end) > cap.most]
    return found


async def test_no_cap_is_ever_passed_by_concurrent_reservers_some_of_whom_die(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    policy = reading.read(POLICY).policy
    assert policy is not None
    customers = [uuid4() for _ in range(6)]
    random = Random(seed)
    await asyncio.gather(*(once(pool, customers, random.randrange(1 << 30), dies=random.random() < 0.15) for _ in range(240)))
    full = 0
    async with pool.connection() as connection:
        for customer in customers:
            contacts = [(at, channel) for at, channel, _ in await table.made(connection, customer)]
            assert not exceeded(policy, contacts)
            decided = await decisions.page(connection, 1000, customers=[customer])
            assert sorted(decision.at for decision in decided if decision.outcome == "sent") == sorted(at for at, _ in contacts)
            full += sum(1 for decision in decided if (decision.reason or "").startswith("cap "))
    assert full > 20, "the caps were hardly ever reached"


async def test_customers_who_are_decided_together_get_what_each_would_get_by_himself(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    random, keys, said = Random(seed), KeyRing(MASTER), list[list[list[tuple[str, str, str]]]]()
    pairs = [(uuid4(), uuid4()) for _ in range(8)]
    async with pool.connection() as connection, connection.transaction():
        for nth in range(4):
            now, drawn = START + timedelta(hours=5 * nth), random.randrange(1 << 30)
            by_itself = [
                await reserving.reserve_all(connection, "read_1", keys, [some(one, Random(drawn + place), now)])
                for place, (one, _) in enumerate(pairs)
            ]
            asked = [some(other, Random(drawn + place), now) for place, (_, other) in enumerate(pairs)]
            together = await reserving.reserve_all(connection, "read_1", keys, asked)
            both = [[decided[one], together[other]] for decided, (one, other) in zip(by_itself, pairs, strict=True)]
            said += [[[(o.result, o.channel, o.reason) for _, o in decided] for decided in each] for each in both]
    assert all(alone == among for alone, among in said)
    assert {result for alone, _ in said for result, _, _ in alone} >= {"sent", "silent"}


async def test_who_died_can_ask_again_and_is_counted_once(pool: database.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    customer, keys, id_ = uuid4(), KeyRing(MASTER), uuid4()
    asked = want(customer, Random(3), START, id_)
    for dies in (True, False, False):
        try:
            async with pool.connection() as connection, connection.transaction():
                await reserve(connection, keys, customer, asked)
                if dies:
                    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except psycopg.OperationalError:
            assert dies
    async with pool.connection() as connection:
        assert len(await table.made(connection, customer)) == 1


async def test_whoever_turns_out_to_be_the_same_customer_is_approached_as_one(pool: database.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    one, other, keys = uuid4(), uuid4(), KeyRing(MASTER)

    async def call(customer: UUID) -> str:
        candidate = Candidate(uuid4(), "winback", 1, customer, "marketing", ("call",), 0.0, START, START, 0)
        wanted = Want(candidate, "spring", {}, START, late=False, blob=b"")
        async with pool.connection() as connection, connection.transaction():
            ((_, outcome),) = await reserve(connection, keys, customer, wanted)
        return outcome.reason or outcome.result

    assert await call(other) == "sent"
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO identity.moves (number, identifier, owner, before, event_id) VALUES (1, 'phone:x', %s, %s, %s)",
            (one, other, uuid4()),
        )
    assert await call(one) == "cap call,partner_visit/30d"


@pytest.mark.parametrize("first", ["one", "other"])
async def test_whoever_is_himself_again_was_approached_as_he_was_before(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    people, keys = {"one": uuid4(), "other": uuid4(), "third": uuid4()}, KeyRing(MASTER)
    random, cap = Random(first), "cap call,partner_visit/30d"

    async def call(name: str) -> str:
        candidate = Candidate(uuid4(), "winback", 1, people[name], "marketing", ("call",), 0.0, START, START, 0)
        wanted = Want(candidate, "spring", {}, START, late=False, blob=b"")
        async with pool.connection() as connection, connection.transaction():
            ((_, outcome),) = await reserve(connection, keys, people[name], wanted)
        return outcome.reason or outcome.result

    async def give(tokens: Sequence[str], before: str, to: str) -> None:
        async with pool.connection() as connection:
            for token in tokens:
                await connection.execute(
                    "INSERT INTO identity.moves (number, identifier, owner, before, event_id) VALUES (%s, %s, %s, %s, %s)",
                    (random.randrange(1 << 40), f"{token} {people}", people[to], people[before], uuid4()),
                )
                await connection.execute(
                    "INSERT INTO identity.identifiers (identifier, customer_id, number, event_id) VALUES (%s, %s, 1, %s)"
                    " ON CONFLICT (identifier) DO UPDATE SET customer_id = excluded.customer_id",
                    (f"{token} {people}", people[to], uuid4()),
                )

    async def shown(name: str) -> list[str]:
        async with pool.connection() as connection:
            same = await belonging.merged(connection, people[name])
            return sorted(decision.reason or decision.outcome for decision in await decisions.page(connection, 9, customers=same))

    await give(["a"], "one", "one")
    assert await call("third") == "sent"
    await give(["b", "c"], "third", "other")
    assert await call("other") == cap
    await give(["b", "c"], "other", "one")
    assert await call("one") == cap
    assert await shown("one") == [cap, cap, "sent"]
    await give(["b", "c"], "one", "other")
    assert (await shown("one"), await shown("other")) == ([cap], [cap, "sent"])
    said = {name: await call(name) for name in (first, *sorted({"one", "other"} - {first}))}
    assert said == {"one": "sent", "other": cap}
    assert (await shown("one"), await shown("other")) == ([cap, "sent"], [cap, cap, "sent"])
    await give(["b", "c"], "other", "one")
    assert await call("one") == cap
    assert len(await shown("one")) == 6


async def test_no_budget_is_ever_passed_and_what_was_not_sent_after_all_is_not_spent(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    budget = "{policy: contact, zone: UTC, budget: {per: campaign, amount: 1000, in: month, costs: {sms: 150}}}"
    keys, outcomes = KeyRing(MASTER), dict[UUID, list[str | None]]()

    def asked(customer: UUID) -> Want:
        candidate = Candidate(uuid4(), "rule", 1, customer, "marketing", ("sms",), 0.0, START, START, 0, campaign="spring")
        return Want(candidate, "spring", {"source": "/tests", "id": "1"}, START, late=False, blob=b"")

    async def approach(wanted: Want) -> None:
        customer = wanted.candidate.customer
        async with pool.connection() as connection, connection.transaction():
            decided = await reserve(connection, keys, customer, wanted)
            outcomes[customer] = [outcome.reason or outcome.result for _, outcome in decided]

    async with pool.connection() as connection:
        await connection.execute("INSERT INTO contacts.policy (version, at, by, text) VALUES (2, now(), 'tests', %s)", (budget,))
    try:
        wants = [asked(uuid4()) for _ in range(12)]
        await asyncio.gather(*map(approach, wants))
        assert sorted(str(said) for (said,) in outcomes.values()) == ["budget"] * 6 + ["sent"] * 6
        one = next(want for want in wants if outcomes[want.candidate.customer] == ["sent"])
        async with pool.connection() as connection, connection.transaction():
            await table.lock(connection, one.candidate.customer)
            await reserving.again(connection, "read_1", keys, one, "sms", START, "unless")
        for wanted in (another := [asked(uuid4()), asked(uuid4())]):
            await approach(wanted)
        assert [outcomes[want.candidate.customer] for want in another] == [["sent"], ["budget"]]
        next_month = START + timedelta(days=40)
        batch = [Asked(want.candidate.customer, [want], next_month, lambda _: "") for want in (asked(uuid4()) for _ in range(8))]
        async with pool.connection() as connection, connection.transaction():
            decided = await reserving.reserve_all(connection, "read_1", keys, batch)
        assert [outcome.reason or outcome.result for one in batch for _, outcome in decided[one.customer]] == ["sent"] * 6 + ["budget"] * 2
        behind = asked(uuid4())
        ask = Asked(behind.candidate.customer, [behind], next_month - timedelta(days=8), lambda _: "")
        async with pool.connection() as connection, connection.transaction():
            decided = await reserving.reserve_all(connection, "read_1", keys, [ask])
        assert [outcome.reason for _, outcome in decided[behind.candidate.customer]] == ["budget"]  # who is ahead of it spent it
    finally:
        async with pool.connection() as connection:
            await connection.execute("DELETE FROM contacts.policy WHERE version = 2")


async def test_what_was_made_before_there_was_a_budget_is_not_given_back_to_it(
    pool: database.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.contacts.fold.Known.allows", lambda *_: True)
    budget = "{policy: contact, zone: UTC, budget: {per: campaign, amount: 300, in: month, costs: {sms: 150}}}"
    keys, late = KeyRing(MASTER), START.replace(hour=22)  # the next day in Tehran

    async def approach() -> tuple[Want, str]:
        candidate = Candidate(uuid4(), "rule", 1, uuid4(), "marketing", ("sms",), 0.0, late, late, 0, campaign="autumn")
        want = Want(candidate, "autumn", {"source": "/tests", "id": "1"}, late, late=False, blob=b"")
        async with pool.connection() as connection, connection.transaction():
            asked = Asked(candidate.customer, [want], late, lambda _: "")
            decided = (await reserving.reserve_all(connection, "read_1", keys, [asked]))[candidate.customer]
        return want, decided[0][1].reason or decided[0][1].result

    async def stop(want: Want) -> None:
        async with pool.connection() as connection, connection.transaction():
            await table.lock(connection, want.candidate.customer)
            await reserving.again(connection, "read_1", keys, want, "sms", late, "unless")

    before = [await approach() for _ in range(3)]
    assert [said for _, said in before] == ["sent"] * 3
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO contacts.policy (version, at, by, text) VALUES (2, now(), 'tests', %s)", (budget,))
    try:
        for want, _ in before:
            await stop(want)
        bound = [await approach() for _ in range(4)]
        assert [said for _, said in bound] == ["sent", "sent", "budget", "budget"]
        async with pool.connection() as connection:
            other = budget.replace("UTC", "Asia/Tehran").replace("month", "day")
            await connection.execute("UPDATE contacts.policy SET text = %s WHERE version = 2", (other,))
        await stop(bound[0][0])
        assert [said for _, said in [await approach() for _ in range(3)]] == ["sent", "sent", "budget"]
    finally:
        async with pool.connection() as connection:
            await connection.execute("DELETE FROM contacts.policy WHERE version = 2")
