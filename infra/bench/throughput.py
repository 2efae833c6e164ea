"""How fast a backlog is worked through: the floor, each hop by itself, both at once in two workers, and the twin in Quix Streams.

Every program finds the same records waiting and begins when it is told; the clocks are read at that moment and when PostgreSQL has all.
Reading order: Pass, one coroutine a program, then how each is held at the start line.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aggregates.log import Entry
from infra import database, waiting
from infra.bench import usage, workers
from infra.bench.children import DONE_WITHIN, Child, child, until
from infra.bench.feed import append
from infra.bench.ground import Ground, World, customer_events, touchpoints
from infra.bench.usage import Cost, Meter, Reading, cost
from projections.positions import table as positions

HELD = "LOCK TABLE streams.outbox IN ACCESS EXCLUSIVE MODE"
"""The folding processor looks into its outbox before it begins: this holds it at the start line."""

WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'streams.outbox'::regclass AND NOT granted"


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a backlog."""

    events: int
    seconds: float
    cost: Cost
    peak: float = 0.0  # the largest RSS of any of its processes that was seen, in MB

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds


async def resolve(ground: Ground, world: World) -> Pass:
    """Resolve the world's touchpoints, in one process."""
    target = await waiting.ends(world.endpoints, touchpoints(world))
    async with (
        workers.watching(world) as connection,
        workers.paused(world) as go,
        _module(ground, world, "infra.bench.hop", "resolve") as hop,
    ):
        await until("the processor has its partitions", lambda: workers.assigned(connection, "resolve", len(target)), [hop])
        return await race(ground, [hop], go, lambda: positions.passed(connection, "resolve", target), sum(target.values()))


async def customer(ground: Ground, world: World, hop_: str = "customer", events: int | None = None) -> Pass:
    """Fold what was resolved of the world's touchpoints, in one process; `events`: how many they were, if not all that is in the log."""
    target = await waiting.ends(world.endpoints, customer_events(world))
    async with (
        workers.watching(world) as connection,
        await database.connect(world.endpoints.dsn, name="yekta-bench") as gate,
        _module(ground, world, "infra.bench.hop", hop_) as hop,
    ):
        await gate.execute(HELD)

        async def waits() -> bool:
            row = await (await connection.execute(WAITING)).fetchone()
            return row is not None and row[0] == len(target)

        await until("the processor has its partitions", waits, [hop])
        return await race(
            ground, [hop], gate.commit, lambda: positions.passed(connection, "customer", target), events or sum(target.values())
        )


async def idle(ground: Ground, world: World, done: Callable[[], Awaitable[bool]], events: int) -> Pass:
    """What the folding processor does of itself, when nothing arrives, until it is done."""
    return await until_done(ground, world, "customer", world.partitions, done, events)


async def until_done(ground: Ground, world: World, hop_: str, partitions: int, done: Callable[[], Awaitable[bool]], events: int) -> Pass:
    """What a processor with an outbox does, in one process, until it is done."""
    async with (
        await database.connect(world.endpoints.dsn, name="yekta-bench") as gate,
        workers.watching(world) as connection,
        _module(ground, world, "infra.bench.hop", hop_) as hop,
    ):
        await gate.execute(HELD)

        async def waits() -> bool:
            row = await (await connection.execute(WAITING)).fetchone()
            return row is not None and row[0] == partitions

        await until("the processor has its partitions", waits, [hop])
        return await race(ground, [hop], gate.commit, done, events)


async def floor(ground: Ground, world: World, topic: str) -> Pass:
    """Keep what was resolved in another world, as barely as can be, in this one's database."""
    events = sum((await waiting.ends(world.endpoints, topic)).values())
    async with _module(ground, world, "infra.bench.floor", topic, str(world.partitions)) as program:
        return await spoken(ground, program, events)


async def end_to_end(ground: Ground, world: World, records: Sequence[Entry]) -> Pass:
    """Both hops at once, in two workers as `yekta worker` runs them, from the log to the view."""
    async with workers.watching(world) as connection, workers.running(ground, world) as children, workers.paused(world) as go:
        await append(world, records)
        target = await waiting.ends(world.endpoints, touchpoints(world))
        return await race(ground, children, go, lambda: positions.reached(connection, target), len(records))


async def spoken(ground: Ground, program: Child, events: int) -> Pass:
    """The pass of a program that says when it is ready and when it is done."""
    await program.says("ready")
    meter = Meter(ground.engines, [program.pid])
    begin = meter.read()
    program.tell("go")
    await program.says("done", DONE_WITHIN)
    return passed(begin, meter.read(), events)


async def race(
    ground: Ground, children: Sequence[Child], go: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[bool]], events: int
) -> Pass:
    meter = Meter(ground.engines, [child.pid for child in children])
    peak = 0.0

    async def seen() -> bool:
        nonlocal peak
        peak = max(peak, *[usage.resident(child.pid) for child in children])
        return await done()

    begin = meter.read()
    await go()
    await until("all is worked through", seen, children)
    return replace(passed(begin, meter.read(), events), peak=peak)


def passed(begin: Reading, end: Reading, events: int) -> Pass:
    """The pass between two readings."""
    return Pass(events, end.at - begin.at, cost(begin, end, events))


@asynccontextmanager
async def _module(ground: Ground, world: World, module: str, *arguments: str) -> AsyncIterator[Child]:
    name = module.rpartition(".")[2]
    async with child(name, "-m", module, *arguments, environment=world.settings.environment(), logs=ground.logs) as program:
        yield program
