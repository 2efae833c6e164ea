"""The fixtures of the tests of both hops, and of those of the API; and somebody who writes rules over HTTP."""

import pytest

from tests.api.conftest import Api, live
from tests.streams.conftest import connection, dsn, ground, histories, keys, pool
from tests.triggers.marketer import Marketer

__all__ = ["connection", "dsn", "ground", "histories", "keys", "live", "pool"]


@pytest.fixture(scope="module")
async def marketer(live: Api) -> Marketer:
    """A marketer of the module's world."""
    return await Marketer.of(live)
