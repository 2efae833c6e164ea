"""Commands, as a person types them."""

import asyncio
import os
import sys
from dataclasses import dataclass

from tests.conftest import World


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


async def yekta(world: World, *words: str, piped: bytes = b"") -> Said:
    """Run the command over a world's engines."""
    environment = os.environ | {
        "YEKTA_HOME": str(world.settings.home),
        "YEKTA_KAFKA__PREFIX": world.settings.kafka.prefix,
        "YEKTA_KAFKA__BOOTSTRAP_SERVERS": world.endpoints.bootstrap_servers,
        "YEKTA_POSTGRES__DSN": world.dsn,
        "COLUMNS": "200",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.cli", *words, env=environment, stdin=-1, stdout=-1, stderr=-1
    )
    out, err = await process.communicate(piped)
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())
