"""Keeps a write key for each source that files are imported for in this home, so that an import there asks for nothing.

A key is made when there is none yet or the database does not know it any more; it is kept beside the home's other secrets.
"""

from contextlib import closing
from datetime import UTC, datetime

import msgspec

from aggregates import secret
from aggregates.access import NotAllowed
from aggregates.source import Source
from infra import access, database
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.home import Home, write_private
from infra.settings import Settings

BY = "yekta import"


async def key_of(settings: Settings, source: str) -> str:
    """The write key by which files of this source are imported here."""
    kept = Home(settings.home).secrets / "import.json"
    dsn = endpoints(settings).dsn
    held = msgspec.json.decode(kept.read_bytes(), type=dict[str, str]) if kept.exists() else {}
    async with await database.connect(dsn) as connection:
        known = {secret.hash for key in await access.load(connection) if key.revoked is None for secret in key.secrets}
    if source not in held or secret.digest(held[source]) not in known:
        with closing(access.KeyStore(dsn, lambda: datetime.now(UTC))) as store:
            try:
                made = await store.create(BY, source=Source(source, settings.zone), label="import")
            except NotAllowed as error:
                raise Refusal(str(error)) from error
        held[source] = made.secret
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(kept, msgspec.json.encode(held).decode())
    return held[source]
