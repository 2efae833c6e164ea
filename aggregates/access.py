"""Who may speak to Yekta: the life of a key, as events. A write key belongs to a named source; a staff token has a role.

A key is created, rotated (a new secret, the old one valid for a grace), revoked for good; a one-time token is redeemed once for a session.
Secrets come in as hashes, times and ids as arguments. Reading order: Key, events, decide functions, evolve.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Literal, get_args
from uuid import UUID

import msgspec

from aggregates.addressing import fits_an_address
from aggregates.canonical import unusable
from aggregates.contracts import CONTRACTS
from aggregates.moment import known_zone
from aggregates.source import Source, may_send, unsendable
from aggregates.source_settings import RESERVED
from aggregates.touchpoint import channel_of

Role = Literal["agent", "supervisor", "marketer", "analyst", "partner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


class KeyCreated(msgspec.Struct, frozen=True, tag="access.key_created"):
    """Somebody or something may speak from now on: as `source`, or as staff with `role`."""

    key: UUID
    at: datetime
    by: str
    secret: bytes  # SHA-256
    hint: str
    label: str = ""
    source: Source | None = None
    role: str = ""
    until: datetime | None = None
    once: bool = False


class KeyRotated(msgspec.Struct, frozen=True, tag="access.key_rotated"):
    """The key has a new secret; those before it are good until `grace`."""

    key: UUID
    at: datetime
    by: str
    secret: bytes
    hint: str
    grace: datetime


class KeyRedeemed(msgspec.Struct, frozen=True, tag="access.key_redeemed"):
    """A one-time token was exchanged for a session; it opens nothing any more."""

    key: UUID
    at: datetime
    session_until: datetime


class KeyRevoked(msgspec.Struct, frozen=True, tag="access.key_revoked"):
    """The key opens nothing any more, whatever its secret."""

    key: UUID
    at: datetime
    by: str


Event = KeyCreated | KeyRotated | KeyRedeemed | KeyRevoked


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a key, by its hash."""

    hash: bytes
    hint: str
    since: datetime
    until: datetime | None  # None: as long as the key


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it stands: `source` for a write key, `role` for a staff token."""

    id: UUID
    version: int
    label: str
    source: Source | None
    role: str
    created: datetime
    secrets: tuple[Secret, ...]
    once: bool = False
    session_until: datetime | None = None
    revoked: datetime | None = None


class NotAllowed(Exception):
    """The key is not in a state in which that can be done."""


def create(
    key: UUID,
    at: datetime,
    by: str,
    secret: bytes,
    hint: str,
    *,
    source: Source | None = None,
    role: str = "",
    label: str = "",
    until: datetime | None = None,
    once: bool = False,
) -> KeyCreated:
    """A key is for a source or for a role, never both."""
    if (source is None) == (role == ""):
        raise NotAllowed("A key is made either for a source or for a role.")
    if role and role not in ROLES:
        raise NotAllowed(f"It is no role: choose one of {', '.join(ROLES)}.")
    if source is not None and not source.name.strip():
        raise NotAllowed("A source has a name.")
    if source is not None and not fits_an_address(source.name):
        raise NotAllowed("A source's name stands in addresses: it has no slashes and no control characters, and is neither `.` nor `..`.")
    if source is not None and source.name.strip() in RESERVED:
        raise NotAllowed(f"No key speaks as {source.name.strip()}: give the source another name.")
    if source is not None and known_zone(source.zone) is None:
        raise NotAllowed("The source's time zone is none that is known here: write one like Asia/Tehran.")
    if unusable(label) or (source is not None and any(map(unusable, (source.name, *source.types)))):
        raise NotAllowed("There is a character that is none in a name or the label: leave NUL and halves of surrogate pairs out.")
    if source is not None and (sentence := unsendable(source.types) or _never_taken(source)):
        raise NotAllowed(sentence)
    return KeyCreated(key, at, by, secret, hint, label, source, role, until, once)


def _never_taken(source: Source) -> str:
    """Which of its types a strict source can never send, as a sentence; empty where it can send each."""
    for type_ in source.types if source.strict else ():
        one = replace(source, types=(type_,))
        if not any(may_send(one, known, channel_of(known)) for known in CONTRACTS):
            return f"The source is strict, and there is no contract for {type_}: name a type of /v1/schemas, or leave strict out."
    return ""


def rotate(key: Key, at: datetime, by: str, secret: bytes, hint: str, grace: datetime) -> KeyRotated:
    """Replace the secret; the old one stays good until `grace`, for the time that it takes to tell every client."""
    if key.revoked is not None:
        raise NotAllowed("The key is revoked: create a new one.")
    if key.once:
        raise NotAllowed("A one-time token is not rotated: create another.")
    return KeyRotated(key.id, at, by, secret, hint, grace)


def redeem(key: Key, at: datetime, session_until: datetime) -> KeyRedeemed:
    """Exchange a one-time token for a session."""
    if not key.once or key.session_until is not None:
        raise NotAllowed("The token was used already: ask for a new one.")
    if key.revoked is not None or any(secret.until is not None and secret.until <= at for secret in key.secrets):
        raise NotAllowed("The token is no longer valid: ask for a new one.")
    return KeyRedeemed(key.id, at, session_until)


def revoke(key: Key, at: datetime, by: str) -> KeyRevoked | None:
    """Close the key for good; once closed it stays so and nothing is said again."""
    return None if key.revoked is not None else KeyRevoked(key.id, at, by)


def evolve(key: Key | None, event: Event) -> Key:
    """The key after the event."""
    match event:
        case KeyCreated():
            secret = Secret(event.secret, event.hint, event.at, event.until)
            return Key(event.key, 1, event.label, event.source, event.role, event.at, (secret,), event.once)
        case _ if key is None:
            raise ValueError(f"{event} has nothing to change: its key was never created")
        case KeyRotated():
            before = tuple(replace(secret, until=_earlier(secret.until, event.grace)) for secret in key.secrets)
            secret = Secret(event.secret, event.hint, event.at, None)
            return replace(key, version=key.version + 1, secrets=(*before, secret))
        case KeyRedeemed():
            spent = tuple(replace(secret, until=event.at) for secret in key.secrets)
            return replace(key, version=key.version + 1, secrets=spent, session_until=event.session_until)
        case KeyRevoked():
            return replace(key, version=key.version + 1, revoked=event.at)


def replay(events: Iterable[Event]) -> Key | None:
    """The key that its events make."""
    return reduce(evolve, events, None)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other < one else one
