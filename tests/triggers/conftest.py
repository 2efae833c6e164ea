"""The fixtures of the tests of both hops."""

from tests.streams.conftest import connection, dsn, ground, histories, keys, pool, seed

__all__ = ["connection", "dsn", "ground", "histories", "keys", "pool", "seed"]
