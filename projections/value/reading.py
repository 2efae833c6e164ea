"""What is told of a customer's value. Reading order: worth."""

from datetime import UTC, datetime
from uuid import UUID

from aggregates.churn import DAY
from projections.alike import Alike
from projections.positions import replaying
from projections.rows import Connection
from projections.value import table
from projections.value.state import State
from projections.value.worth import Worth
from projections.value.worth import worth as worth_of


async def worth(connection: Connection, schema: str, customer: UUID, now: datetime, alike: Alike | None = None) -> Worth | None:
    """A customer's value now. `now` is ours; who lives in replayed time is valued there. None: he has bought nothing."""
    alike = alike or Alike()
    kept = (await table.load(connection, [customer])).get(str(customer), table.Valued(State(), True))
    if not kept.state.whole:
        kept = table.completed(kept, (await table.contracts(connection, schema, [customer])).get(str(customer), []))
    last = datetime.fromtimestamp(kept.state.at * DAY, UTC)
    replayed = await alike.read(replaying.latest, connection) if kept.replayed else None
    at = max(replayed or last if kept.replayed else now, last)
    models = await alike.read(table.models, connection, replayed=kept.replayed)
    called_off = (await table.called_off(connection, schema, [customer])).get(str(customer), {})
    return worth_of(kept.state, at.timestamp() / DAY, await alike.read(table.costs, connection), models, called_off)
