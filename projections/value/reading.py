"""What is told of a customer's value. Reading order: worth."""

from datetime import UTC, datetime
from uuid import UUID

from aggregates.churn import DAY
from projections.churn import table as churn
from projections.timeline.table import Connection
from projections.value import table
from projections.value.worth import Worth
from projections.value.worth import worth as worth_of


async def worth(connection: Connection, schema: str, customer: UUID, now: datetime) -> Worth | None:
    """A customer's value now. `now` is ours; who lives in replayed time is valued there. None: he has bought nothing."""
    kept = (await table.load(connection, [customer])).get(str(customer))
    if kept is None:
        return None
    at = max(now, datetime.fromtimestamp(kept.state.at * DAY, UTC))
    if kept.replayed:
        clocks = (await churn.clocks(connection)).values()
        at = max([*clocks, datetime.fromtimestamp(kept.state.at * DAY, UTC)])
    models = await table.models(connection, replayed=kept.replayed)
    called_off = await _called_off(connection, schema, customer)
    return worth_of(kept.state, at.timestamp() / DAY, await table.costs(connection), models, called_off)


async def _called_off(connection: Connection, schema: str, customer: UUID) -> dict[str, str]:
    """What was placed and called off since, by currency: the timeline knows an order by its number.

    It begins with what was called off, which is little: thousands of orders that stand are not compared with anything.
    """
    cursor = await connection.execute(
        f"WITH off AS MATERIALIZED (SELECT ref, max(at) AS at FROM {schema}.timeline"
        "  WHERE customer_id = %(customer)s AND type = 'sales.order_cancelled' GROUP BY ref)"
        f" SELECT p.currency, sum(p.amount)::text FROM off JOIN {schema}.timeline p ON p.ref = off.ref AND p.at <= off.at"
        " WHERE p.customer_id = %(customer)s AND p.type = 'sales.order_placed' AND p.currency IS NOT NULL GROUP BY 1",
        {"customer": customer},
    )
    return dict(await cursor.fetchall())
