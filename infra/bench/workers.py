"""Workers as `yekta worker` runs them, and how a measurement holds them back, lets them go and sees where they are.

Reading order: running, paused, watching, assigned.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest_v2
from aiokafka.protocol.api import Request

from infra import database
from infra.bench.children import Child, child, until
from infra.bench.ground import Ground, World
from projections.positions import table as positions
from projections.rows import Connection

HOW_MANY = 2
GROUPS = ("resolve", "customer")


@asynccontextmanager
async def running(ground: Ground, world: World, how_many: int = HOW_MANY) -> AsyncIterator[list[Child]]:
    """Worker processes that share the partitions of an empty world."""
    async with AsyncExitStack() as stack:
        children = []
        for number in range(1, how_many + 1):
            name = f"worker-{number}"
            arguments = ("-m", "infra.cli", "worker", "--name", name)
            one = child(name, *arguments, environment=world.settings.environment(), logs=ground.logs)
            children.append(await stack.enter_async_context(one))
        admin = AIOKafkaAdminClient(**world.endpoints.kafka_client_kwargs)
        await admin.start()
        try:
            await until("the workers share the partitions", lambda: _shared(admin, world, how_many), children, look=0.2)
        finally:
            await admin.close()
        yield children


class _Describe(Request[DescribeGroupsRequest_v2]):  # type: ignore[misc]  # aiokafka is untyped
    """What groups are like. aiokafka's own asks in version 3 and reads the answer as if it were in version 2."""

    API_KEY = DescribeGroupsRequest_v2.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequest_v2]) -> DescribeGroupsRequest_v2:
        return request_struct_class([self._group])


async def _shared(admin: Any, world: World, members: int) -> bool:
    """Whether every group has come to rest with so many members."""
    for name in GROUPS:
        group = world.prefix + name
        try:
            answer = await admin._send_request_to_node(await admin.find_coordinator(group), _Describe(group))
        except KafkaError as error:
            if not error.retriable:
                raise
            return False  # a broker that is new makes its topic of groups at the first question
        _, _, state, _, _, found = answer.groups[0]
        if state != "Stable" or len(found) != members:
            return False
    return True


@asynccontextmanager
async def paused(world: World) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Resolving waits until what is yielded is called."""
    async with await database.connect(world.endpoints.dsn, name="yekta-bench", autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (positions.PAUSE,))

        async def go() -> None:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (positions.PAUSE,))

        yield go


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[Connection]:
    """A connection to look at positions with."""
    async with await database.connect(world.endpoints.dsn, name="yekta-bench", autocommit=True) as connection:
        yield connection


async def assigned(connection: Connection, processor: str, partitions: int) -> bool:
    """Whether the processor has got all its partitions."""
    return len(await positions.positions(connection, processor)) == partitions
