"""Counts what the demo loaded, in the timelines and in the views, and says plainly when it is not what was sent."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from infra import database
from infra.demo import cdnow
from infra.demo.cdnow import Totals
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.settings import Settings
from projections import generation
from projections.view import table as views

PLACED = "sales.order_placed"
CHUNK = 2_000


async def check(settings: Settings, sent: Totals) -> None:
    """Raise Refusal unless every order that was sent stands once, under as many customers, in the timelines and in the views."""
    async with await database.connect(endpoints(settings).dsn) as connection:
        schema = await generation.live(connection)
        in_timelines = await _timelines(connection, schema)
        _compare("timelines", in_timelines, sent)
        all_orders = await _orders_of_its_customers(connection, schema)
        _compare("views", await _views(connection, schema, list(all_orders)), _sum(all_orders))


async def _timelines(connection: database.Connection, schema: str) -> Totals:
    cursor = await connection.execute(
        f"SELECT count(*), count(DISTINCT customer_id), coalesce(sum(amount), 0) FROM {schema}.timeline WHERE type = %s AND source = %s",
        (PLACED, cdnow.ORIGIN),
    )
    row: Any = await cursor.fetchone()
    return Totals(*row)


async def _orders_of_its_customers(connection: database.Connection, schema: str) -> dict[UUID, tuple[int, Decimal]]:
    """Orders and dollars of every customer of CDNOW, orders of other sources included: his view counts them too."""
    cursor = await connection.execute(
        "SELECT customer_id, count(DISTINCT ref), sum(amount) FILTER (WHERE currency = 'USD')"
        f" FROM {schema}.timeline WHERE type = %s AND customer_id IN"
        f" (SELECT customer_id FROM {schema}.timeline WHERE type = %s AND source = %s) GROUP BY customer_id",
        (PLACED, PLACED, cdnow.ORIGIN),
    )
    rows: list[Any] = await cursor.fetchall()
    return {customer: (orders, dollars) for customer, orders, dollars in rows}


async def _views(connection: database.Connection, schema: str, customers: list[UUID]) -> Totals:
    orders, viewed, dollars = 0, 0, Decimal(0)
    for start in range(0, len(customers), CHUNK):
        states = await views.load(connection, schema, customers[start : start + CHUNK])
        viewed += len(states)
        orders += sum(state.orders.placed for state in states.values())
        dollars += sum((Decimal(state.orders.worth["USD"].total) for state in states.values() if "USD" in state.orders.worth), Decimal(0))
    return Totals(orders, viewed, dollars)


def _sum(orders: dict[UUID, tuple[int, Decimal]]) -> Totals:
    return Totals(sum(count for count, _ in orders.values()), len(orders), sum((dollars for _, dollars in orders.values()), Decimal(0)))


def _compare(where: str, found: Totals, wanted: Totals) -> None:
    if found != wanted:
        raise Refusal(
            f"The {where} do not hold what was sent: {cdnow.said(found)}, and {cdnow.said(wanted)} are right.", "`yekta verify` shows more."
        )
