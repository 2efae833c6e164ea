"""Runs the experiments in rounds, A and B in turn within each, so that what others do on the machine meets both.

Reading order: Plan, run, then one coroutine an experiment.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from infra import database
from infra.bench import (
    bursts,
    desks,
    doors,
    growth,
    identities,
    living,
    quix,
    reading,
    report,
    rows,
    ruling,
    scoring,
    serving,
    throughput,
    visible,
    webhooks,
)
from infra.bench.feed import Prepared, append, prepare
from infra.bench.ground import Ground, World, customer_events
from infra.bench.resolved import Resolved
from infra.bench.rows import Samples
from infra.bench.workload import Mix

SEED = 20
WANTS = {
    "floor": ("resolve",),
    "resolve": (),
    "customer": ("resolve",),
    "rules": ("resolve",),
    "churn": ("resolve",),
    "timers": ("resolve", "rules"),
    "end-to-end": (),
    "quix": ("resolve",),
    "door": (),
    "visible": (),
    "webhook": (),
    "burst": (),
    "desk": (),
    "view": (),
    "memory": (),
    "growth": (),
    "identity": (),
}
"""The measurements by name, and those that one needs the results of."""

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and how thoroughly."""

    only: frozenset[str] = frozenset(WANTS)
    rounds: int = 5
    events: int = 60_000
    labels: int = 20_000  # that the learner learns in a round
    silent: int = 20_000  # customers that a new champion scores anew
    examples: int = 80_000  # that wait for their labels
    sizes: Sequence[int] = (10_000, 100_000)
    stretch: int = 10_000  # events that are measured at each size
    seconds: float = 6.0  # of one round of `visible`
    reads: int = 400
    desks: int = 200  # that are open while it rings
    rings: int = 60
    split: int = 10_000  # events of the customer that is split
    pending: int = 1_000_000  # timers that wait
    burst: int = 100_000  # timers that are due at once
    history: int = 20_000  # events in the store while people read
    interpreter: Path = quix.INTERPRETER

    @property
    def names(self) -> frozenset[str]:
        """What is measured, with what that needs."""
        return self.only | {needed for name in self.only for needed in WANTS[name]}


