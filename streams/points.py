"""The named places at which a process may die, between a commit and what follows it: whoever tests that waits there, or kills.

Reading order: Point, passed.
"""

from collections.abc import Awaitable, Callable

Point = Callable[[str], Awaitable[None]]
"""Told when such a place is passed, by its name: `resolve.committed`."""


async def passed(point: str) -> None:
    """Nothing happens at the points."""
    del point
