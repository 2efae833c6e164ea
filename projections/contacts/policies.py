"""The contact policy that binds, its versions, and since when quiet hours are as they are. Reading order: in_force, hours_since."""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from aggregates.contact_policy import reading
from aggregates.contact_policy.policy import DEFAULT, Policy

Connection = AsyncConnection[tuple[Any, ...]]

LATEST = 20
"""Versions of the policy that are looked at for when quiet hours changed: nothing is held for as long as more of them take."""

_read: dict[str, Policy] = {}


async def in_force(connection: Connection) -> tuple[int, Policy]:
    """The policy that binds now and its version; 0: none was published, consent alone binds."""
    cursor = await connection.execute("SELECT version, text FROM contacts.policy ORDER BY version DESC LIMIT 1")
    row = await cursor.fetchone()
    if row is None:
        return 0, DEFAULT
    version, text = row
    policy = _read.get(text)
    if policy is None:
        policy = reading.read(text).policy
        if policy is None:
            raise ValueError(f"version {version} of the contact policy, which was published, cannot be read")
        _read.clear()
        _read[text] = policy
    return version, policy


class PolicyRow(NamedTuple):
    """A version of the policy."""

    version: int
    at: datetime
    by: str
    text: str


async def policies(connection: Connection, limit: int, version: int | None = None) -> list[PolicyRow]:
    """The versions of the policy, the newest first; or the one that is asked for."""
    cursor = await connection.execute(
        "SELECT version, at, by, text FROM contacts.policy WHERE %s::int IS NULL OR version = %s ORDER BY version DESC LIMIT %s",
        (version, version, limit),
    )
    return [PolicyRow(*row) for row in await cursor.fetchall()]


async def hours_since(connection: Connection) -> datetime | None:
    """Since when quiet hours are as the policy in force has them; None: none was ever published."""
    since: PolicyRow | None = None
    for row in await policies(connection, LATEST):
        if since is not None and other_hours(row.text, since.text):
            break
        since = row
    return None if since is None else since.at


async def hours_changed(connection: Connection, version: int) -> datetime | None:
    """When a version of the policy was published, if quiet hours are other ones since; else None."""
    found = {row.version: row for one in (version, version - 1) for row in await policies(connection, 1, one)}
    if version not in found:
        return None
    before = found[version - 1].text if version - 1 in found else None
    return found[version].at if other_hours(before, found[version].text) else None


def other_hours(before: str | None, after: str) -> bool:
    """Whether quiet hours are other ones by this text than by the one before, if there was any."""
    return _hours(after) != (None if before is None else _hours(before))


@lru_cache(LATEST)
def _hours(text: str) -> tuple[object, ...] | None:
    policy = reading.read(text).policy
    return None if policy is None or policy.quiet is None else (policy.quiet, policy.zone, "quiet" in policy.ignores)


async def salt(connection: Connection) -> str:
    """By which hold-outs are drawn."""
    cursor = await connection.execute("SELECT salt FROM contacts.salt")
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the migration inserted it
    return str(row[0])
