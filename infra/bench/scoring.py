"""What churn costs: the folding hop with and without scores, the learner by itself, and scoring all the silent anew.

Scores are given by a learner that has learnt, so that each is a sum over all features, and what moves is written down and published.
Reading order: Learning, examples, learner, champion, again, remembered.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import msgspec

from aggregates.churn import Definition
from aggregates.fact import Fact
from aggregates.touchpoint import channel_of
from infra import database
from infra.bench import throughput, workers
from infra.bench.feed import append
from infra.bench.ground import Ground, World
from infra.bench.throughput import Pass
from infra.bench.usage import Cost
from infra.master_key import master_key
from projections.churn import kept as keeping
from projections.churn import messages, table
from projections.churn.kept import Kept, Said
from projections.churn.learnt import Snapshot, crown, grown, write
from projections.churn.table import Key
from streams.learning import champion as champions
from streams.learning import learner as learning
from streams.learning.learner import Labelled, Learner
from streams.learning.linear import model_of

WITHOUT = "customer-without-churn"
DAY = 200
"""Examples whose labels become known together."""

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
TYPES = ("sales.order_placed", "sales.order_placed", "call.ended", "web.page_viewed", "complaint.made")

WAIT = 60
"""Days of examples of which the last is said before the first label is known: all of them wait at once."""

REMEMBERED = "SELECT count(*) FROM churn.examples WHERE lost IS NOT NULL"

AGAIN = """
SELECT count(*) FROM churn.rescored r JOIN churn.definitions d ON d.id = r.definition AND d.champion = r.champion WHERE r.after IS NULL
"""


@dataclass(frozen=True, slots=True)
class Learning:
    """What learning cost."""

    load: Pass
    features: int
    learner: Learner


def examples(count: int, seed: int = 20) -> list[Said]:
    """What is said of customers who buy, call, look and complain."""
    chance, definition, said = Random(seed), Definition(), list[Said]()  # noqa: S311 - a simulation
    while len(said) < count:
        said += keeping.hear(definition, champions.ignorant(definition.horizon), Kept(), life(chance)).said
    return said[:count]


def life(chance: Random) -> list[Fact]:
    """A customer's facts, in order; the first is an order."""
    at, facts = BEGIN + timedelta(days=chance.uniform(0, 300)), list[Fact]()
    for nth in range(chance.randrange(2, 20)):
        type_, reason = TYPES[0] if not nth else chance.choice(TYPES), chance.choice(("price", "late", "quality"))
        data = {"total": chance.uniform(5, 500), "reason": reason, "wait_seconds": chance.randrange(90)}
        facts.append(Fact(UUID(int=0), at, at, at, "", type_, channel_of(type_), "", "", data, ()))
        at += timedelta(days=chance.expovariate(0.1))
    return facts


def learner(count: int) -> Learning:
    """Learn so many labels, a day of them at once, in this process."""
    chance = Random(21)  # noqa: S311 - a simulation
    said = [one.scored for one in examples(count)]
    days = [said[at : at + DAY] for at in range(0, count, DAY)]
    lost = [[chance.random() < one.score for one in day] for day in days]
    known = learning.fresh(Definition().horizon)
    seconds = cpu = 0.0
    for day, labels in zip(days, lost, strict=True):
        now_said = learning.predict_all(known, [one.features for one in day], [one.anchors for one in day])
        labelled = [Labelled(one.features, one.anchors, now, was) for one, now, was in zip(day, now_said, labels, strict=True)]
        begin, begun = time.monotonic(), time.process_time()
        known = learning.learn(known, labelled)
        seconds, cpu = seconds + time.monotonic() - begin, cpu + time.process_time() - begun
    return Learning(Pass(count, seconds, Cost(1e6 * cpu / count, None, None)), len(known.vocabulary.names), known)


async def champion(world: World, learnt: Learner) -> None:
    """Have scores given by this learner from now on."""
    learners, sums, checksum = champions.seal(learnt, learnt, master_key(world.settings).signing)
    async with await database.connect(world.endpoints.dsn) as connection:
        number = await write(connection, Snapshot(1, learnt.learnt, None, checksum, champions.made_with(), learners, sums, {}))
        await crown(connection, 1, number)
        await grown(connection, 1, learnt.learnt, kept=1)
        await connection.commit()


async def again(ground: Ground, world: World, learnt: Learner, customers: int) -> Pass:
    """Score so many silent customers anew, in one process: everybody's score is another than the one that was given."""
    await champion(world, learnt)
    definition, partitions = Definition(), world.partitions
    model = model_of(learnt, learnt)
    async with await database.connect(world.endpoints.dsn) as connection:
        for partition in range(partitions):
            some: dict[Key, Kept] = {}
            for number in range(partition, customers, partitions):
                kept = keeping.hear(definition, model, Kept(), life(Random(number))).kept  # noqa: S311 - a simulation
                some[str(UUID(int=number << 64, version=4)), 1] = msgspec.structs.replace(kept, score=0.5, given=0.5, told=0.5)
            await table.save(connection, partition, some)
            await connection.commit()
    async with workers.watching(world) as connection:

        async def done() -> bool:
            row = await (await connection.execute(AGAIN)).fetchone()
            return row is not None and row[0] == partitions

        return await throughput.idle(ground, world, done, customers)


async def remembered(ground: Ground, world: World, count: int) -> Pass:
    """Let the learner keep so many examples, all of which wait for their labels at once, and then learn them; its database included."""
    said, first, batches = examples(2_000), int(BEGIN.timestamp() // 86_400), list[messages.Batch]()
    for start in range(0, count, DAY):
        told = [_told(first, number, count, said) for number in range(start, min(start + DAY, count))]
        batches.append(messages.Batch(messages.VERSION, 0, tuple(told), {}))
    for partition in range(world.partitions):
        batches += [messages.Batch(messages.VERSION, partition, (), {"wall": first + days}) for days in (WAIT, 2 * WAIT + 90)]
    await append(world, [(b"", messages.encode(batch), []) for batch in batches], world.prefix + "churn-examples")
    async with workers.watching(world) as connection:

        async def done() -> bool:
            row = await (await connection.execute(REMEMBERED)).fetchone()
            return row is not None and row[0] == count

        return await throughput.until_done(ground, world, "learn", 1, done, count)


def _told(first: int, number: int, count: int, said: Sequence[Said]) -> messages.Told:
    """What was said of one of so many customers, on one of the days; every other one comes back."""
    one, day = said[number % len(said)].scored, first + number * WAIT // count
    example = messages.Example(day, False, one.features, one.anchors, one.logit, 0)
    customer = str(UUID(int=number << 64, version=4))
    return messages.Told(customer, 1, False, "", (day + 9,) if number % 2 else (), (), None, (example,))
