"""A schema of read models for each test, in a database of the module's own."""

import uuid
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection

from infra import generations
from projections.rows import Connection
from tests.conftest import World


@pytest.fixture
async def connection(shared_world: World) -> AsyncIterator[Connection]:
    """A connection of one test."""
    async with await AsyncConnection.connect(shared_world.dsn) as connection:
        yield connection


@pytest.fixture
async def schema(connection: Connection) -> str:
    """Empty read models."""
    name = f"read_{uuid.uuid4().hex[:8]}"
    await generations.create(connection, name)
    await connection.commit()
    return name
