"""A home with its engines running: claims it, starts what the settings leave to us, keeps the run state, stops all at the end.

`yekta up` and the tests both use it. Reading order: running, Running.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import platformdirs
from psycopg.conninfo import conninfo_to_dict

from infra import run_state
from infra.endpoints import Endpoints, endpoints
from infra.engines import jars, open_files, ports, warm_start
from infra.engines.kafka import Kafka
from infra.engines.postgres import Postgres, new_password
from infra.engines.supervisor import Notice, Supervisor
from infra.errors import Refusal, refusal_of
from infra.home import Home, write_private
from infra.run_state import Process, RunState
from infra.settings import Settings


class AlreadyRunsError(Exception):
    """Another process has this home; its run state says where everything is."""

    def __init__(self, state: RunState) -> None:
        super().__init__("already runs")
        self.state = state


@dataclass(slots=True)
class Running:
    """A claimed home: its supervisor, to which more programs can be given, and its run state."""

    settings: Settings
    home: Home
    state: RunState
    notice: Notice
    supervisor: Supervisor = field(init=False)
    learning: asyncio.Task[None] | None = None  # makes the next starts of Kafka faster

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(notice=self.notice, changed=self._remember_children)

    @property
    def endpoints(self) -> Endpoints:
        return endpoints(self.settings)

    def remember(self, **changes: object) -> None:
        """Change the run state, in memory and on disk."""
        self.state = msgspec.structs.replace(self.state, **changes)
        run_state.write(self.home.run_state, self.state)

    def remember_if_possible(self, **changes: object) -> None:
        """A full disk must not end the supervisor, which is about to bring an engine back, nor hide for what reason all ends."""
        try:
            self.remember(**changes)
        except OSError as error:
            self.notice("yekta", f"could not write {self.home.run_state}: {error.strerror}")

    def _remember_children(self) -> None:
        processes = {name: Process.of(child.pid) for name, child in self.supervisor.children.items()}
        self.remember_if_possible(children={name: process for name, process in processes.items() if process is not None})


@asynccontextmanager
async def running(settings: Settings, *, notice: Notice, progress: jars.Progress = jars.unseen) -> AsyncIterator[Running]:
    """Engines up on entry, everything of this home down on exit. Raises AlreadyRunsError, Refusal."""
    open_files.allow()
    home = Home(settings.home)
    home.make()
    lock = home.take()
    if lock is None:
        raise AlreadyRunsError(run_state.read(home.run_state))
    with lock:
        before = run_state.read(home.run_state)
        for name in await asyncio.to_thread(run_state.end_orphans, before):
            notice(name, "was left over by a run that was killed; it is ended")
        here = Running(settings, home, before, notice)
        here.remember(supervisor=Process.of(os.getpid()), api_url=None, children={})
        try:
            await _start_engines(here, progress)
            yield here
        finally:
            if here.learning is not None:
                here.learning.cancel()
                await asyncio.wait([here.learning])
            await here.supervisor.stop()
            here.remember_if_possible(supervisor=None, api_url=None, children={})


async def _start_engines(here: Running, progress: jars.Progress) -> None:
    try:
        async with asyncio.TaskGroup() as both:
            if here.settings.embeds_postgres:
                both.create_task(_start_postgres(here))
            if here.settings.embeds_kafka:
                both.create_task(_start_kafka(here, progress))
    except ExceptionGroup as failed:  # not `except*`: before Python 3.11.4 what is raised there is a group again
        refused, broken = failed.subgroup(Refusal), failed.subgroup(OSError)
        if refused is not None:
            raise refused.exceptions[0] from None
        error = broken.exceptions[0] if broken is not None else None
        if isinstance(error, OSError) and (refusal := refusal_of(error)):
            raise refusal from error
        raise


async def _start_postgres(here: Running) -> None:
    port = ports.choose(here.state.postgres_port)
    postgres = Postgres(here.home.postgres, here.home.log_of("postgres"), port, _postgres_password(here.home))
    write_private(here.home.postgres_dsn, postgres.dsn + "\n")
    here.remember(postgres_port=port)
    if here.state.postgres_served and not postgres.made:
        raise Refusal(
            f"The database of this home is gone: {postgres.data} is missing or empty.",
            "Put it back, or all of the home from a backup; to begin with nothing, remove the home.",
        )
    await asyncio.to_thread(postgres.prepare)
    await here.supervisor.start(postgres.program())
    here.remember(postgres_served=True)


def _postgres_password(home: Home) -> str:
    if home.postgres_dsn.exists():
        return str(conninfo_to_dict(home.postgres_dsn.read_text().strip())["password"])
    if (home.postgres / "data").exists():
        raise Refusal(
            f"The password of the database in {home.postgres} is lost: {home.postgres_dsn} is missing.", "Put it back from a backup."
        )
    return new_password()


async def _start_kafka(here: Running, progress: jars.Progress) -> None:
    kafka_settings = here.settings.kafka
    class_path = await _fetch_jars(here.settings, progress)
    port = ports.choose(here.state.kafka_port)
    controller_port = ports.choose(here.state.kafka_controller_port, taken={port})
    here.remember(kafka_port=port, kafka_controller_port=controller_port)
    kafka = Kafka(
        here.home.kafka,
        here.home.log_of("kafka"),
        port,
        controller_port,
        class_path,
        heap_mb=kafka_settings.heap_mb,
    )
    learnt = warm_start.cache_file(jar_cache(here.settings), class_path)
    warm = replace(kafka, java_options=(f"-XX:AOTCache={learnt}", "-Xlog:aot=off"))
    await asyncio.to_thread(warm.prepare)
    await here.supervisor.start(warm.program())
    here.learning = asyncio.create_task(_learn(kafka, learnt))


async def _learn(kafka: Kafka, target: Path) -> None:
    with suppress(OSError, TimeoutError, Refusal):  # a slower start is all that would come of it
        await warm_start.learn(kafka, target)


async def _fetch_jars(settings: Settings, progress: jars.Progress) -> tuple[Path, ...]:
    """In a thread, which ends soon after Ctrl-C: a thread cannot be cancelled, but it asks at each jar."""
    unwanted = threading.Event()

    def unless_unwanted(done: int, of: int) -> None:
        if unwanted.is_set():
            raise Refusal("Stopped while fetching Kafka's jars.")
        progress(done, of)

    try:
        return await asyncio.to_thread(jars.fetch, jar_cache(settings), progress=unless_unwanted, repository=settings.kafka.jars_from)
    except asyncio.CancelledError:
        unwanted.set()
        raise


def jar_cache(settings: Settings) -> Path:
    """One cache for all homes of a user: a second home starts without the network."""
    return (settings.cache or platformdirs.user_cache_path("yekta")) / "maven"
