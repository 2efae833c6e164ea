"""Tells the log what people did at the desk, exactly as a door tells it what a channel saw: acknowledged before it is confirmed.

The id comes from whoever says it, so that saying it again is saying it once.
"""

from collections.abc import Mapping
from typing import Any

from aggregates.decision import SPEAKER
from aggregates.log import NotAcknowledged
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import KeyUnknown, seal
from aggregates.source import Source
from api import commands, position
from api.metrics import EVENTS
from api.ports import Dependencies
from api.problem import of_refusal, unavailable

DESK = "/yekta/desk"


async def tell(
    dependencies: Dependencies, id_: str, type_: str, who: Mapping[str, Any], data: Mapping[str, Any], asked: bytes | None = None
) -> str:
    """Have the log accept a fact; the position after it. `asked`: a digest of what makes it another one under the same id. Raises problems:
    422 for what breaks its contract or is another one, 503 while Kafka is away."""
    event = {"specversion": "1.0", "id": id_, "source": DESK, "type": type_, "data": {"who": dict(who), **data}}
    touchpoint = read(event, Source(SPEAKER, dependencies.zone, types=(type_,)), dependencies.clock())
    if isinstance(touchpoint, Refusal):
        raise of_refusal(422, touchpoint)
    if asked is not None:
        async with dependencies.pool.connection() as connection:
            await commands.claim(connection, touchpoint.event_id, asked)
    try:
        ends = await dependencies.log.publish(dependencies.topics.touchpoints, [(*seal(touchpoint, dependencies.secrets), [])])
    except (NotAcknowledged, KeyUnknown) as error:
        raise unavailable(f"{error} It may be sent again.") from error
    EVENTS.labels(SPEAKER, "accepted").inc()
    dependencies.recent.accept([touchpoint.event_id])
    dependencies.recent.note(ends, dependencies.clock())
    return position.token(ends)
