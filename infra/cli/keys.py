"""`yekta keys`: write keys for the systems that send events, staff tokens for the people who read.

$ export KEY=$(yekta keys create --source web)
$ curl -u "$KEY:" http://127.0.0.1:8700/v1/events -d @event.json
"""

import asyncio
import json as json_
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import psycopg
from cyclopts import App, Parameter, validators
from eventsourcing.persistence import PersistenceError

from aggregates.access import Key, NotAllowed, Role
from aggregates.source import Source
from api.ports import KeyNotFound
from infra import database
from infra.access import KeyStore, load
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.settings import load as load_settings

keys = App(name="keys", help=__doc__)

GRACE = Parameter(validator=validators.Number(gte=0, lte=30 * 86_400))
"""As the API has it: for a month at most."""

BY = "command line"

WIDE = 130

Made = TypeVar("Made")


@keys.command
def create(
    *,
    source: str | None = None,
    role: Role | None = None,
    label: str = "",
    strict: bool = False,
    zone: str | None = None,
    clock: Literal["", "event"] = "",
    simulated: bool = False,
    types: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
) -> None:
    """Make a key and print it, and nothing else: it is shown this once.

    For a system that sends: `yekta keys create --source web`. For people: `yekta keys create --role agent`.

    Parameters
    ----------
    source
        The name of the channel system that will send with this key.
    role
        What the person with this token may see and do.
    label
        A note for the list of keys.
    strict
        Refuse event types that have no contract, instead of keeping them as they are.
    zone
        The system's time zone, in which a date without a time is a day.
    clock
        `event`: the system replays its own time, and what it last said is its now.
    simulated
        Everything the system sends is simulated, and marked so.
    types
        What it may send: types, or `channel.*`. Without it: everything that channels may send.
    """
    if source is None and role is not None and (strict or zone or clock or simulated or types):
        raise Refusal("--strict, --zone, --clock, --simulated and --types say how a source sends; a role sends nothing.", "Leave them out.")
    settings = load_settings()
    origin = None if source is None else Source(source, zone or settings.zone, strict, clock, simulated, tuple(types or ()))
    minted = _with_store(lambda store: store.create(BY, source=origin, role=role or "", label=label))
    print(minted.secret)


@keys.command(name="list")
def list_(*, json: bool = False) -> None:
    """Show every key that is not revoked, without what it opens.

    Parameters
    ----------
    json
        One JSON object a line instead of a table, revoked keys too.
    """
    held = asyncio.run(_held())
    if json:
        for key in held:
            sys.stdout.write(json_.dumps(_plain(key)) + "\n")
        return
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("id", min_width=36, no_wrap=True), "for", Column("secrets", no_wrap=True), "made", "note", box=None)
    for key in held:
        if key.revoked is None:
            whom = f"source {key.source.name}" if key.source else f"role {key.role}"
            table.add_row(str(key.id), whom, "\n".join(_secrets(key)), f"{key.created:%Y-%m-%d %H:%M}", key.label)
    Console(soft_wrap=True, width=WIDE).print(table)  # a narrower window wraps lines: rich would leave columns out


@keys.command
def revoke(id: UUID) -> None:  # noqa: A002 - the word on the command line
    """End a key, at once and for good. Its id is in `yekta keys list`."""
    _with_store(lambda store: store.revoke(id, BY))


@keys.command
def rotate(id: UUID, *, grace: Annotated[int, GRACE] = 3600) -> None:  # noqa: A002 - the word on the command line
    """Give a key a new secret and print it, and nothing else.

    Parameters
    ----------
    id
        Which key, as `yekta keys list` shows it.
    grace
        For how many seconds the old secret stays good.
    """
    minted = _with_store(lambda store: store.rotate(id, BY, timedelta(seconds=grace)))
    print(minted.secret)


def _with_store(work: Callable[[KeyStore], Awaitable[Made]]) -> Made:
    async def worked(store: KeyStore) -> Made:
        return await work(store)

    dsn = endpoints(load_settings()).dsn
    try:
        with closing(KeyStore(dsn, lambda: datetime.now(UTC))) as store:
            return asyncio.run(worked(store))
    except KeyNotFound as error:
        raise Refusal(str(error), "See `yekta keys list`.") from error
    except NotAllowed as error:
        raise Refusal(str(error)) from error
    except (psycopg.OperationalError, PersistenceError) as error:
        raise Refusal(
            f"PostgreSQL at {database.place(dsn)} cannot be used just now.", "Keys live there; try again when it is back."
        ) from error


async def _held() -> list[Key]:
    async with await database.connect(endpoints(load_settings()).dsn) as connection:
        return sorted(await load(connection), key=lambda key: (key.created, key.id))


def _secrets(key: Key) -> list[str]:
    return [secret.hint + (f" until {secret.until:%Y-%m-%d %H:%M}" if secret.until else "") for secret in key.secrets]


def _plain(key: Key) -> dict[str, object]:
    return {
        "id": str(key.id),
        "source": key.source.name if key.source else None,
        "role": key.role or None,
        "label": key.label,
        "created": key.created.isoformat(),
        "revoked": key.revoked.isoformat() if key.revoked else None,
        "secrets": _secrets(key),
    }
