"""Makes one API process: its dependencies, what keeps them fresh, and the server.

A door needs only Kafka to accept: keys are in memory, data keys are leased ahead. Reading order: serve, dependencies, _lease.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx
import psycopg
import structlog
import uvicorn
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.app import create
from api.awaiting import Awaiting
from api.key_ring import KeyRing
from api.limits import Limits
from api.ports import Connection, Dependencies, Pool, Topics
from infra import access, database, sealing
from infra.collector import spare_the_collector
from infra.crashing import crash_points
from infra.decisions import DecisionStore
from infra.delivery.addresses import Allowed
from infra.delivery.channels import wordless
from infra.delivery.policies import PolicyStore
from infra.delivery.rechecking import Rechecking, against
from infra.delivery.webhooks import WebhookStore
from infra.endpoints import Endpoints, endpoints
from infra.errors import Refusal, say
from infra.following import Follower
from infra.limiting import Sharing
from infra.listening import Listener
from infra.master_key import master_key
from infra.not_http import Http
from infra.oidc import OidcProvider
from infra.publishing import Publisher
from infra.rehearsing import Rehearsing
from infra.settings import OidcSettings, Settings
from infra.topics import topic_names
from projections import generation
from streams.learning import champion

log = structlog.get_logger(__name__)

SWITCHING = 0.0005
"""Seconds for which a thread that computes, as a dry run's does, may keep the loop waiting: Python's own 5 ms, several times a request."""


async def serve(settings: Settings) -> None:
    """Serve the API until the process is told to end. Raises Refusal where PostgreSQL will never let it in."""
    where = endpoints(settings)
    missing = asyncio.create_task(database.answering(where.dsn, say, migrated=True))  # a door stands meanwhile, if it has keys
    async with dependencies(settings, where) as made:
        config = uvicorn.Config(
            create(made),
            host=settings.api.host,
            port=settings.api.port,
            http=Http,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        spare_the_collector()
        sys.setswitchinterval(SWITCHING)
        server = uvicorn.Server(config)
        missing.add_done_callback(partial(_ended, server))
        await server.serve()
    if not missing.cancel():
        await missing


def _ended(server: uvicorn.Server, missing: asyncio.Task[None]) -> None:
    """Nobody is served by who never gets in."""
    if not missing.cancelled() and missing.exception() is not None:
        server.should_exit = True


@asynccontextmanager
async def dependencies(settings: Settings, where: Endpoints) -> AsyncIterator[Dependencies]:
    """The API's dependencies on real engines, alive while the context is."""
    ring = KeyRing()
    master = master_key(settings)
    secrets = sealing.KeyRing(master)
    names = topic_names(settings.kafka.prefix)
    publisher = Publisher(where.kafka_client_kwargs, name="door", at=crash_points())
    keys = access.KeyStore(where.dsn, _now, ring.learn)
    decisions = DecisionStore(where.dsn)
    listener = Listener(where.dsn)
    async with (
        httpx.AsyncClient() as web,
        _reading(where.dsn) as pool,
        _reading(where.dsn, most=1) as aside,
        _reading(where.dsn, most=8, configure=planned_once) as by_key,
    ):
        provider = _provider(settings.oidc, web)

        async def refresh() -> None:
            async with pool.connection() as connection:
                ring.replace(await access.load(connection), await access.settings(connection))

        listener.on(access.CHANNEL, refresh)
        changes = listener.topic("yekta_changed")
        signalled = listener.topic("yekta_signals")
        leasing = asyncio.create_task(_lease(secrets, pool, master))
        limits = Limits()
        sharing = asyncio.create_task(Sharing(limits, pool).run())
        await publisher.start()
        await listener.start()
        try:
            schema = _Generation(aside).schema
            yield Dependencies(
                log=publisher,
                topics=Topics(names.inbox, names.touchpoints, names.customer_events, names.dead_letters, names.scores),
                secrets=secrets,
                ring=ring,
                keys=keys,
                decisions=decisions,
                pool=pool,
                by_key=by_key,
                changes=changes,
                awaiting=Awaiting(pool, changes, schema),
                schema=schema,
                clock=_now,
                zone=settings.zone,
                kafka=where.bootstrap_servers,
                provider=provider,
                follow=Follower(where.kafka_client_kwargs),
                rehearsals=Rehearsing(where.dsn, master),
                webhooks=WebhookStore(decisions, secrets, Allowed(settings.deliveries_allowed), _now),
                policies=PolicyStore(decisions, _now),
                rechecks=Rechecking(pool, secrets, _now, against),
                signalled=signalled,
                wordless=wordless(settings),
                unsound=partial(champion.unsound, master.signing),
                limits=limits,
            )
        finally:
            for task in (leasing, sharing):
                task.cancel()
            await asyncio.gather(leasing, sharing, return_exceptions=True)
            await listener.stop()
            await publisher.stop()
            keys.close()
            decisions.close()


