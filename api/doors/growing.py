"""Tells whether a fact of several rows was sent before with fewer of them; then only its further rows become a fact, of their own id.

The log decides: only where the content under the fact's id is that of its first rows. Anything else goes on as it is, and is a
contradiction that `resolve` finds. So is what came so shortly before that it is not in the log's receipts yet: it is never counted twice.
Reading order: grown.
"""

from aggregates.rows.growth import Growing
from aggregates.sealing import text
from aggregates.touchpoint import Touchpoint
from api.ports import Connection, Dependencies
from projections.identity.table import bodies


async def grown(dependencies: Dependencies, candidates: dict[int, Growing], facts: dict[int, Touchpoint]) -> dict[int, Touchpoint]:
    """By the number of a row: what to send instead of it."""
    instead: dict[int, Touchpoint] = {}
    if not candidates:
        return instead
    async with dependencies.pool.connection() as connection:
        known = await bodies(connection, [facts[number].event_id for number in candidates])
        for number, growing in candidates.items():
            body = known.get(facts[number].event_id)
            if body is not None and body != _body(facts[number], dependencies):
                instead[number] = await _rest(dependencies, connection, growing, facts[number], body)
    return instead


async def _rest(dependencies: Dependencies, connection: Connection, growing: Growing, whole: Touchpoint, body: str | None) -> Touchpoint:
    """The rows that no fact of the log has yet, or the last that one has; all of them where the log says something else."""
    start, rest = 0, whole
    while body is not None and body != _body(rest, dependencies):
        stop = next((stop for stop, fact in growing.tried(start) if _body(fact, dependencies) == body), 0)
        further = growing.part(stop, growing.count) if stop else None
        if further is None:
            return whole
        start, rest = stop, further
        body = (await bodies(connection, [rest.event_id])).get(rest.event_id)
    return rest


def _body(fact: Touchpoint, dependencies: Dependencies) -> str:
    return text(dependencies.secrets.digest("body", fact.body))
