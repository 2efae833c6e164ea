"""Lets tests kill a worker at a named point, from inside: the one way to die between a commit and what follows it.

Nothing happens unless YEKTA_CRASH_FILE names a file and the file exists; its text is `point probability`, for instance
`resolve.committed 0.05`, with `*` for every point.
"""

import os
import random
import signal
from pathlib import Path

from streams.lane import Point, passed


def crash_points() -> Point:
    """The hook for runners."""
    name = os.environ.get("YEKTA_CRASH_FILE")
    if name is None:
        return passed
    file, chance = Path(name), random.Random(os.getpid())  # noqa: S311 - dice, not secrets

    async def at(point: str) -> None:
        wanted, probability = _order(file)
        if wanted in {point, "*"} and chance.random() < probability:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def _order(file: Path) -> tuple[str, float]:
    """Where to die and how likely; nowhere when nobody says so."""
    try:
        point, probability = file.read_text().split()
        return point, float(probability)
    except (OSError, ValueError):
        return "", 0.0
