"""Lets a reader see what was just written: `after=<position>` of a GET waits until it is in the views, and not for ever."""

import asyncio
from uuid import UUID

from fastapi import Request

from aggregates.log import NotAcknowledged
from api import position, query
from api.ports import Dependencies
from api.problem import RETRY_SECONDS, Problem, unavailable
from projections.identity.table import Alone
from projections.identity.table import alone as standing
from projections.positions import table as positions
from projections.positions.waiting import Wait, advance

LONGEST = 10.0
LOOK = 0.25
"""How often to look although nothing was heard: a notification may be lost."""

BREATH = 0.015
"""Between two looks of one reader: under load something changes every few milliseconds, and each look is a query."""

LONGER = 0.1
"""Whoever has waited long looks less often: the breath becomes this part of the time that he has waited."""

DOUBT = 0.3
"""After so long one event that is waited for by itself may be one that never comes to anybody: its position is asked for as well."""


async def settled(request: Request, dependencies: Dependencies) -> None:
    """Wait for the position in the query, if there is one. Raises a 504 problem when it does not come."""
    wanted = query.text(request, "after", 4096)
    if wanted is not None and not await reached(dependencies, *position.read(wanted), LONGEST):
        raise _not_yet()


async def listed(request: Request, dependencies: Dependencies) -> None:
    """The same, and until what was refused on the way, or at a door before it, is among the dead letters."""
    await settled(request, dependencies)
    if query.text(request, "after", 4096) is None:
        return
    try:
        ends = await dependencies.log.ends([dependencies.topics.dead_letters])
    except NotAcknowledged as error:
        raise unavailable(str(error)) from error
    changes, clock = dependencies.changes, asyncio.get_running_loop().time
    begin = clock()
    while True:
        version = changes.version
        async with dependencies.pool.connection() as connection:
            kept = await positions.positions(connection, "letters")
        if all(kept.get(partition, 0) >= end for (_, partition), end in ends.items()):
            return
        if clock() - begin >= LONGEST:
            raise _not_yet()
        await changes.changed(version, LOOK)


def _not_yet() -> Problem:
    return Problem(
        504,
        "not_visible_yet",
        f"What was accepted at this position is not visible after {LONGEST:.0f} s.",
        mend="It is safe in the log; ask again later.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


async def reached(dependencies: Dependencies, at: dict[int, int], alone: UUID | None, within: float) -> bool:
    """Whether everything up to the position is in the views, now or within so many seconds.

    One event `alone` that moved nothing is there when its row is: what others sent beside it need not be waited for.
    """
    changes, clock = dependencies.changes, asyncio.get_running_loop().time
    begin = clock()
    wait = Wait(at)
    while True:
        version = changes.version
        schema = await dependencies.schema()  # before a connection is held: it may need one itself
        async with dependencies.pool.connection() as connection:
            stands = Alone.MOVES if alone is None else await standing(connection, schema, alone)
            if stands is Alone.THERE:
                return True
            if stands is Alone.MOVES or clock() - begin >= min(DOUBT, within):
                wait = await advance(connection, wait)
        if wait.done:
            return True
        waited = clock() - begin
        if waited >= within:
            return False
        await asyncio.sleep(max(BREATH, LONGER * waited))
        await changes.changed(version, max(0.0, min(LOOK, within - waited)))
