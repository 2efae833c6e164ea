"""The worker's process: a Faust app that hosts one runner per processor and ends when one of them cannot go on.

Faust gives the process its life: start, stop, signals, timers, services. The record loops are not agents: an exception in an agent is
logged and the event acknowledged all the same, and an agent that does nothing takes 7,500 events/s where `getmany` takes 200,000
(docs/decisions/0003-runners-not-agents.md). Reading order: build, RunnerService.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import faust
import structlog
from faust.exceptions import ConsumerNotStarted
from faust.tables import TableManager
from mode import Service

from streams.stillness import Mark

log = structlog.get_logger()


class Running(Protocol):
    """What runs until it is cancelled: a runner, the relay."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    async def run(self) -> None:
        """Run until cancelled; an error that is raised must end the process."""
        ...


class RunnerService(Service):
    """One of them as a service of the app."""

    def __init__(self, make: Callable[[], Awaitable[Running]], failed: Callable[[BaseException], None], **options: Any) -> None:
        super().__init__(**options)
        self._make, self._failed = make, failed
        self._running: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        runner = await self._make()
        self._running = asyncio.create_task(runner.run(), name=runner.name)
        self._running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def on_stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])


NO_AGENTS: Mapping[str, "Take"] = MappingProxyType({})


class NoTables(TableManager):
    """Faust waits a second for tables that may still be declared; there are none, and every start would be a second longer."""

    async def sleep(self, n: Any) -> None:
        del n


class Worker(faust.App):
    """A Faust app whose dependencies are the runners."""

    runners: Sequence[Service] = ()
    taking = 0  # agents that have records in their hands

    def waiting(self, topic: str) -> dict[int, Mark] | None:
        """In which partitions of a topic agents wait for Kafka, and for nothing else; None when they have none, and rest."""
        if self.taking:
            return {}
        consumer: Any = self.consumer  # what it has committed it tells nobody
        try:
            mine = [place for place in consumer.assignment() if place.topic == topic]
        except ConsumerNotStarted:
            return None
        return {place.partition: Mark(settled=consumer._committed_offset[place] or 0) for place in mine} or None

    def on_init_dependencies(self) -> Any:
        return [*super().on_init_dependencies(), *self.runners]

    async def on_stop(self) -> None:
        """Faust would stop one after the other, and each may have to wait: for Kafka, if it is away."""
        await asyncio.gather(*(runner.stop() for runner in self.runners))
        await super().on_stop()


Take = Callable[[Sequence[bytes]], Awaitable[None]]
"""What an agent does with records. It must not raise: Faust acknowledges the records all the same."""

AT_ONCE, WITHIN = 200, 0.025
"""How many records an agent takes together, and how many seconds it waits for them: one transaction each would be the pace of a flood.

Faust looks that often whether any came, also where none do: every 10 ms that was a third of what an idle worker did."""


def build(
    broker: str,
    makers: Sequence[Callable[[], Awaitable[Running]]],
    failed: Callable[[BaseException], None],
    credentials: Any = None,
    *,
    folder: Path,
    prefix: str = "",
    client: str = "yekta",
    agents: Mapping[str, Take] = NO_AGENTS,
) -> Any:
    """The app; Faust makes a folder of its own in `folder`, and the group of its agents knows it as `client`.

    `failed` hears of a runner that ended by itself and must end the process; an agent that raises ends it too.
    """
    app = Worker(
        f"{prefix}yekta",
        broker=f"kafka://{broker.replace(',', ';')}",
        broker_credentials=credentials,
        broker_client_id=client,
        store="memory://",
        TableManager=NoTables,
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
        broker_rebalance_timeout=15,
        broker_request_timeout=30,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.runners = [RunnerService(make, failed) for make in makers]
    app.producer_only = not agents  # Faust cannot consume nothing
    for topic, take in agents.items():
        app.agent(app.topic(prefix + topic, internal=False), name=f"agent-{topic}", concurrency=1)(_agent(app, take, failed))
    return app


def _agent(app: Worker, take: Take, failed: Callable[[BaseException], None]) -> Callable[[Any], Awaitable[None]]:
    """An agent that hands records to its step, in order."""

    async def agent(stream: Any) -> None:
        async for values in stream.take(AT_ONCE, within=WITHIN):
            app.taking += 1
            try:
                await take(values)
            except Exception as error:
                failed(error)
                raise
            finally:
                app.taking -= 1

    return agent
