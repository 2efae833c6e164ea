"""Runs the twin in Quix Streams, where it is installed: it wants other versions than Yekta does, so it has an interpreter of its own.

python -m venv .venv-quix && .venv-quix/bin/pip install --require-hashes -r infra/bench/quix.lock
"""

import asyncio
from pathlib import Path

import msgspec
from psycopg.conninfo import conninfo_to_dict

from infra import waiting
from infra.bench import throughput
from infra.bench.children import child
from infra.bench.ground import Ground, World

INTERPRETER = Path(".venv-quix/bin/python")
TWIN = Path(__file__).with_name("quix_twin.py")


async def missing(ground: Ground, interpreter: Path) -> str:
    """Why the twin cannot be run; empty when it can."""
    if ground.settings.kafka.security_protocol != "PLAINTEXT":
        return "the twin speaks to Kafka without TLS and passwords only"
    nowhere = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(interpreter, "-c", "import quixstreams, psycopg2", stdout=nowhere, stderr=nowhere)
    except OSError:
        return f"no interpreter at {interpreter}; see infra/bench/quix.py"
    return "" if await process.wait() == 0 else f"{interpreter} has no quixstreams; see infra/bench/quix.py"


async def twin(ground: Ground, world: World, topic: str, interpreter: Path) -> throughput.Pass:
    """Work through a topic of customer events into this world's database."""
    events = sum((await waiting.ends(world.endpoints, topic)).values())
    place = conninfo_to_dict(world.endpoints.dsn)
    what = {
        "kafka": world.endpoints.bootstrap_servers,
        "group": f"{world.prefix}quix",
        "topic": topic,
        "records": events,
        "state": str(ground.folder / f"{world.prefix}quix"),
        "postgres": {name: place[name] for name in ("host", "port", "dbname", "user", "password")},
    }
    environment = {"TWIN": msgspec.json.encode(what).decode()}  # not an argument: it holds a password
    async with child("quix", str(TWIN), environment=environment, logs=ground.logs, python=str(interpreter)) as program:
        return await throughput.spoken(ground, program, events)
