"""What operators and their machines ask: is it alive, is it ready, how is it doing. No key is needed, and nothing is said of a customer.

Reading order: router, Readiness, _lag.
"""

import msgspec
import psycopg
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from psycopg_pool import PoolTimeout

from aggregates.log import NotAcknowledged
from api import openapi
from api.answers import json
from api.metrics import REGISTRY
from api.ports import Dependencies
from projections.positions import lag, stalls


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether the door can accept, and what it stands on."""

    status: str  # ready, or not_ready
    kafka: bool
    keys: bool  # the keys of senders are in memory
    data_keys: int  # how many more subjects can be sealed with PostgreSQL away
    postgres: bool  # false: events are accepted, the views cannot be read
    halted: list[str] | None  # what stands still until a person has helped, like customer-2; null: not known without PostgreSQL


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of operators."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz", openapi_extra=openapi.described("curl $YEKTA/healthz", Alive, public=True))
    async def healthz() -> Response:
        """Whether the process runs."""
        return json(Alive())

    ready = openapi.described("curl $YEKTA/readyz", Readiness, public=True)
    ready["responses"]["503"] = ready["responses"]["200"] | {"description": "Not ready."}

    @routes.get("/readyz", openapi_extra=ready)
    async def readyz() -> Response:
        """Whether events can be accepted. PostgreSQL, and what stands still behind the door, are told of; the door needs neither."""
        halted = await _halted(dependencies)
        kafka = await dependencies.log.reachable()
        able = kafka and dependencies.ring.loaded and dependencies.secrets.free > 0
        state = Readiness(
            "ready" if able else "not_ready",
            kafka,
            dependencies.ring.loaded,
            dependencies.secrets.free,
            halted is not None,
            halted,
        )
        return json(state, 200 if able else 503)

    @routes.get("/metrics", openapi_extra=openapi.described("curl $YEKTA/metrics", {"type": "string"}, public=True, media="text/plain"))
    async def metrics() -> Response:
        """Counters, latencies, lag per partition and the age of the views, for Prometheus."""
        return Response(generate_latest(REGISTRY) + generate_latest(await _lag(dependencies)), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _halted(dependencies: Dependencies) -> list[str] | None:
    """Processors and partitions that stand still: `yekta status` says why. None when PostgreSQL does not answer, or is not migrated."""
    try:
        async with dependencies.pool.connection(timeout=1) as connection:
            return [f"{place.processor}-{place.partition}" for place in await lag.places(connection) if place.halted]
    except (psycopg.OperationalError, psycopg.ProgrammingError, PoolTimeout):
        return None


async def _lag(dependencies: Dependencies) -> CollectorRegistry:
    """How far each processor is behind; nothing when an engine is away, for a wrong number is worse than none."""
    registry = CollectorRegistry()
    behind = Gauge("yekta_lag", "Records of the log that a processor has not handled.", ["processor", "partition"], registry=registry)
    age = Gauge(
        "yekta_view_age_seconds", "Age of what the views show, by partition; 0 when nothing waits.", ["partition"], registry=registry
    )
    let_go = Counter(
        "yekta_let_go",
        "Records that Kafka's retention took before they were read.",
        ["processor", "partition"],
        registry=registry,
    )
    halted = Gauge(
        "yekta_halted", "1 where a partition stands still until a person has helped.", ["processor", "partition"], registry=registry
    )
    stalled = Counter(
        "yekta_stalled",
        "Times that a worker ended because its Kafka client hung, by what it got nothing of; partition -1: it was not in its group.",
        ["processor", "partition"],
        registry=registry,
    )
    try:
        async with dependencies.pool.connection(timeout=1) as connection:
            places = await lag.places(connection)
            for (processor, partition), times in (await stalls.counted(connection)).items():
                stalled.labels(processor, str(partition)).inc(times)
        ends = await dependencies.log.ends(sorted({place.topic for place in places}))
    except (psycopg.OperationalError, PoolTimeout, NotAcknowledged):
        return registry
    now = dependencies.clock()
    for place in places:
        waiting = max(0, ends.get((place.topic, place.partition), place.next_offset) - place.next_offset)
        behind.labels(place.processor, str(place.partition)).set(waiting)
        halted.labels(place.processor, str(place.partition)).set(place.halted)
        if place.let_go:
            let_go.labels(place.processor, str(place.partition)).inc(place.let_go)
        if place.processor == "customer":
            old = (now - place.newest).total_seconds() if waiting and place.newest else 0.0
            age.labels(str(place.partition)).set(max(0.0, old))
    return registry
