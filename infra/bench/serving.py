"""API processes as `yekta api` runs them, the bare door beside them, and the keys that open ours.

Reading order: Api, api, bare.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.access import KeyStore
from infra.bench.children import Child, child, until
from infra.bench.client import Connection, get
from infra.bench.feed import SOURCE
from infra.bench.ground import Ground, World, touchpoints
from infra.engines import ports


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on a port of loopback."""

    process: Child
    port: int


@dataclass(frozen=True, slots=True)
class Api(Server):
    """An API process, and keys to it."""

    write_key: str
    staff_token: str


@asynccontextmanager
async def api(ground: Ground, world: World) -> AsyncIterator[Api]:
    """Our API on a world."""
    with closing(KeyStore(world.endpoints.dsn, lambda: datetime.now(UTC))) as store:
        write = (await store.create("yekta bench", source=SOURCE)).secret
        staff = (await store.create("yekta bench", role="admin")).secret
    port = world.settings.api.port
    arguments = ("-m", "infra.cli", "api", "--port", str(port))
    async with child("api", *arguments, environment=world.settings.environment(), logs=ground.logs) as process:
        await until("the API is ready", lambda: _answers(port, "/readyz"), [process], within=60, look=0.1)
        yield Api(process, port, write, staff)


@asynccontextmanager
async def bare(ground: Ground, world: World) -> AsyncIterator[Server]:
    """The bare door on a world."""
    port = ports.choose(taken={world.settings.api.port})
    arguments = ("-m", "infra.bench.bare_door", touchpoints(world), str(port))
    async with child("bare-door", *arguments, environment=world.settings.environment(), logs=ground.logs) as process:
        await until("the bare door is ready", lambda: _answers(port, "/nothing"), [process], within=60, look=0.1)
        yield Server(process, port)


async def _answers(port: int, path: str) -> bool:
    try:
        line = await Connection.open(port)
    except OSError:
        return False
    try:
        return (await line.ask(get(path))).status == 200
    except OSError:
        return False
    finally:
        line.close()
