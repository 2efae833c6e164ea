"""What `yekta status` tells: engines, how far each processor is behind, how old what people see is, and how much is kept.

Reading order: status, Status.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg

from infra import database, run_state
from infra.endpoints import Endpoints, endpoints
from infra.errors import Refusal
from infra.home import Home
from infra.settings import Settings
from infra.topic_ids import UNANSWERED, NoAnswerError, ask
from infra.waiting import dying, ends
from projections import generation

HOPS = {
    "inbox": "inbox",
    "resolve": "touchpoints",
    "customer": "customer-events",
    "letters": "dead-letters",
    "calls": "touchpoints",
    "arrivals": "touchpoints",
}
"""The topic that each processor reads."""

RATE_OVER = 1.0  # seconds between two looks at the positions
PATIENCE = 3.0  # seconds in which Kafka answers a question


class Engine(msgspec.Struct, frozen=True):
    """One of the two engines."""

    up: bool
    at: str
    why: str = ""  # it is not up


class Hop(msgspec.Struct, frozen=True):
    """One processor over all its partitions."""

    lag: int | None  # records; None: Kafka does not say where its topics end
    rate: float  # records a second, over the last second
    idle_seconds: float | None  # since its position last moved
    halted: tuple[str, ...]  # why partitions stand still, or where workers die again and again
    let_go: int = 0  # records that the topic's retention took before they were read
    let_go_at: datetime | None = None  # when that was last found out


class Status(msgspec.Struct, frozen=True):
    """Everything, as `--json` prints it."""

    kafka: Engine
    postgres: Engine
    processes: dict[str, bool]  # name, and whether it runs
    hops: dict[str, Hop]
    view_age_seconds: float | None  # how long what is not visible yet has waited; 0: everything is; None: not known
    customers: int | None  # None, as the next: PostgreSQL does not say
    events: int | None
    dead_letters: int | None
    read_models: str | None
    rebuild_wanted: bool | None = None  # whether the read models were made by a release whose folds say something else

    @property
    def well(self) -> bool:
        """Whether nothing needs a person."""
        return self.kafka.up and self.postgres.up and all(self.processes.values()) and not any(hop.halted for hop in self.hops.values())


async def status(settings: Settings) -> Status:
    """Look at everything once, and at the positions twice."""
    here = endpoints(settings)
    kafka = await _kafka(here)
    processes = {name: child.runs() for name, child in run_state.read(Home(settings.home).run_state).children.items()}
    try:
        async with await database.connect(here.dsn, name="yekta-status", autocommit=True) as connection:
            hops, age = await _hops(connection, here, settings.kafka.prefix, kafka_up=kafka.up)
            counts = await _counts(connection)
            schema = await generation.live(connection)
            outdated = await generation.outdated(connection, schema)
    except (Refusal, psycopg.OperationalError) as error:
        said = error.__cause__ if isinstance(error, Refusal) else error
        why = database.reason(said) if isinstance(said, psycopg.Error) else ""
        return Status(kafka, Engine(False, database.place(here.dsn), why), processes, {}, None, None, None, None, None)
    return Status(kafka, Engine(True, database.place(here.dsn)), processes, hops, age, *counts, schema, outdated)


async def rebuild_wanted(here: Endpoints) -> bool:
    """Whether the read models in force were made by a release whose folds say something else."""
    async with await database.connect(here.dsn, name="yekta-status", autocommit=True) as connection:
        return await generation.outdated(connection, await generation.live(connection))


async def _kafka(here: Endpoints) -> Engine:
    try:
        await ask(here.kafka_client_kwargs, within=PATIENCE)
    except NoAnswerError as error:
        return Engine(False, here.bootstrap_servers, str(error))
    return Engine(True, here.bootstrap_servers)


async def _hops(connection: Any, here: Endpoints, prefix: str, *, kafka_up: bool) -> tuple[dict[str, Hop], float | None]:
    first, began = await _rows(connection), time.monotonic()
    tops = {name: await _ends(here, prefix + topic) if kafka_up else None for name, topic in HOPS.items()}
    await asyncio.sleep(max(0.0, RATE_OVER - (time.monotonic() - began)))
    second, took = await _rows(connection), time.monotonic() - began
    now = datetime.now(UTC)
    dead = await dying(connection)
    hops: dict[str, Hop] = {}
    for name in HOPS:
        at = {partition: row[0] for (processor, partition), row in second.items() if processor == name}
        before = {partition: row[0] for (processor, partition), row in first.items() if processor == name}
        moved = [row[1] for (processor, _), row in second.items() if processor == name]
        top = tops[name]
        hops[name] = Hop(
            None if top is None else sum(max(0, end - at.get(partition, 0)) for partition, end in top.items()),
            round(sum(offset - before.get(partition, offset) for partition, offset in at.items()) / took, 1),
            round((now - max(moved)).total_seconds(), 1) if moved else None,
            (*(row[3] for (processor, _), row in second.items() if processor == name and row[3]), *dead.get(name, ())),
            sum(row[4] for (processor, _), row in second.items() if processor == name),
            max((row[5] for (processor, _), row in second.items() if processor == name and row[5]), default=None),
        )
    newest = [row[2] for (processor, _), row in second.items() if processor == "customer" and row[2]]
    lags = (hops["resolve"].lag, hops["customer"].lag)
    if None not in lags and not any(lags):
        return hops, 0.0
    known = None not in lags and newest
    return hops, round((now - max(newest)).total_seconds(), 1) if known else None


async def _rows(connection: Any) -> dict[tuple[str, int], tuple[int, datetime, datetime | None, str, int, datetime | None]]:
    cursor = await connection.execute(
        "SELECT processor, partition, next_offset, progress_at, newest, halted, let_go, let_go_at FROM streams.positions"
    )
    return {(row[0], row[1]): row[2:] for row in await cursor.fetchall()}


async def _ends(here: Endpoints, topic: str) -> dict[int, int] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ends(here, topic) or None
    except UNANSWERED:
        return None


async def _counts(connection: Any) -> tuple[int, int, int]:
    schema = await generation.live(connection)
    cursor = await connection.execute(
        f"SELECT (SELECT count(*) FROM {schema}.view), (SELECT coalesce(sum(events), 0)::bigint FROM {schema}.view),"
        " (SELECT count(*) FROM letters.letters WHERE status = 'open')"
    )
    row = await cursor.fetchone()
    return row[0], row[1], row[2]
