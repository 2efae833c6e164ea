"""Lets a reader see what was just written: `after=<position>` of a GET waits until it is in the views, and not for ever."""

import asyncio

from fastapi import Request

from aggregates.log import NotAcknowledged
from api import position, query
from api.awaiting import BREATH, LOOK
from api.ports import Dependencies
from api.problem import RETRY_SECONDS, Problem, unavailable
from projections.positions import table as positions

LONGEST = 10.0


async def settled(request: Request, dependencies: Dependencies) -> bool:
    """Wait for the position in the query; whether there is one. Raises a 504 problem when it does not come."""
    wanted = query.text(request, "after", 4096)
    if wanted is not None and not await dependencies.awaiting.reached(*position.read(wanted), LONGEST):
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
    changes = dependencies.changes
    while True:
        version = changes.version
        async with dependencies.pool.connection() as connection:
            if await positions.passed(connection, "letters", target):
                return
        left = LONGEST - (asyncio.get_running_loop().time() - begin)
        if left <= 0.0:
            raise _not_yet()
        await asyncio.sleep(BREATH)
        await changes.changed(version, min(LOOK, left))


def _not_yet() -> Problem:
    return Problem(
        504,
        "not_visible_yet",
        f"What was accepted at this position is not visible after {LONGEST:.0f} s.",
        mend="It is safe in the log; ask again later.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
