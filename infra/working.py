"""Runs a worker: gives all that works to the Faust app that hosts it. Reading order: work, Host."""

import asyncio
import os
import sys
from functools import partial
from typing import Any

import faust
import structlog
import uvloop

from infra import database
from infra.collector import spare_the_collector
from infra.endpoints import endpoints
from infra.errors import say
from infra.home import Home
from infra.parts import Parts
from infra.settings import Settings
from infra.watching import Watched
from streams.app import build
from streams.deliver import TOPIC as SIGNALS

CRASHED = 70
LONGEST = 10.0
"""Seconds that stopping may take; a supervisor would kill after fifteen."""

TURN = 0.0005
"""Seconds after which a thread that computes gives way to the lanes: with Python's own 5 ms each of a batch's statements waits so long."""

log = structlog.get_logger()


class Host(faust.Worker):
    """Ends the process as soon as its services have stopped.

    Faust waits two seconds more: for tasks of libraries that end only with the process, and for those that it cancelled.
    """

    async def stop(self) -> None:
        """Stop all in order; what does not come to an end in time is left as after a kill, by which nothing is lost.

        Who has no supervisor, or outlived it, would wait for engines that may never come back.
        """
        asyncio.get_running_loop().call_later(LONGEST, os._exit, CRASHED)
        await super().stop()

    def _gather_all(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=1))

    async def _sentinel_task(self) -> None:
        """Nothing is left to wait for."""


def work(settings: Settings, name: str) -> None:
    """Run one worker until it is told to stop. A runner that cannot go on ends the process at once: the supervisor starts it again."""
    spare_the_collector()
    sys.setswitchinterval(TURN)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    here = endpoints(settings)
    loop.run_until_complete(database.answering(here.dsn, say))
    parts = Parts(settings, here, name)
    app = build(
        here.bootstrap_servers,
        [
            *(parts.maker(make) for make in parts.processors()),
            parts.relay,
            parts.escalating,
            parts.sender,
            parts.broadcasting,
            parts.ruling,
            parts.comparing,
            parts.estimating,
            parts.releasing,
            parts.fitting,
            parts.cutting,
            parts.heeding,
            parts.erasing,
            parts.watch,
        ],
        _crash,
        _credentials(settings),
        folder=Home(settings.home).faust,
        prefix=settings.kafka.prefix,
        client=(client := f"yekta-{name}-agents"),
        agents={SIGNALS: parts.outgoing.take},
    )
    signals = settings.kafka.prefix + SIGNALS
    parts.watched.append(Watched(SIGNALS, app.conf.id, client, signals, partial(app.waiting, signals)))
    # Faust's own logging would let every library make a record of each thing it does, a thirtieth of the worker's time, and drop it then.
    worker = Host(app, override_logging=False, quiet=True, loop=loop, redirect_stdouts=False)
    worker.spinner = None  # it is for a terminal, and turned in our logs
    loop.run_until_complete(parts.open())
    worker.execute_from_commandline()


def _crash(error: BaseException) -> None:
    log.critical("worker ends", error=type(error).__name__, exc_info=error)
    os._exit(CRASHED)


def _credentials(settings: Settings) -> Any:
    """What Faust's own producer needs of the SASL and TLS settings."""
    from infra.endpoints import kafka_client_kwargs

    kafka = settings.kafka
    if kafka.bootstrap_servers is None or kafka.security_protocol == "PLAINTEXT":
        return None
    context = kafka_client_kwargs(kafka, kafka.bootstrap_servers).get("ssl_context")
    if kafka.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    password = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
    return faust.SASLCredentials(username=kafka.sasl_username, password=password, ssl_context=context, mechanism=kafka.sasl_mechanism)
