"""Lets a reader see what was just written: `after=<position>` of a GET waits until it is in the views, and not for ever."""

import asyncio

from fastapi import Request

from aggregates.log import NotAcknowledged
from api import position, query
from api.awaiting import BREATH, LOOK
from api.ports import Dependencies
from api.problem import RETRY_SECONDS, Problem, invalid, unavailable
from projections.positions import table as positions

LONGEST = 10.0


async def settled(request: Request, dependencies: Dependencies, *, whole: bool = False) -> bool:
    """Wait for the position in the query; whether there is one. Raises a 504 problem when it does not come, a 422 problem when it is none
    of this log. Who wants the `whole` is not content with the one event that was posted: it may have been there before, as another."""
    wanted = query.text(request, "after", 4096)
    if wanted is None:
        return False
    at, alone = position.read(wanted)
    if not await dependencies.awaiting.reached(at, None if whole else alone, LONGEST):
        await _in_the_log(dependencies, at)
        raise _not_yet()
    return True


async def listed(request: Request, dependencies: Dependencies) -> None:
    """The same, and until what was refused on the way, or at a door before it, is among the dead letters; no longer in all."""
    begin = asyncio.get_running_loop().time()
    if not await settled(request, dependencies, whole=True):
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


async def _in_the_log(dependencies: Dependencies, at: position.Offsets) -> None:
    """Raises a 422 problem for a position that the log never reached: nobody would ever see it. While Kafka is away nobody knows."""
    try:
        ends = await dependencies.log.ends([dependencies.topics.touchpoints])
    except NotAcknowledged:
        return
    if any(end > ends.get((dependencies.topics.touchpoints, partition), 0) for partition, end in at.items()):
        raise invalid(
            "/query/after",
            "This position is after the end of the log: it is of another installation, or a backup was restored since.",
            "Ask without it.",
        )


def _not_yet() -> Problem:
    return Problem(
        504,
        "not_visible_yet",
        f"What was accepted at this position is not visible after {LONGEST:.0f} s.",
        mend="It is safe in the log; ask again later.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
