"""Scores, values, rules and segments of a long history that moved are derived in pieces; whatever happens, it comes out as in one go."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from infra import generations
from infra.sealing import KeyRing
from projections import generation
from projections.positions import table as positions
from streams.customer import Customer
from streams.in_force import QUANTILE
from streams.record import Batch, Record
from tests.api.conftest import answered
from tests.streams.crew import Gate, until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING
from tests.streams.whole import everywhere, processors, publish, settled

pytestmark = pytest.mark.engines

PIECE = 3
CURSOR = "SELECT after_at FROM streams.chores WHERE chore = 'refold' AND parts IS NOT NULL"
UNDER_WAY = f"SELECT EXISTS ({CURSOR})"
HANDING_OVER = "SELECT EXISTS (SELECT 1 FROM streams.chores WHERE chore = 'hand_over')"
NONE = "SELECT count(*) = 0 FROM streams.chores"

RULES = (
    {"rule": "twice", "when": {"count": "sales.order_placed", "at_least": 2, "within": "1h"}, "do": {"notify": "x"}, "cooldown": "2h"},
    {"rule": "silent", "when": {"after": "sales.order_placed", "absent": "call.ended", "for": "2d"}, "do": {"notify": "x"}},
)
MORE = {"rule": "looked", "when": {"count": "web.page_viewed", "at_least": 2, "within": "1d"}, "do": {"notify": "x"}}
SEGMENT = {"segment": "buyers", "when": {"count": "sales.order_placed", "at_least": 4, "within": "30d"}}

DERIVED = (
    "SELECT customer_id, state, moving FROM {schema}.view ORDER BY 1",
    "SELECT customer_id, definition, state, due, replayed, decider, score FROM churn.states ORDER BY 1, 2",
    "SELECT customer_id, state, replayed, decider FROM value.states ORDER BY 1",
    "SELECT customer_id, rule, version, state FROM streams.rule_states ORDER BY 1, 2, 3",
    "SELECT customer_id, segment, version, state, inside FROM streams.segment_states ORDER BY 1, 2, 3",
    "SELECT customer_id, rule, version, at, clock, quiet FROM streams.timers ORDER BY 1, 2, 3",
    "SELECT customer_id, rule, version, cause, occurred_at FROM signals.given WHERE NOT withdrawn ORDER BY 1, 2, 3, 4",
    "SELECT customer_id, segment FROM signals.members ORDER BY 1, 2",
)
"""All that is kept of customers."""

Meanwhile = Callable[[Ground], Awaitable[None]]


def order(ground: Ground, id_: str, minute: float, **who: str) -> UUID:
    return ground.send(id_, "sales.order_placed", minute, order_id=id_, lines=[], total="5.00", currency="USD", who=who)


async def derived(ground: Ground) -> list[list[tuple[Any, ...]]]:
    """Of all who have an identifier: whoever lost his last one only keeps what was said of him."""
    owners, schema = set(await ground.ask("SELECT customer_id FROM identity.identifiers")), await generation.live(ground.connection)
    return [[row for row in await ground.ask(query.format(schema=schema)) if row[:1] in owners] for query in DERIVED]


async def two_lives(ground: Ground) -> None:
    """Two customers who buy, look and call, a dozen facts each; some at the same time."""
    for rule in RULES:
        publish(ground, "rule", rule)
    publish(ground, "segment", SEGMENT)
    for name, who in (("older", {"email": "a@x.ir"}), ("younger", {"account": "b"})):
        for number in range(5):
            minute = 40 * (number - number % 2) + (7 if name == "younger" else 0)
            order(ground, f"{name} {number}", minute, **who)
            ground.send(f"{name} looks {number}", "web.page_viewed", minute, url="https://x.ir/p", who=who)
        ground.send(f"{name} calls", "call.ended", 90, call_id=name, direction="inbound", who=who)
        await settled(ground, 5000)


@asynccontextmanager
async def moving(ground: Ground) -> AsyncIterator[None]:
    """They turn out to be one, and the winner is told anew, held up in the middle of it; in the end all is as if it had been one go."""
    await two_lives(ground)
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    gate = Gate("customer.chore_committed", when=lambda: ground.has(UNDER_WAY), after=2)
    worker = ground.hire(*processors(ground, PIECE), at=gate)
    try:
        await worker.own_all()
        await gate.wait()
        yield
        gate.opened.set()
        await ground.settle(worker)
    finally:
        await worker.die()
    await as_in_one_go(ground)


async def as_in_one_go(ground: Ground) -> None:
    """Whoever is told anew all at once is as he was."""
    before = await derived(ground)
    assert all(before)
    assert await ground.ask("SELECT 1 FROM streams.chores") == []
    for (customer,) in await ground.ask("SELECT DISTINCT customer_id FROM identity.identifiers"):
        ground.told_to_refold(customer)
    await settled(ground, 5000)
    assert await derived(ground) == before


async def a_fact_behind_the_cursor(ground: Ground) -> None:
    order(ground, "meanwhile", 3, account="b")


async def a_fact_at_the_cursor(ground: Ground) -> None:
    ((at,),) = await answered(lambda: ground.ask(CURSOR))  # where rows of another partition came, he begins again
    order(ground, "meanwhile", (at - BEGINNING).total_seconds() / 60, email="a@x.ir")


async def a_fact_beyond_the_cursor(ground: Ground) -> None:
    order(ground, "meanwhile", 600, account="b")


async def a_rule_is_published(ground: Ground) -> None:
    publish(ground, "rule", MORE)


async def a_rule_ends_and_is_resumed(ground: Ground) -> None:
    publish(ground, "rule", RULES[0], "retired", 2)
    publish(ground, "rule", RULES[0], "published", 3)


async def a_quantile_is_published(ground: Ground) -> None:
    everywhere(ground, QUANTILE, "a quantile", {"of": "value", "cuts": {"90": 7.0}})


async def a_definition_is_published(ground: Ground) -> None:
    await ground.ask(
        "INSERT INTO churn.definitions (name, version, stands, body, by, past) VALUES ('churn', 2, 'beside', %s, 'me', false) RETURNING 1",
        msgspec.json.encode({"horizon": 5}).decode(),
    )


async def other_read_models_are_put_in_force(ground: Ground) -> None:
    """What was folded is of no use there."""
    await ground.ask("UPDATE streams.chores SET schema = 'read_0' RETURNING 1")


async def another_merge(ground: Ground) -> None:
    order(ground, "third", 20, loyalty="c")
    ground.send("again", minute=550, who={"loyalty": "c", "account": "b"})


@pytest.mark.parametrize(
    "meanwhile",
    [
        a_fact_behind_the_cursor,
        a_fact_at_the_cursor,
        a_fact_beyond_the_cursor,
        a_rule_is_published,
        a_rule_ends_and_is_resumed,
        a_quantile_is_published,
        a_definition_is_published,
        other_read_models_are_put_in_force,
        another_merge,
    ],
)
async def test_what_comes_meanwhile_makes_no_difference(ground: Ground, meanwhile: Meanwhile) -> None:
    async with moving(ground):
        await meanwhile(ground)


@pytest.mark.parametrize("piece", [1, 7])
async def test_whoever_dies_after_whichever_piece(ground: Ground, piece: int) -> None:
    await two_lives(ground)
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    for _ in range(6):
        gate = Gate("customer.chore_committed", after=2)
        worker = ground.hire(*processors(ground, piece), at=gate)
        await worker.own_all()
        await until(lambda gate=gate: _reached_or_done(ground, gate))  # type: ignore[misc]
        await worker.die()
    await settled(ground, piece)
    await as_in_one_go(ground)


async def _reached_or_done(ground: Ground, gate: Gate) -> bool:
    return gate.reached.is_set() or await ground.has(NONE)


async def test_a_split_gives_each_what_is_his(ground: Ground) -> None:
    async with moving(ground):
        pass
    ((customer,),) = await ground.ask("SELECT DISTINCT customer_id FROM identity.identifiers")
    await ground.split("account", customer, *processors(ground, PIECE))
    await as_in_one_go(ground)


async def rebuilt(ground: Ground) -> None:
    """Other read models are put in force, folded as far as the live ones: a row is at once with whoever has its decider now."""
    await generations.create(ground.connection, "read_2")
    step, at = Customer(KeyRing(MASTER), "read_2"), await positions.positions(ground.connection, "customer")
    async with ground.connection.transaction():
        for partition, end in at.items():
            batch = Batch(partition, cast("list[Record]", ground.memory.records("customer-events", partition)[:end]))
            if batch.records:
                await step.apply(ground.connection, batch)
                step.committed(batch)
        await generations.switch(ground.connection, 2, lambda customer: ground.memory.place(str(customer).encode()))


@pytest.mark.parametrize("pieces", [0, 1, 2])
async def test_a_rebuild_in_the_middle_of_a_hand_over_leaves_nobody_as_he_was(ground: Ground, pieces: int) -> None:
    """Rows that it put under their owner are handed over no more, so he would never hear of them."""
    await two_lives(ground)
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    gate = Gate("customer.chore_committed", after=pieces - 1, when=lambda: ground.has(HANDING_OVER))
    worker = ground.hire(*processors(ground, PIECE), at=gate)
    await worker.own("resolve", ground.memory.numbers)
    await ground.passed("resolve", worker)
    if pieces:  # else his partition has not even heard that he lost something
        await worker.own("customer", ground.memory.numbers)
        await gate.wait()
    await worker.die()
    await rebuilt(ground)
    views = await ground.ask("SELECT customer_id, log_partition FROM read_2.view")
    assert views == [(customer, ground.memory.place(str(customer).encode())) for customer, _ in views]
    await settled(ground, PIECE)
    await as_in_one_go(ground)
