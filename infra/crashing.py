"""Lets tests kill a process at a named point, from inside: the one way to die between a commit and what follows it.

Nothing happens unless YEKTA_CRASH_FILE names a file and the file exists; its text is `point probability`, for instance
`resolve.committed 0.05`, with `*` for every point. One process dies of it, and takes the file along.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

from streams.points import Point, passed

_ON_ITS_WAY = 0.003  # seconds within which what was sent may have reached the log, and its answer has not come back


def crash_points() -> Point:
    """What a process is to do at the points it passes."""
    name = os.environ.get("YEKTA_CRASH_FILE")
    if name is None:
        return passed
    file, chance = Path(name), random.Random(os.getpid())  # noqa: S311 - dice, not secrets

    async def at(point: str) -> None:
        wanted, probability = _order(file)
        if wanted in {point, "*"} and chance.random() < probability and _claim(file):
            if point.endswith(".sent"):
                asyncio.get_running_loop().call_later(chance.random() * _ON_ITS_WAY, _die)
            else:
                _die()

    return at


def _order(file: Path) -> tuple[str, float]:
    """Where to die and how likely; nowhere when nobody says so."""
    try:
        point, probability = file.read_text().split()
        return point, float(probability)
    except (OSError, ValueError):
        return "", 0.0


def _claim(file: Path) -> bool:
    """Whether nobody else dies of this order."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
