"""A small installation as it runs: an API process, two workers and customers with a history; and the bare server to compare with.

Reading order: Living, living, memory.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregates.log import Entry
from infra import waiting
from infra.bench import serving, usage, workers
from infra.bench.children import Child, until
from infra.bench.feed import append
from infra.bench.ground import Ground, World, touchpoints
from infra.bench.serving import Api, Server
from projections.positions import table as positions

CUSTOMERS = 2_000
"""So many are read, chosen by the hash of their ids."""


@dataclass(frozen=True, slots=True)
class Living:
    """The installation."""

    world: World
    api: Api
    bare: Server
    workers: Sequence[Child]
    customers: Sequence[str]


@asynccontextmanager
async def living(ground: Ground, like: World, records: Sequence[Entry]) -> AsyncIterator[Living]:
    """Everything runs, and the records are in the views."""
    async with ground.world(like=like) as world, workers.running(ground, world) as children, workers.watching(world) as connection:
        await append(world, records)
        target = await waiting.ends(world.endpoints, touchpoints(world))
        await until("all is in the views", lambda: positions.reached(connection, target), children)
        cursor = await connection.execute(
            "SELECT customer_id::text FROM read_1.view ORDER BY md5(customer_id::text) LIMIT %s", (CUSTOMERS,)
        )
        customers = [str(row[0]) for row in await cursor.fetchall()]
        async with serving.api(ground, world) as api, serving.bare(ground, world) as bare:
            yield Living(world, api, bare, children, customers)


def memory(ground: Ground, here: Living) -> Mapping[str, tuple[float, float]]:
    """Of each process, and of each engine with its children: the largest RSS, and the memory with what is shared counted once; in MB."""
    pids = {"api": here.api.process.pid} | {child.name: child.pid for child in here.workers} | dict(ground.engines)
    return {name: usage.memory(pid) for name, pid in pids.items()}
