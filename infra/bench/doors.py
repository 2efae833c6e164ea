"""How much a door takes: ours, which checks and seals, against the bare one, by the same client, in batches of 1, 20 and 100; and our
door for analytics clients against our own, with the same events.

Reading order: SIZES, take.
"""

from dataclasses import dataclass

from infra.bench import dialect
from infra.bench.client import load, percentile, post
from infra.bench.feed import JSON, bodies
from infra.bench.ground import Ground
from infra.bench.serving import Api, Server
from infra.bench.throughput import Pass, passed
from infra.bench.usage import Meter
from infra.bench.workload import Mix

SIZES = {1: 0.02, 20: 0.1, 100: 0.3}
"""How large batches are, and which share of a measurement's events is sent in such."""

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Taken:
    """What a door took, and how long its answers took, in milliseconds."""

    load: Pass
    p50: float
    p99: float


async def take(ground: Ground, door: Server, mix: Mix, size: int, events: int, *, segment: bool = False) -> Taken:
    """Post about so many events in batches of one size over 16 connections, each with one request on its way."""
    key = door.write_key if isinstance(door, Api) else ""
    count = max(CONNECTIONS, events // size)
    if segment:
        requests = [post("/v1/batch", body, "application/json", key) for body in dialect.bodies(mix, count, size)]
    else:
        requests = [post("/v1/events" if key else "/events", body, JSON, key) for body in bodies(mix, count, size)]
    meter = Meter(ground.engines, [door.process.pid])
    begin = meter.read()
    answers = await load(door.port, requests, CONNECTIONS)
    end = meter.read()
    door.process.check()
    milliseconds = [latency * 1000 for latency in answers.latencies]
    return Taken(passed(begin, end, count * size), percentile(milliseconds, 50), percentile(milliseconds, 99))