async def run(ground: Ground, plan: Plan, on_step: OnStep = lambda _: None) -> report.Report:
    """Measure all that is planned. `on_step` hears what begins."""
    begin, machine = time.monotonic(), report.machine()
    mix = Mix(SEED)
    samples = Samples()
    on_step("preparing the workload")
    async with prepare(
        ground, mix, max(plan.events + plan.events // 2 if "churn" in plan.names else plan.events, plan.history)
    ) as prepared:
        workload = _workload(mix, plan, prepared)
        await _throughput(ground, plan, prepared, samples, on_step)
        if "door" in plan.names:
            await _doors(ground, plan, samples, on_step)
        if plan.names & {"view", "visible", "webhook", "burst", "desk", "memory"}:
            await _living(ground, plan, prepared, samples, on_step)
    if "identity" in plan.names:
        await _identity(ground, plan, samples, on_step)
    if "growth" in plan.names:
        await _growth(ground, plan, samples, on_step)
    return report.Report(
        machine=machine,
        versions=report.versions(await _engines(ground)),
        workload=workload,
        rounds=plan.rounds,
        seconds=round(time.monotonic() - begin, 1),
        rows=rows.rows(samples),
    )


async def _throughput(ground: Ground, plan: Plan, prepared: Prepared, samples: Samples, on_step: OnStep) -> None:
    names = plan.names & {"floor", "resolve", "customer", "rules", "timers", "churn", "end-to-end", "quix"}
    if "quix" in names and (why := await quix.missing(ground, plan.interpreter)):
        samples.skipped["quix"], names = why, names - {"quix"}
    records = prepared.records[: plan.events]
    for nth in range(plan.rounds):
        if "end-to-end" in names and nth % 2:
            await _end_to_end(ground, plan, prepared, samples, on_step, nth)
        if "resolve" in names:
            async with ground.world(like=prepared.world) as world:
                await append(world, records)
                on_step(f"resolve, {_round(nth, plan)}")
                samples.add("resolve", await throughput.resolve(ground, world))
                if names & {"rules", "churn", "timers"}:
                    resolved = await Resolved.of(world, records)
                    await _copied(ground, plan, names, resolved, prepared, samples, on_step, nth)
                await _folding(ground, plan, names, world, samples, on_step, nth)
        if "end-to-end" in names and not nth % 2:
            await _end_to_end(ground, plan, prepared, samples, on_step, nth)


async def _copied(
    ground: Ground,
    plan: Plan,
    names: frozenset[str],
    resolved: Resolved,
    prepared: Prepared,
    samples: Samples,
    on_step: OnStep,
    nth: int,
) -> None:
    """What folds in copies of the resolved world, before anybody folds in itself."""
    if "rules" in names:
        await _ruled(ground, plan, resolved, samples, on_step, nth)
    if "churn" in names:
        await _scored(ground, plan, resolved, prepared, samples, on_step, nth)
    if "timers" in names:
        await _pending(ground, plan, resolved, samples, on_step, nth)


async def _folding(ground: Ground, plan: Plan, names: frozenset[str], world: World, samples: Samples, on_step: OnStep, nth: int) -> None:
    """What reads the customer events that resolving the world has published."""
    topic = customer_events(world)
    if "customer" in names:
        on_step(f"customer, {_round(nth, plan)}")
        samples.add("customer", await throughput.customer(ground, world))
    if "floor" in names:
        on_step(f"the floor, {_round(nth, plan)}")
        async with ground.world() as apart:
            samples.add("floor", await throughput.floor(ground, apart, topic))
    if "quix" in names:
        on_step(f"Quix Streams, {_round(nth, plan)}")
        async with ground.world() as apart:
            samples.add("quix", await quix.twin(ground, apart, topic, plan.interpreter))


async def _ruled(ground: Ground, plan: Plan, resolved: Resolved, samples: Samples, on_step: OnStep, nth: int) -> None:
    for count in ruling.COUNTS[:: -1 if nth % 2 else 1]:
        on_step(f"customer with {count} rules, {_round(nth, plan)}")
        samples.add(f"rules-{count}", await _with_rules(ground, resolved, count))


async def _pending(ground: Ground, plan: Plan, resolved: Resolved, samples: Samples, on_step: OnStep, nth: int) -> None:
    on_step(f"customer while {plan.pending:,} timers wait, {_round(nth, plan)}")
    samples.pending = plan.pending
    samples.add("timers-pending", await _with_rules(ground, resolved, bursts.RULES, plan.pending))


async def _with_rules(ground: Ground, resolved: Resolved, count: int, timers: int = 0) -> throughput.Pass:
    async with resolved.copy(ground) as world:
        await ruling.in_force(world, count)
        if timers:
            await bursts.pending(world, timers)
        return await throughput.customer(ground, world)


async def _scored(ground: Ground, plan: Plan, resolved: Resolved, prepared: Prepared, samples: Samples, on_step: OnStep, nth: int) -> None:
    on_step(f"the learner, {_round(nth, plan)}")
    samples.learning.append(scoring.learner(plan.labels))
    learnt, more = samples.learning[-1].learner, prepared.records[plan.events : plan.events + plan.events // 2]
    for name in ("churn-none", "churn")[:: -1 if nth % 2 else 1]:
        async with resolved.copy(ground) as world:
            on_step(f"customer {'with' if name == 'churn' else 'without'} scores, {_round(nth, plan)}")
            if name == "churn":
                await scoring.champion(world, learnt)
            hop = "customer" if name == "churn" else scoring.WITHOUT
            samples.add(name, await throughput.customer(ground, world, hop))
            on_step(f"the same where half are known, {_round(nth, plan)}")
            await append(world, more)
            await throughput.resolve(ground, world)
            samples.add(f"{name}-known", await throughput.customer(ground, world, hop, len(more)))
    async with ground.world() as world:
        on_step(f"a new champion, {_round(nth, plan)}")
        samples.add("churn-again", await scoring.again(ground, world, learnt, plan.silent))
    if not nth:  # memory does not differ from round to round
        async with ground.world() as world:
            on_step(f"a new champion of {plan.silent // 4:,} customers")
            samples.add("churn-again-few", await scoring.again(ground, world, learnt, plan.silent // 4))
        for name, count in (("churn-examples-few", plan.examples // 4), ("churn-examples", plan.examples)):
            async with ground.world() as world:
                on_step(f"{count:,} examples that wait for their labels")
                samples.add(name, await scoring.remembered(ground, world, count))


async def _end_to_end(ground: Ground, plan: Plan, prepared: Prepared, samples: Samples, on_step: OnStep, nth: int) -> None:
    on_step(f"end to end, {_round(nth, plan)}")
    async with ground.world(like=prepared.world) as world:
        samples.add("end-to-end", await throughput.end_to_end(ground, world, prepared.records[: plan.events]))


async def _doors(ground: Ground, plan: Plan, samples: Samples, on_step: OnStep) -> None:
    mix = Mix(SEED + 1)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(ground.world())
        api = await stack.enter_async_context(serving.api(ground, world))
        bare = await stack.enter_async_context(serving.bare(ground, world))
        for nth in range(plan.rounds):
            for size, share in doors.SIZES.items():
                events = int(plan.events * share)
                ours = ("door", "segment-door") if nth % 2 else ("segment-door", "door")  # leasing data keys is not always the same one's
                for name, door in ((ours[0], api), (ours[1], api), ("bare-door", bare)):
                    on_step(f"{name} at batch {size}, {_round(nth, plan)}")
                    taken = await doors.take(ground, door, mix, size, events, segment=name == "segment-door")
                    samples.take(f"{name}-{size}", taken)


async def _living(ground: Ground, plan: Plan, prepared: Prepared, samples: Samples, on_step: OnStep) -> None:
    mix = Mix.after(plan.history, SEED)
    on_step("an API, two workers and customers")
    async with living.living(ground, prepared.world, prepared.records[: plan.history]) as here:
        if plan.names & {"visible", "webhook", "burst", "desk"}:
            on_step("how much the whole installation keeps up with")
            samples.capacity = await visible.capacity(here, mix, plan.history)
        for nth in range(plan.rounds):
            if "view" in plan.names:
                on_step(f"reading views, {_round(nth, plan)}")
                samples.reads.append(await reading.read(here, plan.reads))
            if "visible" in plan.names:
                on_step(f"from POST to the view, {_round(nth, plan)}")
                samples.seen.append(await visible.visible(here, mix, samples.capacity / 2, plan.seconds, nth))
                on_step(f"from POST to the view while people merge, {_round(nth, plan)}")
                names = identities.Names(SEED + nth, joining=True)
                samples.merging.append(await visible.visible(here, names, samples.capacity / 2, plan.seconds, plan.rounds + nth))
            if "desk" in plan.names:
                on_step(f"rings while {plan.desks} desks are open, {_round(nth, plan)}")
                samples.desks.append(await desks.measure(here, mix, samples.capacity / 2, plan.desks, plan.rings, nth))
        if "memory" in plan.names:
            samples.memory = living.memory(ground, here)
        if "webhook" in plan.names:
            async with webhooks.listening(here) as receiver:
                for nth in range(plan.rounds):
                    on_step(f"from POST to a webhook, {_round(nth, plan)}")
                    half = samples.capacity / 2
                    samples.received.append(await webhooks.received(here, receiver, mix, half, plan.seconds, nth))
        if "burst" in plan.names:
            on_step(f"{plan.burst:,} timers at once")
            samples.burst = await bursts.burst(here, mix, plan.burst, samples.capacity)


async def _identity(ground: Ground, plan: Plan, samples: Samples, on_step: OnStep) -> None:
    for nth in range(plan.rounds):
        for name in ("identity-plain", "identity") if nth % 2 else ("identity", "identity-plain"):
            on_step(f"{name}, {_round(nth, plan)}")
            samples.add(name, await identities.resolving(ground, SEED, plan.events, joining=name == "identity"))
    on_step("a split")
    samples.split = (plan.split, await identities.split(ground, plan.split))


async def _growth(ground: Ground, plan: Plan, samples: Samples, on_step: OnStep) -> None:
    on_step("filling the store")
    async for step in growth.grow(ground, Mix(SEED), plan.sizes, plan.stretch, lambda held: on_step(f"{held:,} events in the store")):
        samples.steps.append(step)


def _round(nth: int, plan: Plan) -> str:
    return f"round {nth + 1} of {plan.rounds}"


def _workload(mix: Mix, plan: Plan, prepared: Prepared) -> report.Workload:
    sample = Mix(SEED).take(2_000)
    return report.Workload(
        seed=SEED,
        events=plan.events,
        customers=mix.customers,
        merges=mix.merges,
        types=dict(mix.types),
        event_bytes=round(sum(len(msgspec.json.encode(event)) for event in sample) / len(sample), 1),
        record_bytes=round(sum(len(value) for _, value, _ in prepared.records) / len(prepared.records), 1),
    )


async def _engines(ground: Ground) -> dict[str, str]:
    async with await database.connect(ground.endpoints.dsn) as connection:
        row = await (await connection.execute("SHOW server_version")).fetchone()
    return {"postgresql": str(row[0]) if row else ""}
