"""Every key in memory, so that a door knows who speaks while PostgreSQL is away.

`infra` refreshes the ring on every change and every half minute. Reading order: Grant, KeyRing.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from aggregates.access import Key
from aggregates.secret import digest, well_formed
from aggregates.source import Source

REMEMBERED = 10_000
"""How many Authorization headers are remembered, so that a busy client is hashed once."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one secret opens."""

    key: UUID
    source: Source | None
    role: str
    until: datetime | None
    revoked: bool
    once: bool = False

    def valid(self, at: datetime) -> bool:
        """Whether it opens anything now."""
        return not self.revoked and (self.until is None or at < self.until)


class KeyRing:
    """Looks up who speaks. Replaced as a whole, so a look-up never sees half a refresh."""

    def __init__(self) -> None:
        self._keys: Mapping[UUID, Key] = {}
        self._learned: dict[UUID, Key] = {}
        self._settings: Mapping[str, Source] = {}
        self._grants: Mapping[bytes, Grant] = {}
        self._headers: dict[str, Grant | None] = {}
        self.loaded = False

    def replace(self, keys: Iterable[Key], settings: Iterable[Source] = ()) -> None:
        """Hold these keys, and what was learnt since they were read; what was decided about a source holds for all its keys."""
        self._settings = {source.name: source for source in settings}
        read = {key.id: key for key in keys}
        self._learned = {id_: key for id_, key in self._learned.items() if id_ not in read or read[id_].version < key.version}
        self._hold(read | self._learned)
        self.loaded = True

    def learn(self, key: Key) -> None:
        """Know at once how this key stands, until it is read so: neither the news nor what is being read just now may have it."""
        known = self._keys.get(key.id)
        if known is not None and known.version >= key.version:
            return
        self._learned[key.id] = key
        self._hold({**self._keys, key.id: key})

    def _hold(self, keys: Mapping[UUID, Key]) -> None:
        held = {id_: self._set(key) for id_, key in keys.items()}
        self._keys = held
        self._grants = {
            secret.hash: Grant(key.id, key.source, key.role, secret.until, key.revoked is not None, key.once)
            for key in held.values()
            for secret in key.secrets
        }
        self._headers = {}

    def _set(self, key: Key) -> Key:
        """The key, with what was decided about its source since it was made."""
        decided = None if key.source is None else self._settings.get(key.source.name)
        return key if decided is None else replace(key, source=decided)

    def key(self, id_: UUID) -> Key | None:
        """The key with this id."""
        return self._keys.get(id_)

    def every_key(self) -> tuple[Key, ...]:
        """All keys, the oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created, key.id)))

    def source(self, name: str) -> Source | None:
        """What is set of a source: by its newest key, revoked or not."""
        return next((key.source for key in reversed(self.every_key()) if key.source is not None and key.source.name == name), None)

    def source_names(self) -> frozenset[str]:
        """The names of all sources that ever had a key."""
        return frozenset(key.source.name for key in self._keys.values() if key.source is not None)

    def of_secret(self, secret: str) -> Grant | None:
        """What a secret opens."""
        return self._grants.get(digest(secret)) if well_formed(secret) else None

    def of_header(self, authorization: str) -> Grant | None:
        """What an Authorization header opens: the Basic user name or the Bearer token is the key."""
        known = self._headers.get(authorization, self)
        if isinstance(known, KeyRing):
            if len(self._headers) >= REMEMBERED:
                self._headers.clear()
            secret = secret_of(authorization)
            known = self._headers[authorization] = None if secret is None else self.of_secret(secret)
        return known


def secret_of(authorization: str) -> str | None:
    """The key in an Authorization header, or None when there is none."""
    scheme, _, credentials = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip() or None
        case "basic":
            return _of_pair(credentials.strip())
        case _:
            return None


def _of_pair(credentials: str) -> str | None:
    """The key in the credentials of Basic: the user name; the password, where there is no other; or what nobody encoded."""
    try:
        pair = b64decode(credentials.translate(_STANDARD) + "=" * (-len(credentials) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pair = credentials
    user, _, password = pair.partition(":")
    return user or password or None


_STANDARD = str.maketrans("-_", "+/")
