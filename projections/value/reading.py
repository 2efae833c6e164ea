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
    """What was placed and called off since, by currency: the timeline knows an order by its number."""
    cursor = await connection.execute(
        f"SELECT p.currency, sum(p.amount)::text FROM {schema}.timeline p WHERE p.customer_id = %s AND p.type = 'sales.order_placed'"
        f" AND p.currency IS NOT NULL AND EXISTS (SELECT 1 FROM {schema}.timeline c WHERE c.customer_id = p.customer_id"
        "  AND c.type = 'sales.order_cancelled' AND c.ref = p.ref AND c.at >= p.at) GROUP BY 1",
        (customer,),
    )
    return dict(await cursor.fetchall())
