"""The fixtures of the tests of both hops, and of those of the API."""

from tests.api.conftest import live
from tests.streams.conftest import connection, dsn, ground, histories, keys, pool

__all__ = ["connection", "dsn", "ground", "histories", "keys", "live", "pool"]
