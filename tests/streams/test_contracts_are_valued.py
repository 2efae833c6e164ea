"""What is kept to value contracts is the same however their facts came, and is found where it was not kept yet."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from aggregates.identity import DEFAULT_RULES
from infra.sealing import KeyRing
from projections import generation
from projections.value import reading, table
from projections.value.worth import Worth
from streams.customer import Customer
from streams.record import Processor
from streams.resolve import Resolve
from streams.valuing import Valuing
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

MONTH = 30 * 24 * 60


def processors() -> list[Processor]:
    keys = KeyRing(MASTER)
    return [Resolve(DEFAULT_RULES, keys), Customer(keys, parts=[Valuing(keys, lambda: BEGINNING)])]


def pays(ground: Ground, month: int, verb: str = "renewed") -> UUID:
    paid: dict[str, Any] = {"subscription_id": "s-1", "amount": "30", "currency": "USD", "period": "month"}
    return ground.send(f"{verb} {month}", f"subscription.{verb}", month * MONTH, who={"email": "a@x.ir"}, **paid)


async def worth(ground: Ground, customer: UUID) -> Worth | None:
    return await reading.worth(ground.connection, "read_1", customer, BEGINNING + timedelta(days=70))


async def test_whoever_has_contracts_from_before_they_were_valued_is_worth_what_he_paid(ground: Ground) -> None:
    async with ground.working(*processors()) as worker:
        event = pays(ground, 0, "started")
        pays(ground, 1)
        await ground.settle(worker)
        customer = await ground.owner(event)
        before = await worth(ground, customer)
        assert before is not None
        assert (before.revenue, before.contracts) == (Decimal(60), Decimal(60))
        assert await ground.ask("DELETE FROM value.states RETURNING 1") == [(1,)]
        await ground.connection.execute("COMMENT ON SCHEMA read_1 IS NULL")  # as it was made before there were marks
    async with ground.working(*processors()) as worker:
        assert await worth(ground, customer) == before
        pays(ground, 2)
        await ground.settle(worker)
        after = await worth(ground, customer)
        assert after is not None
        assert after.revenue == Decimal(90)
    await generation.mark(ground.connection, "read_1")


async def test_a_rebuild_learns_of_contracts_from_before_they_were_valued(ground: Ground) -> None:
    async with ground.working(*processors()) as worker:
        event = pays(ground, 0, "started")
        ground.send("b", "call.ended", 5, who={"email": "b@x.ir"})
        await ground.settle(worker)
        pays(ground, 1)
        await ground.settle(worker)
        customer, kept = await ground.owner(event), await ground.ask("SELECT customer_id, state, replayed FROM value.states ORDER BY 1")
        await ground.ask("DELETE FROM value.states WHERE customer_id = %s RETURNING 1", customer)
        async with ground.pool.connection() as connection:
            await table.complete(connection, "read_1", lambda _: 0)
            await table.complete(connection, "read_1", lambda _: 0)
        assert await ground.ask("SELECT customer_id, state, replayed FROM value.states ORDER BY 1") == kept


async def test_a_payment_that_is_late_is_counted_in_its_place(ground: Ground) -> None:
    async with ground.working(*processors()) as worker:
        event = pays(ground, 2)
        await ground.settle(worker)
        pays(ground, 0, "started")
        pays(ground, 1)
        await ground.settle(worker)
        came = await ground.ask("SELECT state FROM value.states")
        ground.told_to_refold(await ground.owner(event))
        await ground.passed("customer", worker)
        assert await ground.ask("SELECT state FROM value.states") == came
