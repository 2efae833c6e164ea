"""Whether an event costs more when the store holds more: two workers, and the same number of events at each size of it.

Reading order: Step, grow.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from infra import waiting
from infra.bench import workers
from infra.bench.children import Child
from infra.bench.feed import Feed, append
from infra.bench.ground import Ground, World, touchpoints
from infra.bench.throughput import Pass, race
from infra.bench.workload import Mix
from projections.positions import table as positions

STRIDE = 20_000
"""Events that are appended at a time on the way to a size."""


@dataclass(frozen=True, slots=True)
class Step:
    """What events cost when the store held so many before."""

    size: int
    load: Pass


async def grow(ground: Ground, mix: Mix, sizes: Sequence[int], events: int, on_size: Callable[[int], None]) -> AsyncIterator[Step]:
    """Fill a world to each size in turn, and measure the next so many events there. `on_size` hears of the way."""
    async with ground.world() as world, workers.running(ground, world) as children:
        feed, held = await Feed.of(world, mix), 0
        for size in sizes:
            while held < size:
                some = min(STRIDE, size - held)
                await _work(ground, world, children, feed, some)
                held += some
                on_size(held)
            yield Step(size, await _work(ground, world, children, feed, events))
            held += events


async def _work(ground: Ground, world: World, children: Sequence[Child], feed: Feed, events: int) -> Pass:
    records = await feed.take(events)
    async with workers.watching(world) as connection, workers.paused(world) as go:
        await append(world, records)
        target = await waiting.ends(world.endpoints, touchpoints(world))
        return await race(ground, children, go, lambda: positions.reached(connection, target), events)
