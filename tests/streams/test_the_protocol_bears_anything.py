"""Both hops as a model, thousands of times: every interleaving of steps, kills, zombies, retries, stale caches, merges that cross."""

import pytest

from tests.streams.model.play import History


def test_in_every_history_each_event_counts_once(seed: int, request: pytest.FixtureRequest) -> None:
    deaths = merges = 0
    for number in range(30 * int(request.config.getoption("--histories"))):
        history = History(seed + number)
        try:
            history.play()
            history.check()
        except BaseException as error:
            error.add_note(f"--seed {seed + number}")
            raise
        deaths += history.deaths
        merges += bool(history.store.moved)
    assert deaths > 0
    assert merges > 0
