"""The keys by which the demo speaks: a write key for each channel system, one for the reader's own events, and two staff tokens.

They are made once per home and kept beside its other secrets, and made anew when the database does not know them.
"""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from aggregates import secret
from aggregates.access import Key, Role
from aggregates.source import Source
from infra import access, database
from infra.demo import cdnow
from infra.demo.simulated import calls, crm, resellers, web
from infra.endpoints import endpoints
from infra.home import Home, write_private
from infra.settings import Settings

SOURCES = (
    Source(cdnow.SOURCE, zone="UTC", strict=True, clock="event", types=("sales.order_placed",)),
    *(Source(channel.SOURCE, strict=True, clock="event", simulated=True, types=channel.TYPES) for channel in (crm, web, calls, resellers)),
)
"""The systems whose history is loaded. They replay their own time, so 1997 stays 1997."""

TODAY = Source("try-it")
"""For events typed today: a source that lives in our time."""

READER_NAME = "reader"
MARKETER_NAME = "marketer"
STAFF: Mapping[str, Role] = {READER_NAME: "agent", MARKETER_NAME: "marketer"}
BY = "yekta demo"


async def keys(settings: Settings) -> dict[str, str]:
    """The secrets by source name, and those of the staff; those that are missing are made."""
    kept = Home(settings.home).secrets / "demo.json"
    dsn = endpoints(settings).dsn
    held = msgspec.json.decode(kept.read_bytes(), type=dict[str, str]) if kept.exists() else {}
    async with await database.connect(dsn) as connection:
        known = _live(await access.load(connection))
    secrets = {name: text for name, text in held.items() if secret.digest(text) in known}
    with closing(access.KeyStore(dsn, _now)) as store:
        for source in (*SOURCES, TODAY):
            if source.name not in secrets:
                secrets[source.name] = (await store.create(BY, source=source, label="demo")).secret
        for name, role in STAFF.items():
            if name not in secrets:
                secrets[name] = (await store.create(BY, role=role, label="demo")).secret
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(kept, msgspec.json.encode(secrets).decode())
    return secrets


def _live(keys: list[Key]) -> set[bytes]:
    """The hashes of secrets that open something."""
    return {secret.hash for key in keys if key.revoked is None for secret in key.secrets if secret.until is None}


def _now() -> datetime:
    return datetime.now(UTC)
