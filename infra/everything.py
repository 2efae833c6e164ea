"""All of one home, in the order things need each other: engines, schema, topics, API, workers.

`yekta up` and `yekta demo` show it to people; tests kill its parts.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra import database, run_state, topics
from infra.endpoints import Endpoints, kafka_client_kwargs
from infra.engines import jars, ports
from infra.engines.program import Program, Ready
from infra.engines.supervisor import Notice
from infra.home import Home
from infra.running import Running, running
from infra.settings import Settings
from infra.topic_ids import NoAnswerError, ask


@asynccontextmanager
async def everything(settings: Settings, *, notice: Notice, progress: jars.Progress = jars.unseen) -> AsyncIterator[Running]:
    """Up and serving on entry, down on exit. Raises AlreadyRunsError, Refusal."""
    if not run_state.read(Home(settings.home).run_state).runs():  # else the port is used, by the run that `running` reports
        ports.refuse_used(settings.api.port, settings.api.host)
        await _check_named_engines(settings)
    async with running(settings, notice=notice, progress=progress) as here:
        await prepare(settings, here.endpoints)
        await here.supervisor.start(api_program(here))
        here.remember(api_url=settings.api.url)
        for number in range(1, settings.workers + 1):
            await here.supervisor.start(worker_program(here, f"worker-{number}"))
        for program in connectors(here):
            await here.supervisor.start(program)
        yield here


def connectors(here: Running) -> list[Program]:
    """What brings channels in that do not come by themselves, where settings name one."""
    programs: list[Program] = []
    if here.settings.asterisk.host:
        programs.append(_own_program(here, "asterisk", ("asterisk", "connect")))
    if here.settings.drop.folder:
        programs.append(_own_program(here, "drop", ("drop",)))
    return programs


async def prepare(settings: Settings, engines: Endpoints) -> None:
    """Bring the database's schema and the topics to what this version expects. Doing it again changes nothing."""
    kafka = settings.kafka
    async with await database.connect(engines.dsn, name="yekta") as connection:
        await database.migrate(connection)
    await topics.create_topics(engines.kafka_client_kwargs, prefix=kafka.prefix, partitions=kafka.partitions, replication=kafka.replication)


def api_program(here: Running) -> Program:
    host, port = here.settings.api.reachable, here.settings.api.port

    async def answers() -> bool:
        return await _is_healthy(host, port)

    return _own_program(here, "api", ("api",), ready=answers)


def worker_program(here: Running, name: str) -> Program:
    """Its name in the consumer group tells it from the `worker-1` of another machine."""
    return _own_program(here, name, ("worker", "--name", f"{name}.{socket.gethostname()}"))


def _own_program(here: Running, name: str, arguments: tuple[str, ...], ready: Ready | None = None) -> Program:
    return Program(
        name=name,
        # -P: a folder of the user's that happens to be called `infra` must not be taken for ours
        command=(sys.executable, "-P", "-m", "infra.cli", *arguments),
        log=here.home.log_of(name),
        environment={**here.settings.environment(), "PYTHONUNBUFFERED": "1"},
        ready=ready,
    )


async def _check_named_engines(settings: Settings) -> None:
    """Engines of others are asked before ours are started: a wrong address should not take seconds to be told."""
    if settings.postgres.dsn is not None:
        await (await database.connect(settings.postgres.dsn.get_secret_value())).close()
    if settings.kafka.bootstrap_servers is not None:
        options = kafka_client_kwargs(settings.kafka, settings.kafka.bootstrap_servers)
        try:
            await ask(options)
        except NoAnswerError as error:
            raise topics.unreachable(options, error) from error


async def _is_healthy(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
