"""Both hops on a real PostgreSQL, over a log in memory: workers die at every point, live on as zombies, and retries come at any time.

`--histories N` plays N of them, the first with `--seed S`. One that fails says its seed; `--histories 1` with it plays that one again.
"""

import pytest

from infra.sealing import KeyRing
from tests.streams.crew import Connections
from tests.streams.history import History

pytestmark = pytest.mark.engines


async def test_every_acknowledged_event_counts_once(pool: Connections, keys: KeyRing, histories: int, seed: int) -> None:
    for number in range(histories):
        history = History(number, seed + number, pool, keys)
        try:
            await history.play()
        except BaseException as error:
            error.add_note(f"history with --seed {seed + number}: {history}")
            raise