def _provider(settings: OidcSettings, web: httpx.AsyncClient) -> OidcProvider | None:
    if settings.issuer is None:
        return None
    secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
    return OidcProvider(
        settings.issuer, settings.client_id, secret, name=settings.name, claim=settings.claim, roles=settings.roles, client=web
    )


async def planned_once(connection: Connection) -> None:
    """Of this connection each statement is planned once for all keys, and not as if its tables stayed as empty as they may be then.

    PostgreSQL itself plans each look at a customer anew where timelines and views are still cut into parts (decision 20): of a plan for all
    it expects what reading every part would cost.
    """
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute("SET enable_seqscan = off")


@asynccontextmanager
async def _reading(dsn: str, most: int = 16, configure: Callable[[Connection], Awaitable[None]] | None = None) -> AsyncIterator[Pool]:
    """A pool for reading: no transaction around a single query, and no query to try a connection before it is lent."""
    pool: Pool = AsyncConnectionPool(
        dsn,
        kwargs={"application_name": "yekta-api", "autocommit": True, "prepare_threshold": 2},
        min_size=min(2, most),
        max_size=most,
        timeout=5,
        open=False,
        check=database.alive,
        configure=configure,
        reconnect_timeout=0,
        name="yekta-api",
    )
    async with pool:
        yield pool


async def _lease(secrets: sealing.KeyRing, pool: Pool, master: sealing.MasterKey) -> None:
    """Keep data keys in stock, but none that is to be destroyed; while PostgreSQL is away the stock lasts.

    Under a wrong master key there is none: the door stays shut.
    """
    checked, told = False, ""
    while True:
        try:
            if not checked:
                async with pool.connection() as connection:
                    await sealing.check_master_key(connection, master)
                checked = True
            if secrets.wants_lease():
                await secrets.lease(pool)
            async with pool.connection() as connection:
                await secrets.heed(connection)
            told = ""
        except (psycopg.Error, PoolTimeout) as error:
            if told != type(error).__name__:  # once: it may last for hours, and is tried twice a second
                told = type(error).__name__
                log.warning("data_keys_not_leased", error=told)
        except Refusal as refusal:
            if told != str(refusal):  # once: it does not pass by itself
                told = str(refusal)
                log.critical("the_door_stays_shut", why=told)
        await asyncio.sleep(0.5)


class _Generation:
    """Which read schema is live; asked again after a second, for a rebuild switches it.

    It asks over a connection of its own: whoever wants to know holds one of the others already, and when all of them were held by such,
    each would wait for another.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known = ""
        self._until = 0.0

    async def schema(self) -> str:
        clock = asyncio.get_running_loop().time
        if clock() >= self._until:
            async with self._pool.connection() as connection:
                if (now := clock()) >= self._until:  # nobody asked while one waited
                    self._known, self._until = await generation.live(connection), now + 1
        return self._known


def _now() -> datetime:
    return datetime.now(UTC)
