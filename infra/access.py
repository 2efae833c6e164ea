"""Keeps keys: their events through the eventsourcing library's recorder, and how each stands, in one transaction; and says so at once.

The recorder's own functions in the database stay off: with them its subscribers miss events.
Reading order: KeyStore, load, sources_of, _Recorder.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import AsyncConnection

from aggregates import access, secret
from aggregates.access import Event, Key
from aggregates.source import Source
from aggregates.source_settings import State
from api.key_ring import KeyRing
from api.ports import KeyNotFound, Minted
from api.session import LASTS
from infra.recording import datastore

CHANNEL = "yekta_access"

_event = msgspec.json.Decoder(Event)
_key = msgspec.json.Decoder(Key)
_settings = msgspec.json.Decoder(State)


class KeyStore:
    """The adapter of `api.ports.Keys`. Changes are rare, so they run in a thread beside the loop."""

    def __init__(self, dsn: str, clock: Callable[[], datetime], learn: Callable[[Key], None] | None = None) -> None:
        self._dsn = dsn
        self._clock = clock
        self._learn = learn  # told at once how a key stands: whoever is answered may use it, or try it, the next moment
        self._recorder: _Recorder | None = None

    async def create(
        self,
        by: str,
        *,
        source: Source | None = None,
        role: str = "",
        label: str = "",
        until: datetime | None = None,
        once: bool = False,
        id_: UUID | None = None,
    ) -> Minted:
        """Make a key for a source or a role; an id that was given comes with one key."""
        text = _mint(secret.STAFF if role else secret.WRITE)
        event = access.create(
            id_ or uuid4(),
            self._clock(),
            by,
            secret.digest(text),
            secret.hint(text),
            source=source,
            role=role,
            label=label,
            until=until,
            once=once,
        )
        try:
            return Minted(await self._record(None, event), text)
        except IntegrityError as error:
            raise access.NotAllowed("The key is made already: it was shown then, and only then.") from error

    async def rotate(self, key: UUID, by: str, grace: timedelta) -> Minted:
        """Give the key a new secret; the old one is good for `grace`."""
        held = await self._load(key)
        text = _mint(secret.STAFF if held.role else secret.WRITE)
        now = self._clock()
        event = access.rotate(held, now, by, secret.digest(text), secret.hint(text), now + grace)
        return Minted(await self._record(held, event), text)

    async def revoke(self, key: UUID, by: str) -> None:
        """End the key."""
        held = await self._load(key)
        event = access.revoke(held, self._clock(), by)
        if event is not None:
            await self._record(held, event)

    async def redeem(self, text: str) -> Key:
        """Exchange a one-time token; of several who try at the same time one succeeds."""
        async with await AsyncConnection.connect(self._dsn) as connection:
            cursor = await connection.execute(
                "SELECT id FROM access.keys, jsonb_array_elements(state -> 'secrets') held WHERE held ->> 'hash' = %s",
                (_base64(secret.digest(text)),),
            )
            found = await cursor.fetchone()
        if found is None:
            raise KeyNotFound("No such token.")
        held = await self._load(found[0])
        now = self._clock()
        try:
            return await self._record(held, access.redeem(held, now, now + LASTS))
        except IntegrityError as error:
            raise access.NotAllowed("The token was used already: ask for a new one.") from error

    def close(self) -> None:
        """Give the connection back."""
        if self._recorder is not None:
            self._recorder.datastore.close()

    async def _load(self, key: UUID) -> Key:
        held = access.replay(_event.decode(stored.state) for stored in await asyncio.to_thread(self._select, key))
        if held is None:
            raise KeyNotFound(f"No key has the id {key}.")
        return held

    async def _record(self, held: Key | None, event: Event) -> Key:
        key = access.evolve(held, event)
        stored = StoredEvent(key.id, key.version, str(event.__struct_config__.tag), msgspec.json.encode(event))
        await asyncio.to_thread(self._insert, [stored], key)
        if self._learn is not None:
            self._learn(key)
        return key

    def _select(self, key: UUID) -> Sequence[StoredEvent]:
        events: Sequence[StoredEvent] = self._opened().select_events(key)
        return events

    def _insert(self, events: Sequence[StoredEvent], key: Key) -> None:
        self._opened().insert_events(events, key=key)

    def _opened(self) -> "_Recorder":
        if self._recorder is None:
            self._recorder = _Recorder(datastore(self._dsn, "access"), events_table_name="events")
        return self._recorder


async def load(connection: AsyncConnection[tuple[Any, ...]]) -> list[Key]:
    """Every key, for a door's memory."""
    cursor = await connection.execute("SELECT state::text FROM access.keys")
    return [_key.decode(state) async for (state,) in cursor]


async def settings(connection: AsyncConnection[tuple[Any, ...]]) -> list[Source]:
    """What was decided about sources, for a door's memory."""
    cursor = await connection.execute("SELECT state::text FROM sources.settings")
    return [_settings.decode(state).source async for (state,) in cursor]


async def sources_of(connection: AsyncConnection[tuple[Any, ...]], secrets_: Collection[str], at: datetime) -> dict[str, Source]:
    """The sources of those of these write keys that open something now, as they are set."""
    ring = KeyRing()
    ring.replace(await load(connection), await settings(connection))
    grants = {secret: ring.of_secret(secret) for secret in secrets_}
    return {secret: grant.source for secret, grant in grants.items() if grant is not None and grant.source is not None and grant.valid(at)}


class _Recorder(PostgresApplicationRecorder):
    """Writes how the key stands, and tells the doors, in the transaction of its event."""

    def _insert_events(self, curs: Any, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        key: Key = kwargs["key"]
        curs.execute(
            "INSERT INTO access.keys (id, version, source, role, label, created, revoked, state) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, revoked = excluded.revoked, state = excluded.state",
            (
                key.id,
                key.version,
                key.source.name if key.source else None,
                key.role,
                key.label,
                key.created,
                key.revoked,
                msgspec.json.encode(key).decode(),
            ),
        )
        curs.execute(f"NOTIFY {CHANNEL}")


def _mint(prefix: str) -> str:
    return secret.mint(prefix, secrets.token_bytes(secret.ENTROPY))


def _base64(hash_: bytes) -> str:
    """As msgspec writes bytes into JSON."""
    return str(msgspec.json.decode(msgspec.json.encode(hash_)))
