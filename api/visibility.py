"""Lets a reader see what was just written: `after=<position>` of a GET waits until it is in the views, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
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


async def settled(request: Request, dependencies: Dependencies) -> bool:
    """Wait for the position in the query; whether there is one. Raises a 504 problem when it does not come."""
    wanted = query.text(request, "after", 4096)
    if wanted is not None and not await reached(dependencies, *position.read(wanted), LONGEST):
        raise _not_yet()
    return wanted is not None


async def listed(request: Request, dependencies: Dependencies) -> None:
    """The same, and until what was refused on the way, or at a door before it, is among the dead letters; no longer in all."""
    begin = asyncio.get_running_loop().time()
    if not await settled(request, dependencies):
        return
    try:
        ends = await dependencies.log.ends([dependencies.topics.dead_letters])
    except NotAcknowledged as error:
        raise unavailable(str(error)) from error
    target = {partition: end for (_, partition), end in ends.items()}

    async def look(_: float) -> bool:
        async with dependencies.pool.connection() as connection:
            return await positions.passed(connection, "letters", target)

    if not await _seen(dependencies, look, LONGEST - (asyncio.get_running_loop().time() - begin)):
        raise _not_yet()


async def reached(dependencies: Dependencies, at: dict[int, int], alone: UUID | None, within: float) -> bool:
    """Whether everything up to the position is in the views, now or within so many seconds.

    One event `alone` that moved nothing is there when its row is: what others sent beside it need not be waited for.
    """
    wait = Wait(at)

    async def look(waited: float) -> bool:
        nonlocal wait
        schema = await dependencies.schema()  # before a connection is held: it may need one itself
        async with dependencies.pool.connection() as connection:
            stands = Alone.MOVES if alone is None else await standing(connection, schema, alone)
            if stands is Alone.THERE:
                return True
            if stands is Alone.MOVES or waited >= min(DOUBT, within):
                wait = await advance(connection, wait)
        return wait.done

    return await _seen(dependencies, look, within)


async def _seen(dependencies: Dependencies, look: Callable[[float], Awaitable[bool]], within: float) -> bool:
    """Look whenever something changed, told how long it has been waited; whether it was there within so many seconds."""
    changes, clock = dependencies.changes, asyncio.get_running_loop().time
    begin = clock()
    while True:
        version = changes.version
        if await look(clock() - begin):
            return True
        waited = clock() - begin
        if waited >= within:
            return False
        await asyncio.sleep(max(BREATH, LONGER * waited))
        await changes.changed(version, max(0.0, min(LOOK, within - waited)))


def _not_yet() -> Problem:
    return Problem(
        504,
        "not_visible_yet",
        f"What was accepted at this position is not visible after {LONGEST:.0f} s.",
        mend="It is safe in the log; ask again later.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
