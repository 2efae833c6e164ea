"""What is told of a customer's value. Reading order: worth."""

from datetime import UTC, datetime
from uuid import UUID

from aggregates.churn import DAY
from projections.positions import replaying
from projections.rows import Connection
from projections.value import table
from projections.value.state import State
from projections.value.worth import Worth
from projections.value.worth import worth as worth_of


async def worth(connection: Connection, schema: str, customer: UUID, now: datetime) -> Worth | None:
    """A customer's value now. `now` is ours; who lives in replayed time is valued there. None: he has bought nothing."""
    kept = (await table.load(connection, [customer])).get(str(customer), table.Valued(State(), True))
    if not kept.state.whole:
        kept = table.completed(kept, (await table.contracts(connection, schema, [customer])).get(str(customer), []))
    last = datetime.fromtimestamp(kept.state.at * DAY, UTC)
    at = max(await replaying.latest(connection) or last if kept.replayed else now, last)
    models = await table.models(connection, replayed=kept.replayed)
    called_off = (await table.called_off(connection, schema, [customer])).get(str(customer), {})
    return worth_of(kept.state, at.timestamp() / DAY, await table.costs(connection), models, called_off)
