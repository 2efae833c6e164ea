"""What does not depend on the customer is read once for all open pages that changed before, and anew for one that changed since."""

from typing import Any, cast

from api.ports import Dependencies
from api.watching import Mark, Watching
from projections.alike import Alike
from projections.rows import Connection

CONNECTION = cast("Connection", None)


class Costs:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.read = 0

    async def of(self, connection: Connection, *, replayed: bool = False) -> tuple[int, bool]:
        assert connection is CONNECTION
        self.read += 1
        return self.read, replayed


def watching() -> Watching:
    return Watching(cast("Dependencies", cast("Any", None)))


async def test_a_reading_is_asked_for_once() -> None:
    costs, alike = Costs(), Alike()
    reading = costs.of
    assert await alike.read(reading, CONNECTION) == await alike.read(reading, CONNECTION) == (1, False)
    assert await alike.read(reading, CONNECTION, replayed=True) == (2, True)
    assert await Alike().read(reading, CONNECTION) == (3, False)


def test_pages_that_changed_before_share_what_is_read() -> None:
    pages, one, other = watching(), Mark(None), Mark(None)
    pages.stir(one)
    pages.stir(other)
    assert pages.alike(one) is pages.alike(other)


def test_a_page_that_changed_since_is_told_by_what_is_read_since() -> None:
    pages, one, other = watching(), Mark(None), Mark(None)
    pages.stir(one)
    before = pages.alike(one)
    pages.stir(other)
    assert pages.alike(other) is not before
    assert pages.alike(one) is pages.alike(other), "who changed earlier may be told by what is newer"
